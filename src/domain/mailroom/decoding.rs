//! Decodes parts of a message piece by piece, as their bytes are read.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

/// Bytes of a message that are read at once. SQLite reads all of a message for each piece of it, so
/// fewer pieces are faster.
pub const PIECE: usize = 512 << 10;

/// White space in a row, or base64 without an end, that is kept back for the next piece.
const KEPT_BACK: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

/// Takes a part's bytes in order. The same bytes in the same pieces always decode alike.
#[derive(Clone, Debug)]
pub struct Decoder {
    encoding: Encoding,
    /// The end of the last piece, which means something only together with the next one.
    kept: Vec<u8>,
}

impl Decoder {
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, kept: Vec::new() }
    }

    /// What this piece adds; `None` when it isn't encoded as it should be.
    pub fn push(&mut self, piece: Vec<u8>, is_last: bool) -> Option<Vec<u8>> {
        if self.encoding == Encoding::Plain {
            return Some(piece);
        }
        let mut bytes = std::mem::take(&mut self.kept);
        bytes.extend_from_slice(&piece);
        let end = if is_last { bytes.len() } else { self.end(&bytes) };
        self.kept = bytes.split_off(end);
        match self.encoding {
            Encoding::Base64 => base64_decode(&bytes),
            _ => quoted_printable_decode(&bytes),
        }
    }

    /// Up to where the bytes can be decoded without those that follow.
    fn end(&self, bytes: &[u8]) -> usize {
        let end = match self.encoding {
            Encoding::Base64 => whole_groups(bytes),
            _ => (0..bytes.len()).rev().find(|at| ends_a_word(bytes, *at)).map_or(0, |at| at + 1),
        };
        if bytes.len() - end > KEPT_BACK { bytes.len() } else { end }
    }
}

/// The end of the last group of four characters, or of one that `=` ends sooner.
fn whole_groups(bytes: &[u8]) -> usize {
    let (mut characters, mut end) = (0, 0);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'=' => characters = 0,
            byte if byte.is_ascii_whitespace() => {}
            _ => characters = (characters + 1) % 4,
        }
        if characters == 0 {
            end = at + 1;
        }
    }
    end
}

/// Whether nothing that follows changes what this byte and those before it mean: white space
/// counts only when something follows it on its line, and `=` begins an escape of three.
fn ends_a_word(bytes: &[u8], at: usize) -> bool {
    let escapes = bytes[at.saturating_sub(2)..=at].contains(&b'=');
    match bytes[at] {
        b'\n' => true,
        byte => !byte.is_ascii_whitespace() && !escapes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(encoding: Encoding, bytes: &[u8], size: usize) -> Option<Vec<u8>> {
        let (mut decoder, mut whole) = (Decoder::new(encoding), Vec::new());
        let last = bytes.len().div_ceil(size).saturating_sub(1);
        for (number, piece) in bytes.chunks(size).enumerate() {
            whole.extend(decoder.push(piece.to_vec(), number == last)?);
        }
        Some(whole)
    }

    #[test]
    fn pieces_of_any_size_decode_to_the_same() {
        let base64 = b"QUJD\r\nREVGRw==\r\n \t\r\nSEk=\r\nS\r\nkt\r\nMTQ";
        let quoted = b"a=3D b =\r\n  c  \r\n=C3=\r\n=A4\r\n\r\n..  d =20\r\nlast   ";
        for (encoding, bytes) in [(Encoding::Base64, &base64[..]), (Encoding::QuotedPrintable, quoted)] {
            let whole = in_pieces(encoding, bytes, bytes.len());
            assert!(whole.is_some());
            for size in 1..bytes.len() {
                assert_eq!(in_pieces(encoding, bytes, size), whole, "{encoding:?} in pieces of {size}");
            }
        }
        assert_eq!(in_pieces(Encoding::Base64, base64, 3).as_deref(), Some(&b"ABCDEFGHIJKLM"[..]));
        assert_eq!(in_pieces(Encoding::Plain, quoted, 7).as_deref(), Some(&quoted[..]));
    }

    #[test]
    fn invalid_encodings_are_detected() {
        assert_eq!(in_pieces(Encoding::Base64, b"QUJD-_-_", 3), None);
        assert_eq!(in_pieces(Encoding::QuotedPrintable, b"a=ZZ b c d e", 4), None);
    }

    #[test]
    fn little_is_kept_back() {
        for (encoding, bytes) in
            [(Encoding::Base64, b"QQ  ".to_vec()), (Encoding::QuotedPrintable, b"a ".to_vec())]
        {
            let mut decoder = Decoder::new(encoding);
            decoder.push(bytes, false);
            for _ in 0..8 {
                decoder.push(vec![b' '; KEPT_BACK / 2], false);
                assert!(decoder.kept.len() <= KEPT_BACK, "{encoding:?}");
            }
        }
    }
}
