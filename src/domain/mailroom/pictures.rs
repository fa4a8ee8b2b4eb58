//! Pictures to which a message's HTML refers by `cid:` (RFC 2392). They are inlined, because the frame that
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

/// The maximum size in bytes and number of pictures shown per message.
const MAX_BYTES: usize = 8 << 20;
const MAX_PICTURES: usize = 20;

pub struct Picture {
    names: Vec<String>,
    address: String,
}

pub fn has_inline_pictures(html: &str, opened: &Opened) -> bool {
    html.to_ascii_lowercase().contains("cid:") && opened.attachments.iter().any(is_picture)
}

/// Returns the pictures that the HTML can show. This reads the whole message.
pub fn of(tx: &mut Tx<'_>, team: TeamId, id: MessageId, opened: &Opened) -> Result<Vec<Picture>> {
    messages::find(tx, team, id)?;
    let shown: Vec<_> =
        opened.attachments.iter().filter(|each| is_picture(each)).take(MAX_PICTURES).collect();
    let Some(first) = shown.first() else { return Ok(Vec::new()) };
    let raw = contents::raw(tx, first.seq)?;
    let (mut pictures, mut remaining) = (Vec::new(), MAX_BYTES);
    for each in shown {
        let part = usize::try_from(each.part).unwrap_or(usize::MAX);
        let bytes = parts::attachment(&raw, part).filter(|bytes| bytes.len() <= remaining);
        let Some(bytes) = bytes else { continue };
        let Some(kind) = kind_of(&bytes).or_else(|| declared_kind(&each.content_type)) else { continue };
        remaining -= bytes.len();
        let names =
            [&each.content_id, &each.name].into_iter().flatten().flat_map(|name| spellings(name)).collect();
        pictures.push(Picture { names, address: format!("data:{kind};base64,{}", STANDARD.encode(bytes)) });
    }
    Ok(pictures)
}

/// Whether the type is a picture's, or unknown for a file with a Content-ID.
fn is_picture(each: &Attachment) -> bool {
    let size = usize::try_from(each.size).unwrap_or(usize::MAX);
    let is_unknown = matches!(each.content_type.as_str(), "application/octet-stream" | "binary/octet-stream");
    let is_known = declared_kind(&each.content_type).is_some();
    let is_named = each.content_id.is_some() || is_known && each.name.is_some();
    (is_known || is_unknown) && is_named && size <= MAX_BYTES
}

/// Returns the type that browsers know. Excludes SVG, which is a document.
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

/// Returns the name as written and percent-decoded, because some programs encode names and some don't.
fn spellings(name: &str) -> [String; 2] {
    let bare = |name: &str| name.trim_matches(|c: char| c == '<' || c == '>' || c.is_whitespace()).to_owned();
    [bare(name), bare(&percent_decode_str(name).decode_utf8_lossy())]
}

/// Inlines pictures into HTML from [`super::html::safe`]. A picture with an unknown name stays empty.
pub fn inline(safe: &str, pictures: &[Picture]) -> String {
    const NAMED: &str = " src=\"cid:";
    let mut parts = safe.split(NAMED);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('"').unwrap_or((part, ""));
        let names = spellings(&name.replace("&nbsp;", " ").replace("&amp;", "&"));
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
    fn pictures_are_found_by_any_spelling_of_their_name() {
        let picture = |name: &str| Picture {
            names: spellings(name).to_vec(),
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
            assert_eq!(inline(&html, &[picture(id)]), shown, "{id} {written}");
        }
        assert_eq!(inline("<img src=\"cid:x\">", &[]), "<img src=\"data:,\">");
        assert_eq!(inline("<p>cid:x</p>", &[]), "<p>cid:x</p>");
    }

    #[test]
    fn a_picture_is_recognized_by_its_bytes_or_its_type() {
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
