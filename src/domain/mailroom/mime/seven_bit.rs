//! Decodes East Asian 7-bit charsets, which switch between alphabets (RFC 1468, 1554, 1557, 1843, 1922). The
//! bytes are first converted to the 8-bit charset with the same alphabets.

use encoding_rs::{EUC_JP, EUC_KR, GBK};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SevenBit {
    Japanese,
    Korean,
    Chinese,
    Hz,
}

const ESC: u8 = 0x1b;
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

/// The alphabet of the bytes after a switch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Ascii,
    TwoBytes,
    /// Half-width katakana, one byte each.
    Kana,
    /// The rarer characters of JIS X 0212.
    Supplement,
}

/// Guesses the charset by the first switch to a two-byte alphabet. `None` if there is no switch.
pub fn detect(bytes: &[u8]) -> Option<SevenBit> {
    let first = memchr::memmem::find(bytes, &[ESC, b'$'])?;
    Some(match &bytes[first + 2..] {
        [b')', b'C', ..] => SevenBit::Korean,
        [b')', b'A' | b'E' | b'G', ..] => SevenBit::Chinese,
        _ => SevenBit::Japanese,
    })
}

impl SevenBit {
    pub fn decode(self, bytes: &[u8]) -> String {
        let (eight, encoding) = match self {
            Self::Japanese => (japanese(bytes), EUC_JP),
            Self::Korean => (shifted(bytes), EUC_KR),
            Self::Chinese => (shifted(bytes), GBK),
            Self::Hz => (hz(bytes), GBK),
        };
        encoding.decode_without_bom_handling(&eight).0.into_owned()
    }
}

/// Reads an escape sequence. Returns its alphabet and its length.
fn escape(rest: &[u8]) -> Option<(Alphabet, usize)> {
    Some(match rest {
        [ESC, b'$', b'(', b'D', ..] => (Alphabet::Supplement, 4),
        [ESC, b'$', b'(' | b')', ..] => (Alphabet::TwoBytes, 4),
        [ESC, b'$', _, ..] => (Alphabet::TwoBytes, 3),
        [ESC, b'(', b'I', ..] => (Alphabet::Kana, 3),
        [ESC, b'(', _, ..] => (Alphabet::Ascii, 3),
        _ => return None,
    })
}

fn japanese(bytes: &[u8]) -> Vec<u8> {
    let (mut eight, mut alphabet, mut at) = (Vec::with_capacity(bytes.len()), Alphabet::Ascii, 0);
    while at < bytes.len() {
        if let Some((next, length)) = escape(&bytes[at..]) {
            (alphabet, at) = (next, (at + length).min(bytes.len()));
            continue;
        }
        let two = bytes.get(at + 1).filter(|_| (0x21..0x7f).contains(&bytes[at]));
        match (alphabet, two) {
            (Alphabet::TwoBytes, Some(second)) => eight.extend([bytes[at] | 0x80, second | 0x80]),
            (Alphabet::Supplement, Some(second)) => eight.extend([0x8f, bytes[at] | 0x80, second | 0x80]),
            (Alphabet::Kana, _) if bytes[at] > b' ' => eight.extend([0x8e, bytes[at] | 0x80]),
            _ => {
                eight.push(bytes[at]);
                at += 1;
                continue;
            }
        }
        at += if alphabet == Alphabet::Kana { 1 } else { 2 };
    }
    eight
}

/// Korean and Chinese text selects its alphabet once, and then shifts in and out of it. Each line starts in
/// ASCII.
fn shifted(bytes: &[u8]) -> Vec<u8> {
    let (mut eight, mut is_out, mut at) = (Vec::with_capacity(bytes.len()), false, 0);
    while let Some(&byte) = bytes.get(at) {
        if let Some((_, length)) = escape(&bytes[at..]) {
            at += length;
            continue;
        }
        match byte {
            SHIFT_OUT => is_out = true,
            SHIFT_IN => is_out = false,
            b'\n' => {
                is_out = false;
                eight.push(byte);
            }
            _ if is_out && byte > b' ' => eight.push(byte | 0x80),
            _ => eight.push(byte),
        }
        at += 1;
    }
    eight
}

fn hz(bytes: &[u8]) -> Vec<u8> {
    let (mut eight, mut is_out, mut at) = (Vec::with_capacity(bytes.len()), false, 0);
    while at < bytes.len() {
        let (length, kept): (usize, &[u8]) = match &bytes[at..] {
            [b'~', b'{', ..] => {
                is_out = true;
                (2, b"")
            }
            [b'~', b'}', ..] => {
                is_out = false;
                (2, b"")
            }
            [b'~', b'~', ..] if !is_out => (2, b"~"),
            [b'~', b'\n', ..] => (2, b""),
            [b'~', b'\r', b'\n', ..] => (3, b""),
            rest => (1, &rest[..1]),
        };
        is_out &= kept != b"\n";
        eight.extend(kept.iter().map(|byte| if is_out && *byte > b' ' { byte | 0x80 } else { *byte }));
        at += length;
    }
    eight
}

#[cfg(test)]
mod tests {
    use super::SevenBit::*;

    #[test]
    fn alphabets_are_switched() {
        for (kind, bytes, text) in [
            (Japanese, &b"a\x1b$B$\"\x1b(Bb"[..], "aあb"),
            (Japanese, b"\x1b$@$\"\x1b(J\\\x1b(I1\x1b(B.", "あ\\ｱ."),
            (Japanese, b"\x1b$B-!", "①"),
            (Japanese, b"\x1b$B$", "$"),
            (Korean, b"\x1b$)C\x0e9h\x0f a\n\x0e9h\nb", "배 a\n배\nb"),
            (Chinese, b"\x1b$)A\x0eDc\x0f.", "你."),
            (Hz, b"a~{Dc~}b~~~\nc~{Dc\nd", "a你b~c你\nd"),
        ] {
            assert_eq!(kind.decode(bytes), text, "{bytes:?}");
        }
    }
}
