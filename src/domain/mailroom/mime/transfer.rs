//! Decodes a Content-Transfer-Encoding (RFC 2045, section 6) piece by piece. An invalid byte affects only
//! itself.

use super::header::token;

/// The bytes of a message that are read at once. SQLite reads the whole message for each piece, so fewer
/// pieces are faster.
pub const PIECE: usize = 512 << 10;

/// The maximum length of white space that waits for the next piece.
const MAX_PENDING: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
    /// Quoted-printable in an encoded word, where all white space counts.
    QuotedWord,
}

impl Encoding {
    /// Reads the header field, in which some programs write comments or quotes.
    pub fn of(value: &[u8]) -> Self {
        let name = token(value).to_ascii_lowercase();
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.as_str() {
            "base64" => Self::Base64,
            "quotedprintable" => Self::QuotedPrintable,
            _ => Self::Plain,
        }
    }

    /// Returns the encoding that a part with this declared encoding really has, and where its encoded text
    /// ends. Mailing lists add plain footers to base64: the base64 ends before the first other line after
    /// padding or an empty line.
    pub fn detect(self, bytes: &[u8]) -> (Self, usize) {
        if self != Self::Base64 {
            return (self, bytes.len());
        }
        let (mut end, mut is_first, mut may_end) = (0, true, false);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = line.trim_ascii();
            if text.is_empty() {
                may_end = !is_first;
            } else {
                if is_first && is_prose(text) {
                    return (Self::Plain, bytes.len());
                }
                if may_end && !is_base64(text) {
                    return (self, end);
                }
                is_first = false;
                may_end = text.ends_with(b"=");
            }
            end += line.len();
        }
        (self, end)
    }
}

fn is_in_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

fn is_base64(line: &[u8]) -> bool {
    let letters = line.trim_ascii_end().iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    line[..letters].iter().all(|byte| is_in_base64(*byte))
        && (line.len().is_multiple_of(4) || line.len() > 48)
}

/// Whether the first line of declared base64 consists of words.
fn is_prose(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).peekable();
    words.next();
    words.peek().is_some() && words.any(|word| word.len() % 4 != 0)
}

/// Decodes the bytes of a part in order. The size of the pieces makes no difference.
#[derive(Clone, Debug)]
pub struct Decoder {
    encoding: Encoding,
    /// The end of the last piece, which can be decoded only together with the next one.
    pending: Vec<u8>,
    /// The bits and the number of characters of an unfinished base64 group.
    bits: u32,
    letters: u8,
}

impl Decoder {
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, pending: Vec::new(), bits: 0, letters: 0 }
    }

    pub fn whole(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        Self::new(encoding).push(bytes.to_vec(), true)
    }

    /// Returns the decoded bytes of this piece.
    pub fn push(&mut self, piece: Vec<u8>, is_last: bool) -> Vec<u8> {
        match self.encoding {
            Encoding::Plain => piece,
            Encoding::Base64 => self.base64(&piece, is_last),
            Encoding::QuotedPrintable | Encoding::QuotedWord => {
                let mut bytes = std::mem::take(&mut self.pending);
                bytes.extend_from_slice(&piece);
                let (decoded, end) = quoted(&bytes, self.encoding == Encoding::QuotedWord, is_last);
                self.pending = bytes.split_off(end);
                decoded
            }
        }
    }

    fn base64(&mut self, piece: &[u8], is_last: bool) -> Vec<u8> {
        let mut decoded = Vec::with_capacity(piece.len() / 4 * 3 + 3);
        for byte in piece {
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => {
                    self.end_group(&mut decoded);
                    continue;
                }
                _ => continue,
            };
            self.bits = self.bits << 6 | u32::from(six);
            self.letters += 1;
            if self.letters == 4 {
                decoded.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                (self.bits, self.letters) = (0, 0);
            }
        }
        if is_last {
            self.end_group(&mut decoded);
        }
        decoded
    }

    /// Ends an incomplete group: two characters are one byte, three are two.
    fn end_group(&mut self, decoded: &mut Vec<u8>) {
        let bytes = (self.bits << (6 * (4 - u32::from(self.letters)) % 24)).to_be_bytes();
        match self.letters {
            2 => decoded.push(bytes[1]),
            3 => decoded.extend_from_slice(&bytes[1..3]),
            _ => {}
        }
        (self.bits, self.letters) = (0, 0);
    }
}

/// Returns the decoded bytes and the start of the undecoded rest.
fn quoted(bytes: &[u8], is_word: bool, is_last: bool) -> (Vec<u8>, usize) {
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let blank = |from: usize| rest[from..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let (length, kept): (usize, &[u8]) = match rest {
            [b'=', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                decoded.push(hex(*a) << 4 | hex(*b));
                (3, b"")
            }
            [b'=', ..] if !is_word => match &rest[1 + blank(1)..] {
                [b'\n', ..] => (2 + blank(1), b""),
                [b'\r', b'\n', ..] => (3 + blank(1), b""),
                [] | [b'\r'] if is_last => (rest.len(), b""),
                [] | [_] | [_, _] if !is_last && rest.len() < MAX_PENDING => return (decoded, at),
                _ => (1, b"="),
            },
            [b'=', ..] if !is_last && rest.len() < 3 => return (decoded, at),
            // White space at the end of a line was added in transit.
            [b' ' | b'\t', ..] if !is_word => match &rest[blank(0)..] {
                [b'\n', ..] | [b'\r', b'\n', ..] => (blank(0), b""),
                [] | [b'\r'] if is_last => (blank(0), b""),
                [] | [b'\r'] if rest.len() < MAX_PENDING => return (decoded, at),
                _ => (blank(0), &rest[..blank(0)]),
            },
            _ => {
                let plain = rest.iter().take_while(|b| !matches!(b, b'=' | b' ' | b'\t')).count().max(1);
                (plain, &rest[..plain])
            }
        };
        decoded.extend_from_slice(kept);
        at += length;
    }
    (decoded, at)
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or_default() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(encoding: Encoding, bytes: &[u8], size: usize) -> Vec<u8> {
        let (mut decoder, mut whole) = (Decoder::new(encoding), Vec::new());
        let last = bytes.len().div_ceil(size).saturating_sub(1);
        for (number, piece) in bytes.chunks(size).enumerate() {
            whole.extend(decoder.push(piece.to_vec(), number == last));
        }
        whole
    }

    fn text(encoding: Encoding, bytes: &str) -> String {
        String::from_utf8(Decoder::whole(encoding, bytes.as_bytes())).unwrap()
    }

    #[test]
    fn pieces_of_any_size_decode_to_the_same() {
        let base64 = b"QUJD\r\nREVGRw==\r\n \t\r\nSEk=\r\nS\r\nk!t\r\nMTQ";
        let quoted = b"a=3D b =\r\n  c  \r\n=C3=\r\n=A4\r\n\r\n..  d =20\r\n= \t\r\n=e =ZZ =\rlast   ";
        for (encoding, bytes) in [(Encoding::Base64, &base64[..]), (Encoding::QuotedPrintable, quoted)] {
            let whole = in_pieces(encoding, bytes, bytes.len());
            for size in 1..bytes.len() {
                assert_eq!(in_pieces(encoding, bytes, size), whole, "{encoding:?} in pieces of {size}");
            }
        }
        assert_eq!(in_pieces(Encoding::Base64, base64, 3), b"ABCDEFGHIJKLM");
        assert_eq!(in_pieces(Encoding::Plain, quoted, 7), quoted);
    }

    #[test]
    fn an_invalid_byte_affects_only_itself() {
        for (bytes, whole) in [
            ("a=ZZ b=3", "a=ZZ b=3"),
            ("a==20b", "a= b"),
            ("=c3=a4= \r\nx  \r\ny=", "äx\r\ny"),
            ("100 % = all\r\n", "100 % = all\r\n"),
        ] {
            assert_eq!(text(Encoding::QuotedPrintable, bytes), whole, "{bytes}");
        }
        for (bytes, whole) in
            [("QU-J_D", "ABC"), ("QUJ", "AB"), ("Q", ""), ("QUJDR", "ABC"), ("QQ==QQ==", "AA")]
        {
            assert_eq!(text(Encoding::Base64, bytes), whole, "{bytes}");
        }
    }

    #[test]
    fn base64_ends_before_the_footer_of_a_list() {
        let found = |text: &str| {
            let (encoding, end) = Encoding::Base64.detect(text.as_bytes());
            (encoding, text[..end].to_owned())
        };
        for (text, end) in [
            ("QUJD\r\nQQ==\r\n_____\r\nA list\r\n", "QUJD\r\nQQ==\r\n"),
            ("QQ==\r\n\r\nTo leave, write to us.\r\n", "QQ==\r\n\r\n"),
            ("QUJD\r\n\r\n-- \r\nA list\r\n", "QUJD\r\n\r\n"),
            ("QQ==\r\nQUJD\r\nQQ==\r\n", "QQ==\r\nQUJD\r\nQQ==\r\n"),
            ("\r\nQU!D\r\n*QUJD\r\n", "\r\nQU!D\r\n*QUJD\r\n"),
        ] {
            assert_eq!(found(text), (Encoding::Base64, end.to_owned()));
        }
        assert_eq!(found("These are words.\r\n").0, Encoding::Plain);
    }

    #[test]
    fn encodings_are_named_in_many_ways() {
        for value in ["base64", " BASE64 (why)", "(why) base64", "\"base64\"", "base64;", "Base-64"] {
            assert_eq!(Encoding::of(value.as_bytes()), Encoding::Base64, "{value}");
        }
        assert_eq!(Encoding::of(b" quoted-printable (comment)"), Encoding::QuotedPrintable);
        for value in ["7bit", "8bit", "binary", "", "x-uuencode"] {
            assert_eq!(Encoding::of(value.as_bytes()), Encoding::Plain, "{value}");
        }
    }

    #[test]
    fn little_waits_for_the_next_piece() {
        let mut decoder = Decoder::new(Encoding::QuotedPrintable);
        decoder.push(b"a= ".to_vec(), false);
        for _ in 0..8 {
            decoder.push(vec![b' '; MAX_PENDING / 2], false);
            assert!(decoder.pending.len() <= MAX_PENDING);
        }
    }
}
