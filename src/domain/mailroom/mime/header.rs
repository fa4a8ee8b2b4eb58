//! Reads the header of a message or of one of its parts, field by field (RFC 5322, section 2.2).

use memchr::memchr;

/// The maximum size of a message's header, in bytes.
pub const MAX_HEADER: usize = 64 << 10;

/// Further fields are ignored. The header of a message never has so many.
const MAX_FIELDS: usize = MAX_HEADER / 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'r> {
    /// The value is still folded.
    Named { name: &'r [u8], value: &'r [u8] },
    /// Neither a field nor a continuation line.
    Malformed,
}

pub struct Fields<'r> {
    raw: &'r [u8],
    pub read: usize,
}

impl<'r> Fields<'r> {
    pub fn of(raw: &'r [u8]) -> Self {
        Self { raw, read: 0 }
    }
}

/// Returns the end of the line at `start`, after its line break.
pub fn line_end(raw: &[u8], start: usize) -> usize {
    memchr(b'\n', &raw[start..]).map_or(raw.len(), |at| start + at + 1)
}

pub fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"" | b"\n" | b"\r\n")
}

impl<'r> Iterator for Fields<'r> {
    type Item = Field<'r>;

    fn next(&mut self) -> Option<Field<'r>> {
        let (start, first) = (self.read, line_end(self.raw, self.read));
        if is_empty_line(&self.raw[start..first]) {
            return None;
        }
        let mut end = first;
        while matches!(self.raw.get(end), Some(b' ' | b'\t')) {
            end = line_end(self.raw, end);
        }
        self.read = end;
        let colon = memchr(b':', &self.raw[start..first]);
        Some(match colon.map(|colon| start + colon) {
            Some(colon) if is_name(name_before(&self.raw[start..colon])) => {
                Field::Named { name: name_before(&self.raw[start..colon]), value: &self.raw[colon + 1..end] }
            }
            _ => Field::Malformed,
        })
    }
}

/// Removes spaces and tabs before the colon (RFC 5322, section 4.5). Programs that end the header at such
/// a line see fewer fields, but never another author. A form feed stays, because some programs take it
/// for a part of the name.
fn name_before(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    &text[..end.map_or(0, |last| last + 1)]
}

/// A name has no spaces: some programs read `Fr om` as `From`.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// The fields of a header. It ends with an empty line, or before the first line that is not part of a
/// field.
#[derive(Clone, Debug, Default)]
pub struct Header<'r> {
    pub fields: Vec<(&'r [u8], &'r [u8])>,
    /// The start of the body.
    pub body: usize,
}

impl<'r> Header<'r> {
    pub fn of(raw: &'r [u8]) -> Self {
        Self::until(raw, |_| false)
    }

    /// Like [`Header::of`], but also ends before the first line that `ends` accepts.
    pub fn until(raw: &'r [u8], ends: impl Fn(&[u8]) -> bool) -> Self {
        let (mut all, mut header) = (Fields::of(raw), Self::default());
        loop {
            let start = all.read;
            let line = &raw[start..line_end(raw, start)];
            header.body = start;
            if ends(line) {
                return header;
            }
            match all.next() {
                Some(Field::Named { name, value }) if header.fields.len() < MAX_FIELDS => {
                    header.fields.push((name, value));
                }
                Some(Field::Named { .. }) => {}
                // Mailbox files put this line before each message.
                Some(Field::Malformed) if start == 0 && line.starts_with(b"From ") => {}
                Some(Field::Malformed) => return header,
                None => {
                    header.body = start + line.len();
                    return header;
                }
            }
        }
    }

    pub fn first(&self, name: &str) -> Option<&'r [u8]> {
        self.all(name).next()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let named = |(each, _): &&(&'r [u8], &'r [u8])| each.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(named).map(|(_, value)| *value)
    }
}

/// Removes the line breaks of a folded value, but not the white space after them.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

/// Removes parameters, comments, quotes and spaces from a value.
pub fn token(value: &[u8]) -> String {
    let (mut depth, mut token) = (0_usize, String::new());
    for byte in value {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => break,
            b'!'..=b'~' if depth == 0 && !matches!(byte, b'"' | b'\\') => token.push(char::from(*byte)),
            _ => {}
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(raw: &[u8]) -> Vec<(&[u8], &[u8])> {
        Header::of(raw).fields
    }

    #[test]
    fn a_header_ends_with_an_empty_line() {
        let raw = b"Subject: a\r\n b\r\n \r\nFrom : x\r\n\r\nTo: y\r\n";
        assert_eq!(named(raw), [(&b"Subject"[..], &b" a\r\n b\r\n \r\n"[..]), (b"From", b" x\r\n")]);
        assert_eq!(&raw[Header::of(raw).body..], b"To: y\r\n");
        assert!(named(b"\r\nFrom: x").is_empty());
        assert_eq!(named(b"From: x"), [(&b"From"[..], &b" x"[..])]);
    }

    #[test]
    fn a_line_that_is_no_field_begins_the_body() {
        let raw = b"Content-Type: text/plain\r\nHello: you\r\nand more\r\n\r\nx";
        let header = Header::of(raw);
        assert_eq!((header.fields.len(), &raw[header.body..]), (2, &b"and more\r\n\r\nx"[..]));
        assert_eq!(named(b"From a@x.test Mon\r\nTo: y\r\n\r\n").len(), 1);
        let header = Header::until(b"A: b\r\n--x\r\nC: d\r\n", |line| line == b"--x\r\n");
        assert_eq!((header.fields.len(), header.body), (1, 6));
    }

    #[test]
    fn other_lines_are_malformed() {
        for line in [
            "no field",
            " From: x",
            "\tx",
            ": x",
            "Fr om: x",
            "Fr\0om: x",
            "From\x0c: x",
            "From\x0b : x",
            "Fröm: x",
            ">From: x",
            "From bob Mon 12:00",
        ] {
            let malformed = line != ">From: x";
            let found = Fields::of(line.as_bytes()).next();
            assert_eq!(found == Some(Field::Malformed), malformed, "{line}: {found:?}");
        }
    }
}
