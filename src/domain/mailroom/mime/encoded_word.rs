//! Decodes text in headers: encoded words (RFC 2047), and raw 8-bit text, whose charset is unknown.

use memchr::{memchr, memmem};

use super::charset::Charset;
use super::header::{MAX_HEADER, unfold};
use super::seven_bit::{self, SevenBit};
use super::transfer::{Decoder, Encoding};

/// Converts a value to text without decoding its encoded words. `body` is the charset of the message's text;
/// bytes that are not UTF-8 are decoded with it.
pub fn raw_text(value: &[u8], body: Charset) -> String {
    let value = unfold(&value[..value.len().min(MAX_HEADER)]);
    match String::from_utf8(value) {
        Ok(text) => match seven_bit(text.as_bytes(), body) {
            Some(kind) => kind.decode(text.as_bytes()),
            None => text,
        },
        Err(error) => {
            let text = body.decode(error.as_bytes());
            // The header is not in the charset of the body.
            if text.contains('\u{fffd}') { Charset::Guess.decode(error.as_bytes()) } else { text }
        }
    }
}

/// HZ has no escape sequence, and its switches are ordinary characters, so it is only used if the body uses it.
fn seven_bit(value: &[u8], body: Charset) -> Option<SevenBit> {
    let is_hz = matches!(body, Charset::SevenBit(SevenBit::Hz)) && memmem::find(value, b"~{").is_some();
    if is_hz { Some(SevenBit::Hz) } else { seven_bit::detect(value) }
}

/// Decodes an unstructured value, like a subject.
pub fn text_of(value: &[u8], body: Charset) -> String {
    decode(&raw_text(value, body))
}

struct Word<'t> {
    charset: &'t str,
    is_base64: bool,
    text: &'t str,
    length: usize,
}

/// The maximum length of the text in an encoded word. RFC 2047 allows 75 characters for the whole word.
const MAX_TEXT: usize = 4 << 10;

/// Parses the encoded word at the start of a text. Some programs also write them in quotes, next to other
/// text without a space between, or with spaces in them.
fn word(text: &str) -> Option<Word<'_>> {
    let inner = text.strip_prefix("=?")?;
    let (charset, rest) = inner.split_at(memchr(b'?', &inner.as_bytes()[..inner.len().min(80)])?);
    let is_base64 = match rest.as_bytes() {
        [b'?', b'B' | b'b', b'?', ..] => true,
        [b'?', b'Q' | b'q', b'?', ..] => false,
        _ => return None,
    };
    let content = &rest[3..rest.floor_char_boundary(3 + MAX_TEXT)];
    let mut end = content.find("?=")?;
    if content[..end].find("=?").is_some_and(|next| starts_word(&content[next..])) {
        return None;
    }
    // In `=?utf-8?q?a?=C3=A4?=` the first `?=` does not end the word: its question mark should be encoded.
    if !is_base64 && starts_encoded_byte(&content.as_bytes()[end + 1..]) {
        let more = content[end + 2..].split(char::is_whitespace).next().unwrap_or_default();
        end += more.find("?=").map_or(0, |further| further + 2);
    }
    let charset = charset.split('*').next().unwrap_or_default();
    if charset.is_empty() || charset.contains(char::is_whitespace) {
        return None;
    }
    let length = text.len() - rest.len() + 3 + end + 2;
    Some(Word { charset, is_base64, text: &content[..end], length })
}

fn starts_word(text: &str) -> bool {
    let mut parts = text[2..].splitn(3, '?');
    let (charset, encoding) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    !charset.is_empty() && charset.len() < 80 && matches!(encoding, "B" | "b" | "Q" | "q")
}

/// Whether the text starts with an encoded byte, like `=C3`.
fn starts_encoded_byte(bytes: &[u8]) -> bool {
    matches!(bytes, [b'=', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}

/// Joins the bytes of adjacent words with the same charset before they are decoded, because many programs
/// split a character between two words, although RFC 2047 forbids it.
#[derive(Default)]
struct Joined {
    charset: String,
    octets: Vec<u8>,
    /// The same, if a word continues the base64 of the word before it.
    continued: Vec<u8>,
    base64: String,
}

impl Joined {
    fn push(&mut self, word: &Word<'_>) {
        if word.is_base64 {
            self.octets.extend(Decoder::whole(Encoding::Base64, word.text.as_bytes()));
            self.base64.push_str(word.text);
        } else {
            self.end_base64();
            let octets = Decoder::whole(Encoding::QuotedWord, word.text.replace('_', " ").as_bytes());
            self.continued.extend_from_slice(&octets);
            self.octets.extend(octets);
        }
    }

    fn end_base64(&mut self) {
        let base64 = std::mem::take(&mut self.base64);
        self.continued.extend(Decoder::whole(Encoding::Base64, base64.as_bytes()));
    }

    fn flush(&mut self, text: &mut String) {
        self.end_base64();
        let (octets, continued) = (std::mem::take(&mut self.octets), std::mem::take(&mut self.continued));
        if octets.is_empty() && continued.is_empty() {
            return;
        }
        let charset = Charset::of(&self.charset);
        let separate = charset.decode(&octets);
        let is_broken = separate.contains('\u{fffd}') && octets != continued;
        let whole = is_broken.then(|| charset.decode(&continued)).filter(|whole| !whole.contains('\u{fffd}'));
        text.push_str(&whole.unwrap_or(separate));
    }
}

pub fn decode(raw: &str) -> String {
    if !raw.contains("=?") {
        return raw.to_owned();
    }
    let (mut text, mut joined) = (String::with_capacity(raw.len()), Joined::default());
    let (mut rest, mut is_after_word) = (raw, false);
    while let Some(at) = rest.find("=?") {
        let Some(word) = word(&rest[at..]) else {
            joined.flush(&mut text);
            text.push_str(&rest[..at + 2]);
            (rest, is_after_word) = (&rest[at + 2..], false);
            continue;
        };
        let between = &rest[..at];
        let is_adjacent = is_after_word && between.chars().all(char::is_whitespace);
        if !(is_adjacent && joined.charset.eq_ignore_ascii_case(word.charset)) {
            joined.flush(&mut text);
            joined.charset = word.charset.to_owned();
        }
        if !is_adjacent {
            text.push_str(between);
        }
        joined.push(&word);
        (rest, is_after_word) = (&rest[at + word.length..], true);
    }
    joined.flush(&mut text);
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded() {
        for (raw, text) in [
            ("=?utf-8?q?J=C3=B6rg?= x", "Jörg x"),
            ("=?UTF-8*de?B?R3LDvMOfZQ==?=", "Grüße"),
            ("a =?utf-8?q?b?= =?utf-8?q?c?= d", "a bc d"),
            ("=?utf-8?q?b_?=\t=?iso-8859-1?q?=E4?=", "b ä"),
            ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
            ("=?utf-8?b?w6Q?= =?utf-8?B?w6Q=?=", "ää"),
            ("=?utf-8?b?w?= =?utf-8?B?6Q=?=", "ä"),
            ("=?utf-8?q?=C3?= =?utf-8?b?pA==?=", "ä"),
            ("x=?utf-8?q?=C3=A4?=y", "xäy"),
            ("=?utf-8?q?a b?=", "a b"),
            ("=?utf-8?q?why?=C3=A4?=", "why?ä"),
            ("=?utf-8?q?=E4=ZZ=3?=", "\u{fffd}=ZZ=3"),
            ("=?utf-8?x?a?= =? =?=", "=?utf-8?x?a?= =? =?="),
            ("=?utf-8?q?open =?utf-8?q?b?=", "=?utf-8?q?open b"),
            ("=?iso-2022-jp?B?GyRCRU8bKEI=?= =?iso-2022-jp?B?GyRCJDcbKEI=?=", "渡し"),
            ("1 =?= 2", "1 =?= 2"),
        ] {
            assert_eq!(decode(raw), text, "{raw}");
        }
    }

    #[test]
    fn raw_text_has_the_charset_of_the_body() {
        let text = |value: &[u8], body| text_of(value, Charset::of(body));
        assert_eq!(text(b"\xc3\xa4", "koi8-r"), "ä");
        assert_eq!(text(b"\xe4", "us-ascii"), "ä");
        assert_eq!(text(b"\xe4", "utf-8"), "ä");
        assert_eq!(text(b"\xc1", "koi8-r"), "а");
        assert_eq!(text(b"\xc4\xe3", "gb2312"), "你");
        assert_eq!(text(b"a\r\n \x1b$B$\"\x1b(B", "us-ascii"), "a あ");
        assert_eq!(text(b"\x1b$)C\x0e9h\x0f a", "us-ascii"), "배 a");
        assert_eq!(text(b"\x1b$)A\x0eDc\x0f a", "utf-8"), "你 a");
        assert_eq!(text(b"~{Dc~} a", "hz-gb-2312"), "你 a");
        assert_eq!(text(b"~{Dc~} a", "utf-8"), "~{Dc~} a");
    }
}
