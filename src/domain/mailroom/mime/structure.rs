//! Finds the parts of a message line by line, in one pass (RFC 2046, section 5.1).

use super::header::{Header, is_empty_line, line_end};
use super::parameters::Parameterized;
use super::transfer::Encoding;

/// The maximum depth of nested multiparts, and the maximum number of parts. Further parts are only in the
/// raw message.
const MAX_DEPTH: usize = 50;
pub const MAX_PARTS: usize = 1000;
/// The maximum length of a boundary, which is compared with each line. RFC 2046 allows 70 characters.
const MAX_BOUNDARY: usize = 1000;

#[derive(Clone, Debug)]
pub struct Part<'r> {
    pub parent: Option<usize>,
    pub header: Header<'r>,
    pub content_type: Parameterized,
    pub encoding: Encoding,
    /// The place of its body in the message.
    pub start: usize,
    pub end: usize,
    /// The indexes of its parts, if it is a multipart.
    pub children: Vec<usize>,
}

impl Part<'_> {
    /// The type, like `text/plain`. A missing or invalid type counts as plain text, and so does a multipart
    /// without parts.
    pub fn kind(&self) -> &str {
        let kind = self.content_type.value.as_str();
        match kind.split_once('/') {
            Some(("multipart", _)) if self.children.is_empty() => "text/plain",
            Some((main, sub))
                if (TOP_LEVEL_TYPES.contains(&main) || main.starts_with("x-")) && is_token(sub) =>
            {
                kind
            }
            _ => "text/plain",
        }
    }

    pub fn is(&self, main: &str) -> bool {
        self.kind().split('/').next() == Some(main)
    }
}

/// Other types are mistakes, like `plain/text`.
const TOP_LEVEL_TYPES: [&str; 12] = [
    "text",
    "image",
    "audio",
    "video",
    "application",
    "multipart",
    "message",
    "font",
    "model",
    "example",
    "haptics",
    "chemical",
];

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&b))
}

/// Returns all parts in the order of their beginnings. The first one is the message itself.
pub fn read(raw: &[u8]) -> Vec<Part<'_>> {
    let mut reader = Reader { raw, parts: Vec::new(), open: Vec::new() };
    let mut at = reader.begin(0);
    while at < raw.len() {
        let end = line_end(raw, at);
        let found = reader.boundary_in(&raw[at..end]);
        match found {
            Some((depth, is_last)) => {
                reader.end_parts(depth, at);
                match is_last {
                    true => {
                        reader.open.truncate(depth);
                        at = end;
                    }
                    false if reader.parts.len() < MAX_PARTS => at = reader.begin(end),
                    false => break,
                }
            }
            None => at = end,
        }
    }
    reader.end_parts(0, raw.len());
    if let Some(message) = reader.parts.first_mut() {
        message.end = raw.len();
    }
    reader.parts
}

struct Open {
    part: usize,
    boundary: Vec<u8>,
}

struct Reader<'r> {
    raw: &'r [u8],
    parts: Vec<Part<'r>>,
    /// The multiparts around the current line, the outermost first.
    open: Vec<Open>,
}

impl<'r> Reader<'r> {
    /// Reads the header of a part and returns the start of its body.
    fn begin(&mut self, start: usize) -> usize {
        let header = Header::until(&self.raw[start..], |line| self.boundary_in(line).is_some());
        let body = start + header.body;
        let parent = self.open.last().map(|open| open.part);
        let mut content_type = Parameterized::of(header.first("Content-Type").unwrap_or_default());
        let is_digest =
            parent.is_some_and(|parent| self.parts[parent].content_type.value == "multipart/digest");
        if is_digest && content_type.value.is_empty() {
            content_type.value = "message/rfc822".into();
        }
        let encoding = header.first("Content-Transfer-Encoding").map_or(Encoding::Plain, Encoding::of);
        let part = self.parts.len();
        if let Some(parent) = parent {
            self.parts[parent].children.push(part);
        }
        if content_type.value.starts_with("multipart/") && self.open.len() < MAX_DEPTH {
            let named =
                content_type.octets("boundary").map(|(boundary, _)| boundary.trim_ascii_end().to_vec());
            let named = named.filter(|boundary| !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY);
            if let Some(boundary) = named.or_else(|| self.apparent_boundary(body)) {
                self.open.push(Open { part, boundary });
            }
        }
        self.parts.push(Part {
            parent,
            header,
            content_type,
            encoding,
            start: body,
            end: self.raw.len(),
            children: Vec::new(),
        });
        body
    }

    /// Guesses the boundary of a multipart that does not name it: its first line, if that looks like one.
    fn apparent_boundary(&self, body: usize) -> Option<Vec<u8>> {
        let mut at = body;
        while at < self.raw.len() && is_empty_line(&self.raw[at..line_end(self.raw, at)]) {
            at = line_end(self.raw, at);
        }
        let line = &self.raw[at..line_end(self.raw, at)];
        let boundary = line.strip_prefix(b"--")?.trim_ascii_end();
        let next = self.raw.get(at + line.len()..)?;
        let is_part = next.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case(b"content-"));
        let fits = !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY && self.boundary_in(line).is_none();
        (fits && is_part).then(|| boundary.to_vec())
    }

    /// If the line is a boundary, returns the depth of its multipart and whether it is the last boundary. The
    /// whole line must match, except for white space at its end.
    fn boundary_in(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = line.strip_prefix(b"--")?.trim_ascii_end();
        self.open.iter().enumerate().rev().find_map(|(depth, open)| {
            match line.strip_prefix(&open.boundary[..])? {
                b"" => Some((depth, false)),
                b"--" => Some((depth, true)),
                _ => None,
            }
        })
    }

    /// Ends all parts within the multipart at `depth` before the line at `at`. The line break before
    /// a boundary belongs to the boundary.
    fn end_parts(&mut self, depth: usize, at: usize) {
        let Some(outer) = self.open.get(depth).map(|open| open.part) else { return };
        let is_boundary = at < self.raw.len();
        let before = &self.raw[..at];
        let end = match is_boundary {
            true => before.strip_suffix(b"\r\n").or(before.strip_suffix(b"\n")).unwrap_or(before).len(),
            false => at,
        };
        let inner = self.open.get(depth + 1..).unwrap_or_default().iter().map(|open| open.part);
        let last = self.parts.len() - 1;
        for part in inner.chain((last > outer).then_some(last)) {
            let part = &mut self.parts[part];
            if part.end == self.raw.len() {
                // A boundary can follow the header directly: then its line break belongs to both.
                part.start = part.start.min(end);
                part.end = end;
            }
        }
        self.open.truncate(depth + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: &str = "Content-Type: multipart/mixed; boundary=m\r\n\r\n";
    const INNER: &str = "Content-Type: multipart/alternative; boundary=\"a b\"\r\n\r\n";

    /// The type and the body of each part that has none itself.
    fn parts(raw: &str) -> Vec<(String, String)> {
        let leaves = read(raw.as_bytes()).into_iter().filter(|part| part.children.is_empty());
        leaves.map(|part| (part.kind().to_owned(), raw[part.start..part.end].to_owned())).collect()
    }

    fn bodies(raw: &str) -> Vec<String> {
        parts(raw).into_iter().map(|(_, body)| body).collect()
    }

    #[test]
    fn parts_end_before_their_boundary() {
        let raw = format!(
            "{OUTER}preamble\r\n--m\r\n\r\none\r\n\r\n--m \t\r\nA: b\r\n\r\ntwo\r\n--m--\r\nepilogue\r\n"
        );
        assert_eq!(bodies(&raw), ["one\r\n", "two"]);
        assert_eq!(bodies(&format!("{OUTER}--m\r\n--m\r\nContent-Type: text/html\r\n--m--")), ["", ""]);
        assert_eq!(bodies(&format!("{OUTER}--m\n\none\n--m--\n").replace("\r\n", "\n")), ["one"]);
        assert_eq!(bodies("Subject: x\r\n\r\n--m\r\n"), ["--m\r\n"]);
    }

    #[test]
    fn a_boundary_is_a_whole_line() {
        let raw = format!("{OUTER}--m\r\n\r\nx --m\r\n--mm\r\n--m-\r\n -- m\r\n--m--x\r\n--m--");
        assert_eq!(bodies(&raw), ["x --m\r\n--mm\r\n--m-\r\n -- m\r\n--m--x"]);
    }

    #[test]
    fn unclosed_parts_end_at_the_outer_boundary_or_with_the_message() {
        let inner = format!("{INNER}--a b\r\n\r\none\r\n--a b\r\n\r\ntwo\r\n");
        assert_eq!(
            bodies(&format!("{OUTER}--m\r\n{inner}--m\r\n\r\nthree\r\n")),
            ["one", "two", "three\r\n"]
        );
        assert_eq!(bodies(&format!("{OUTER}--m\r\n{inner}--m--\r\n--a b\r\n\r\nx")), ["one", "two"]);
    }

    #[test]
    fn parts_without_a_readable_type_are_text() {
        for kind in [
            "",
            "Content-Type: text\r\n",
            "Content-Type: =?; charset\r\n",
            "Content-Type: /\r\n",
            "Content-Type: plain/text\r\n",
        ] {
            assert_eq!(
                parts(&format!("{kind}\r\nHello"))[0],
                ("text/plain".into(), "Hello".into()),
                "{kind}"
            );
        }
        for kind in ["multipart/mixed", "multipart/mixed; boundary=x", "multipart/mixed; boundary=\"\""] {
            assert_eq!(parts(&format!("Content-Type: {kind}\r\n\r\nHello"))[0].0, "text/plain", "{kind}");
        }
        let raw = "Content-Type: multipart/mixed\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\nHi\r\n--x--";
        assert_eq!(parts(raw), [("text/html".into(), "Hi".into())]);
    }

    #[test]
    fn messages_within_messages_are_not_opened() {
        let raw =
            "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n";
        assert_eq!(parts(raw).len(), 1);
        let digest = "Content-Type: multipart/digest; boundary=m\r\n\r\n--m\r\n\r\nSubject: x\r\n\r\n--m--";
        assert_eq!(parts(digest)[0].0, "message/rfc822");
    }

    #[test]
    fn hostile_shapes_are_limited() {
        let deep: String = (0..10_000)
            .map(|n| format!("--{n}\r\nContent-Type: multipart/x; boundary={}\r\n\r\n", n + 1))
            .collect();
        let deep = format!("Content-Type: multipart/x; boundary=0\r\n\r\n{deep}");
        assert!(read(deep.as_bytes()).len() <= MAX_DEPTH + 1);
        assert_eq!(read(format!("{OUTER}{}", "--m\r\n".repeat(100_000)).as_bytes()).len(), MAX_PARTS);
        let lines = format!("{OUTER}{}", "--\r\n--x\r\n".repeat(1 << 20));
        assert_eq!(read(lines.as_bytes()).len(), 1);
    }
}
