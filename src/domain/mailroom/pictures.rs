//! Pictures that a message's HTML names by `cid:` (RFC 2392). They are inlined, because the frame that
//! shows the HTML can't load anything, even from this server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::messages::{self, Attachment, MessageId, Opened};
use super::parts;
use crate::domain::Result;
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::mailroom::contents;

/// The maximum bytes and number of pictures shown per message.
const LARGEST: usize = 8 << 20;
const MOST: usize = 20;

pub struct Picture {
    names: Vec<String>,
    address: String,
}

pub fn are_shown(html: &str, opened: &Opened) -> bool {
    html.to_ascii_lowercase().contains("cid:") && opened.attachments.iter().any(is_picture)
}

/// Returns the pictures that the HTML can show. This reads the whole message.
pub fn of(tx: &mut Tx<'_>, team: TeamId, id: MessageId, opened: &Opened) -> Result<Vec<Picture>> {
    messages::find(tx, team, id)?;
    let shown: Vec<_> = opened.attachments.iter().filter(|each| is_picture(each)).take(MOST).collect();
    let Some(first) = shown.first() else { return Ok(Vec::new()) };
    let raw = contents::raw(tx, first.seq)?;
    let (mut pictures, mut left) = (Vec::new(), LARGEST);
    for each in shown {
        let part = usize::try_from(each.part).unwrap_or(usize::MAX);
        let bytes = parts::attachment(&raw, part).filter(|bytes| bytes.len() <= left);
        let Some(bytes) = bytes else { continue };
        let Some(kind) = kind_of(&bytes).or_else(|| declared_kind(&each.content_type)) else { continue };
        left -= bytes.len();
        let names =
            [&each.content_id, &each.name].into_iter().flatten().flat_map(|name| forms(name)).collect();
        pictures.push(Picture { names, address: format!("data:{kind};base64,{}", STANDARD.encode(bytes)) });
    }
    Ok(pictures)
}

/// A picture by its type, or a named file whose type says nothing.
fn is_picture(each: &Attachment) -> bool {
    let size = usize::try_from(each.size).unwrap_or(usize::MAX);
    let is_unknown = matches!(each.content_type.as_str(), "application/octet-stream" | "binary/octet-stream");
    let is_known = declared_kind(&each.content_type).is_some();
    let is_named = each.content_id.is_some() || is_known && each.name.is_some();
    (is_known || is_unknown) && is_named && size <= LARGEST
}

/// Under the name that browsers know. Not SVG, which is a document.
fn declared_kind(content_type: &str) -> Option<&'static str> {
    Some(match content_type.to_ascii_lowercase().as_str() {
        "image/png" | "image/x-png" | "image/apng" => "image/png",
        "image/jpeg" | "image/jpg" | "image/pjpeg" | "image/x-jpeg" | "image/jfif" => "image/jpeg",
        "image/gif" | "image/x-gif" => "image/gif",
        "image/webp" => "image/webp",
        "image/bmp" | "image/x-bmp" | "image/x-ms-bmp" | "image/x-windows-bmp" => "image/bmp",
        _ => return None,
    })
}

fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => "image/bmp",
        _ => return None,
    })
}

/// A name as it is written and as it is meant: some programs encode percent signs, some do not.
fn forms(name: &str) -> [String; 2] {
    let bare = |name: &str| name.trim_matches(|c: char| c == '<' || c == '>' || c.is_whitespace()).to_owned();
    [bare(name), bare(&percent_decode_str(name).decode_utf8_lossy())]
}

/// Inlines pictures into HTML from [`super::html::safe`]. A picture with an unknown name stays empty.
pub fn put_into(safe: &str, pictures: &[Picture]) -> String {
    const NAMED: &str = " src=\"cid:";
    let mut parts = safe.split(NAMED);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('"').unwrap_or((part, ""));
        let names = forms(&name.replace("&nbsp;", " ").replace("&amp;", "&"));
        let found =
            names.iter().find_map(|name| pictures.iter().find(|picture| picture.names.contains(name)));
        whole += &format!(" src=\"{}\"{rest}", found.map_or("data:,", |picture| &picture.address));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_written() {
        let picture = |name: &str| Picture {
            names: forms(name).to_vec(),
            address: "data:image/png;base64,eA==".into(),
        };
        let shown = "<img alt=\"A\" src=\"data:image/png;base64,eA==\"> and ";
        for (id, written) in [
            ("<a&b%1@c.test>", "a&amp;b%251@c.test"),
            ("<a%b@c.test>", "a%b@c.test"),
            ("a%20b@c.test", "a%20b@c.test"),
            ("a%20b@c.test", "a b@c.test"),
            ("<a b@c.test>", "a%20b@c.test"),
            ("<a@c.test>", "%3Ca@c.test%3E"),
        ] {
            let html = format!("<img alt=\"A\" src=\"cid:{written}\"> and ");
            assert_eq!(put_into(&html, &[picture(id)]), shown, "{id} {written}");
        }
        assert_eq!(put_into("<img src=\"cid:x\">", &[]), "<img src=\"data:,\">");
        assert_eq!(put_into("<p>cid:x</p>", &[]), "<p>cid:x</p>");
    }

    #[test]
    fn a_picture_is_known_by_its_bytes_or_its_type() {
        assert_eq!(kind_of(b"\x89PNG\r\n"), Some("image/png"));
        assert_eq!(kind_of(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(kind_of(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind_of(b"<svg>"), None);
        for kind in ["image/jpg", "IMAGE/PJPEG", "image/jpeg"] {
            assert_eq!(declared_kind(kind), Some("image/jpeg"));
        }
        assert_eq!(declared_kind("image/svg+xml"), None);
    }
}
