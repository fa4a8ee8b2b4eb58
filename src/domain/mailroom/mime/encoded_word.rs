//! Text in headers: encoded words (RFC 2047), and raw text of eight bits, which has no charset of
//! its own.

use memchr::memchr;

use super::charset::Charset;
use super::header::{LARGEST_HEADER, unfold};
use super::seven_bit::{SevenBit, is_shifted};
use super::transfer::{Decoder, Encoding};

/// A value as text, still with what encoded words in it say. `body` is the charset of the message's
/// text, for bytes that are not UTF-8.
pub fn raw_text(value: &[u8], body: Charset) -> String {
    let value = unfold(&value[..value.len().min(LARGEST_HEADER)]);
    match String::from_utf8(value) {
        Ok(text) if is_shifted(text.as_bytes()) => SevenBit::Japanese.decode(text.as_bytes()),
        Ok(text) => text,
        Err(error) => {
            let text = body.decode(error.as_bytes());
            // UTF-8 with an error in it, from a program that says UTF-8.
            if text.contains('\u{fffd}') { Charset::Guess.decode(error.as_bytes()) } else { text }
        }
    }
}

/// The text of an unstructured value, such as a subject.
pub fn text_of(value: &[u8], body: Charset) -> String {
    decode(&raw_text(value, body))
}

struct Word<'t> {
    charset: &'t str,
    is_base64: bool,
    text: &'t str,
    length: usize,
}

/// The longest text of one word that is looked at: far more than is allowed.
const LONGEST: usize = 4 << 10;

/// The encoded word at the start of a text. Programs also write them within quotes, glued to other
/// text, or with spaces in them.
fn word(text: &str) -> Option<Word<'_>> {
    let inner = text.strip_prefix("=?")?;
    let (charset, rest) = inner.split_at(memchr(b'?', &inner.as_bytes()[..inner.len().min(80)])?);
    let is_base64 = match rest.as_bytes() {
        [b'?', b'B' | b'b', b'?', ..] => true,
        [b'?', b'Q' | b'q', b'?', ..] => false,
        _ => return None,
    };
    let content = &rest[3..rest.floor_char_boundary(3 + LONGEST)];
    let mut end = content.find("?=")?;
    if content[..end].find("=?").is_some_and(|next| word_begins(&content[next..])) {
        return None;
    }
    // `=?utf-8?q?a?=C3=A4?=`: a question mark that should have been encoded.
    if !is_base64 && is_code(&content.as_bytes()[end + 1..]) {
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

fn word_begins(text: &str) -> bool {
    let mut parts = text[2..].splitn(3, '?');
    let (charset, encoding) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    !charset.is_empty() && charset.len() < 80 && matches!(encoding, "B" | "b" | "Q" | "q")
}

/// Whether this is `=` and two digits of a code, and not the end of a word.
fn is_code(bytes: &[u8]) -> bool {
    matches!(bytes, [b'=', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
}

/// Words of one charset side by side are joined before they are decoded: many programs part
/// characters between them, although they must not.
#[derive(Default)]
struct Joined {
    charset: String,
    octets: Vec<u8>,
    /// The same, if base64 of one word goes on in the next.
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
        let apart = charset.decode(&octets);
        let is_broken = apart.contains('\u{fffd}') && octets != continued;
        let whole = is_broken.then(|| charset.decode(&continued)).filter(|whole| !whole.contains('\u{fffd}'));
        text.push_str(&whole.unwrap_or(apart));
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
    }
}
