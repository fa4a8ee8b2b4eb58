//! Limits the headers of the parts of a message. The parser compares the parameters of a content type
//! with each other, so that a header of megabytes would keep it busy for a minute.
//!
//! This finds every place where the parser could begin to read a header: the start of the message,
//! and what follows any boundary that any content type names. A header that is too large is cut by
//! writing an empty line over it, and the rest is read as text. If a message has so many boundaries
//! that finding them would be expensive, only its beginning is read.

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::fields::LARGEST_HEADER;

/// The lines that this server adds to a message.
const OWN_LINES: usize = 4 << 10;
const ALL_PARTS: usize = 256 << 10;
/// Comparisons with boundaries, and bytes of content types read, per byte of a message.
const WORK: usize = 4;
const LEAST_WORK: usize = 1 << 20;
const EMPTY: &[u8; 2] = b"\n\n";

/// The message with limited headers: of the same length, or only its beginning.
pub fn bound(raw: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let work = (raw.len() * WORK).max(LEAST_WORK);
    let mut search = Search { raw, boundaries: Vec::new(), work };
    let mut at = search.header(0, LARGEST_HEADER + OWN_LINES);
    let mut left = ALL_PARTS;
    while let Some(start) = search.boundary(at, search.raw.len()) {
        at = search.header(start, left.min(LARGEST_HEADER));
        left = left.saturating_sub(at - start);
    }
    match (search.work, search.raw) {
        (1.., raw) => raw,
        (0, Cow::Borrowed(raw)) => Cow::Borrowed(&raw[..at]),
        (0, Cow::Owned(mut raw)) => {
            raw.truncate(at);
            Cow::Owned(raw)
        }
    }
}

struct Search<'r> {
    raw: Cow<'r, [u8]>,
    boundaries: Vec<Vec<u8>>,
    work: usize,
}

impl Search<'_> {
    /// Where the header that begins at `start` ends; cuts it after `most` bytes.
    fn header(&mut self, start: usize, most: usize) -> usize {
        let latest = start + most + EMPTY.len();
        let end = header_end(&self.raw[start..self.raw.len().min(latest)]).map(|length| start + length);
        let end = match end {
            Some(end) => end,
            None if latest < self.raw.len() => {
                self.raw.to_mut()[start + most..latest].copy_from_slice(EMPTY);
                latest
            }
            None => self.raw.len(),
        };
        let mut line = start;
        while line < end {
            self.learn(line, end);
            let next = memchr(b'\n', &self.raw[line..end]).map_or(end, |at| line + at + 1);
            // Within a line, the parser can come from a part that ends there.
            while let Some(part) = self.boundary(line, next) {
                // A boundary can hold line breaks, and reach beyond the header.
                let part = part.min(end);
                self.learn(part, end);
                line = part;
            }
            line = next;
        }
        end
    }

    fn boundary(&mut self, from: usize, until: usize) -> Option<usize> {
        let mut at = from;
        while self.work > 0 && !self.boundaries.is_empty() && at < until {
            at += memmem::find(&self.raw[at..until], b"--")? + 2;
            self.work = self.work.saturating_sub(self.boundaries.len());
            let rest = &self.raw[at..];
            if let Some(found) = self.boundaries.iter().find(|each| rest.starts_with(each)) {
                return Some(at + found.len());
            }
            // The last two of three hyphens can be those before a boundary.
            at -= 1;
        }
        None
    }

    /// Remembers the boundary of a content type at `start`, read as the parser does.
    fn learn(&mut self, start: usize, end: usize) {
        let field = &self.raw[start..end];
        let skipped = field.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b':')).count();
        let field = &field[skipped..];
        let Some(colon) = memchr2(b':', b'\n', field) else { return };
        self.work = self.work.saturating_sub(skipped + colon);
        if field[colon] == b'\n' || !is_content_type(&field[..colon]) || self.work == 0 {
            return;
        }
        let mut value = MessageStream::new(&field[colon + 1..]);
        let parsed = value.parse_content_type();
        self.work = self.work.saturating_sub(value.offset());
        if let HeaderValue::ContentType(kind) = parsed
            && kind.ctype() == "multipart"
            && let Some(boundary) = kind.attribute("boundary").filter(|boundary| !boundary.is_empty())
            && !self.boundaries.iter().any(|each| each == boundary.as_bytes())
        {
            self.boundaries.push(boundary.as_bytes().to_vec());
        }
    }
}

/// The end of the first empty line after the first line, which can be the rest of the one with the
/// boundary.
fn header_end(raw: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', raw).map(|at| at + 1).find_map(|start| match &raw[start..] {
        [b'\n', ..] => Some(start + 1),
        [b'\r', b'\n', ..] => Some(start + 2),
        _ => None,
    })
}

/// The parser ignores space in names.
fn is_content_type(name: &[u8]) -> bool {
    let letters = name.iter().filter(|byte| !byte.is_ascii_whitespace());
    letters.map(u8::to_ascii_lowercase).eq(b"content-type".iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

    fn bounded(raw: &str) -> String {
        let bounded = bound(Cow::Borrowed(raw.as_bytes()));
        String::from_utf8(bounded.into_owned()).unwrap()
    }

    /// Whether what a part's header says at its end is still read as a header.
    fn is_cut(raw: &str) -> bool {
        let bounded = bounded(raw);
        assert_eq!(bounded.len(), raw.len());
        bounded != raw
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        let text = "a line -- of text; with=signs --c\r\n".repeat(10_000);
        let part = format!("--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n");
        let raw = format!("Subject: x\r\n{KIND}{}--b--\r\n", part.repeat(100));
        assert!(
            matches!(bound(Cow::Borrowed(raw.as_bytes())), Cow::Borrowed(same) if same.len() == raw.len())
        );
    }

    #[test]
    fn a_large_header_of_a_part_is_cut() {
        let large = format!("Content-Type: text/plain{}\r\n\r\n", "; a=b".repeat(20_000));
        assert!(is_cut(&large));
        assert!(is_cut(&format!("{KIND}--b\r\n{large}--b--")));
        assert!(is_cut(&format!("{KIND}--b\r\n\r\nx\r\n--b {large}--b--")), "half-way in a line");
        for kind in [
            "content-type: multipart/mixed; boundary*0=\"x\"; boundary*1=b",
            "Con tent-Type : multipart/x; boundary=\"=?utf-8?q?x=62?=\"",
            ": content-type: multipart/mixed;\r\n boundary=xb",
            "X\r\n Content-Type: multipart/mixed; boundary=xb",
        ] {
            assert!(is_cut(&format!("{kind}\r\n\r\n--xb\r\n{large}--b--")), "{kind}");
        }
        let inner =
            format!("{KIND}--b\r\nX: --bContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n{large}");
        assert!(is_cut(&inner), "behind another boundary");
    }

    #[test]
    fn the_headers_of_all_parts_have_a_largest_size() {
        let part = |size| format!("--b\r\nX: {}\r\n\r\n", "x".repeat(size));
        assert!(!is_cut(&format!("{KIND}{}", part(60_000).repeat(4))));
        assert!(is_cut(&format!("{KIND}{}", part(60_000).repeat(5))));
    }

    #[test]
    fn the_search_for_boundaries_is_bounded() {
        let kinds: String =
            (0..3000).map(|n| format!("Content-Type: multipart/y; boundary={n}\r\n")).collect();
        let raw = format!("{kinds}\r\n{}", "-".repeat(1 << 20));
        assert!(bounded(&raw).len() < raw.len());
    }
}
