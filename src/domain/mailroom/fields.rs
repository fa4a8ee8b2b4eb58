//! The header of a raw message, field by field (RFC 5322, section 2.2), before any parser has
//! read it.

/// The largest header of a message, or of one of its parts, that is read, in bytes.
pub const LARGEST_HEADER: usize = 64 << 10;

/// A line, with those that continue it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'r> {
    /// The value is still folded.
    Named { name: &'r [u8], value: &'r [u8] },
    /// Neither a field nor the continuation of one.
    Malformed,
}

/// Up to the first empty line.
pub struct Fields<'r> {
    raw: &'r [u8],
    /// Bytes that were read.
    pub read: usize,
}

impl<'r> Fields<'r> {
    pub fn of(raw: &'r [u8]) -> Self {
        Self { raw, read: 0 }
    }

    /// Bytes up to the end of the line that begins at `start`.
    fn line(&self, start: usize) -> usize {
        let rest = &self.raw[start..];
        start + rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1)
    }
}

impl<'r> Iterator for Fields<'r> {
    type Item = Field<'r>;

    fn next(&mut self) -> Option<Field<'r>> {
        let (start, first) = (self.read, self.line(self.read));
        if matches!(&self.raw[start..first], b"" | b"\n" | b"\r\n") {
            return None;
        }
        let mut end = first;
        while matches!(self.raw.get(end), Some(b' ' | b'\t')) {
            end = self.line(end);
        }
        self.read = end;
        let colon = self.raw[start..first].iter().position(|byte| *byte == b':');
        Some(match colon.map(|colon| start + colon) {
            Some(colon) if is_name(name_before(&self.raw[start..colon])) => {
                Field::Named { name: name_before(&self.raw[start..colon]), value: &self.raw[colon + 1..end] }
            }
            _ => Field::Malformed,
        })
    }
}

/// Space before the colon is left out: RFC 5322 wants it to be taken (section 4.5), and readers
/// that do not take it end the header there, which shows them fewer fields but no other author.
/// That is space and tab only: other readers take a form feed for a part of the name.
fn name_before(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    &text[..end.map_or(0, |last| last + 1)]
}

/// Space within a name makes it another one to some: they read `Fr om` as `From`.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// The fields that are well formed.
pub fn named(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    Fields::of(raw).filter_map(|field| match field {
        Field::Named { name, value } => Some((name, value)),
        Field::Malformed => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_with_an_empty_line() {
        let raw = b"Subject: a\r\n b\r\n \r\nFrom : x\r\n\r\nTo: y\r\n";
        let all: Vec<_> = named(raw).collect();
        assert_eq!(all, [(&b"Subject"[..], &b" a\r\n b\r\n \r\n"[..]), (b"From", b" x\r\n")]);
        assert_eq!(named(b"\r\nFrom: x").count(), 0);
        assert_eq!(named(b"From: x").next(), Some((&b"From"[..], &b" x"[..])));
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
