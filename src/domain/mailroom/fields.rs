//! The header of a raw message, field by field (RFC 5322, section 2.2).

/// The largest header of a message or of one of its parts, in bytes.
pub const LARGEST_HEADER: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'r> {
    /// The value is still folded.
    Named { name: &'r [u8], value: &'r [u8] },
    /// Neither a field nor a continuation.
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

/// Without space and tab before the colon, as RFC 5322 wants (section 4.5). Programs that end the
/// header there see fewer fields, but no other author. A form feed is part of the name to some.
fn name_before(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    &text[..end.map_or(0, |last| last + 1)]
}

/// Without space: some programs read `Fr om` as `From`.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

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
