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

const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

pub struct Picture {
    name: String,
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
        let (Some(bytes), Some(name)) = (bytes, &each.content_id) else { continue };
        left -= bytes.len();
        let address = format!("data:{};base64,{}", each.content_type.to_lowercase(), STANDARD.encode(bytes));
        pictures.push(Picture { name: bare(name), address });
    }
    Ok(pictures)
}

fn is_picture(each: &Attachment) -> bool {
    let size = usize::try_from(each.size).unwrap_or(usize::MAX);
    KINDS.contains(&&*each.content_type.to_lowercase()) && each.content_id.is_some() && size <= LARGEST
}

fn bare(name: &str) -> String {
    name.trim_matches(|c: char| c == '<' || c == '>' || c.is_whitespace()).to_owned()
}

/// Inlines pictures into HTML from [`super::html::safe`]. A picture with an unknown name stays empty.
pub fn put_into(safe: &str, pictures: &[Picture]) -> String {
    const NAMED: &str = " src=\"cid:";
    let mut parts = safe.split(NAMED);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('"').unwrap_or((part, ""));
        let name = percent_decode_str(name).decode_utf8_lossy().replace("&amp;", "&");
        let found = pictures.iter().find(|picture| picture.name == name);
        whole += &format!(" src=\"{}\"{rest}", found.map_or("data:,", |picture| &picture.address));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_written() {
        let picture = Picture { name: bare("<a&b%1@c.test>"), address: "data:image/png;base64,eA==".into() };
        let shown = "<img alt=\"A\" src=\"data:image/png;base64,eA==\"> and ";
        let html = "<img alt=\"A\" src=\"cid:a&amp;b%251@c.test\"> and ";
        assert_eq!(put_into(html, &[picture]), shown);
        assert_eq!(put_into("<img src=\"cid:x\">", &[]), "<img src=\"data:,\">");
        assert_eq!(put_into("<p>cid:x</p>", &[]), "<p>cid:x</p>");
    }
}
