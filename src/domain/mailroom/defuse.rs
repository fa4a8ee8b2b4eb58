//! Removes what would make a message expensive to parse.
//!
//! The parser nests structures for messages within messages, as deep as the sender likes, and would
//! run out of stack; it searches for each boundary up to the end of the message, and makes a part or
//! header of every few bytes. So nested messages are not opened (they stay whole attachments), the
//! number of opened multiparts is limited, and only the beginning of a message with a million lines
//! is read. [`super::part_headers`] limits headers. Bytes are replaced in place, so that the
//! parser's offsets are correct in the original message.

use std::borrow::Cow;

use super::part_headers::bound;

const MASK: u8 = 0x1a;
const MULTIPARTS: usize = 100;
const LINES: usize = 1_000_000;
/// What is read of a message with more lines.
const BEGINNING: usize = 1 << 20;

pub fn defuse(raw: &[u8]) -> Cow<'_, [u8]> {
    let lines = raw.iter().filter(|byte| **byte == b'\n').count();
    let read = if lines > LINES { &raw[..raw.len().min(BEGINNING)] } else { raw };
    let mut defused = Cow::Borrowed(read);
    let mut multiparts = 0;
    for slash in slashes(read) {
        if let Some(at) = byte_to_mask(read, slash, &mut multiparts) {
            defused.to_mut()[at] = MASK;
        }
    }
    bound(defused)
}

/// Puts back what [`defuse`] replaced in a text.
pub fn restore(text: String) -> String {
    if !text.as_bytes().contains(&MASK) {
        return text;
    }
    ["rfc822", "global", "digest"].iter().fold(text, |text, word| {
        let last = word.len() - 1;
        let masked = |stem: &str| format!("{stem}{}", char::from(MASK));
        text.replace(&masked(&word[..last]), word)
            .replace(&masked(&word[..last].to_uppercase()), &word.to_uppercase())
    })
}

fn slashes(raw: &[u8]) -> impl Iterator<Item = usize> {
    raw.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at)
}

/// The byte to replace near a slash, if this is a content type that opens another message or one
/// multipart too many.
fn byte_to_mask(raw: &[u8], slash: usize, multiparts: &mut usize) -> Option<usize> {
    let before = before(&raw[..slash]);
    let (is_message, is_multipart) = (ends(before, b"message"), ends(before, b"multipart"));
    // After a comment it may be either.
    let is_either = before.last() == Some(&b')');
    if !(is_message || is_multipart || is_either) {
        return None;
    }
    let start = slash + 1 + raw[slash + 1..].iter().take_while(|byte| is_skipped(**byte)).count();
    let after = &raw[start..];
    if after.first() == Some(&b'(') {
        return Some(slash);
    }
    let words: [&[u8]; 3] = [b"rfc822", b"global", b"digest"];
    if let Some(word) = words.iter().find(|word| begins(after, word)) {
        return Some(start + word.len() - 1);
    }
    *multiparts += usize::from(!is_message);
    (*multiparts > MULTIPARTS && !is_message).then_some(slash)
}

/// What the parser skips between the words of a content type.
fn is_skipped(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\\')
}

fn before(raw: &[u8]) -> &[u8] {
    let skipped = raw.iter().rev().take_while(|byte| is_skipped(**byte)).count();
    &raw[..raw.len() - skipped]
}

fn ends(raw: &[u8], word: &[u8]) -> bool {
    raw.len() >= word.len() && raw[raw.len() - word.len()..].eq_ignore_ascii_case(word)
}

fn begins(raw: &[u8], word: &[u8]) -> bool {
    raw.len() >= word.len() && raw[..word.len()].eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defused(text: &str) -> String {
        String::from_utf8(defuse(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn nested_messages_stay_closed_however_they_are_written() {
        for text in [
            "Content-Type: message/rfc822",
            "Content-Type: MESSAGE/RFC822; x=y",
            "Content-Type: message /\r\n rfc822",
            "Content-Type: message\"/\"global",
            "Content-Type: message(why)/rfc822",
            "Content-Type: message/(why)rfc822",
            "Content-Type: multipart/digest",
        ] {
            assert_ne!(defused(text), text);
            assert_eq!(defused(text).len(), text.len());
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        let text = "See https://a.test/rfc822 and and/or message/partial; text/plain, image/png.";
        assert_eq!(defused(text), text);
        assert!(matches!(defuse(text.as_bytes()), Cow::Borrowed(_)));
        let text = "The type message/rfc822 is MESSAGE/RFC822.";
        assert_eq!(restore(defused(text)), text);
    }

    #[test]
    fn multiparts_and_lines_are_limited() {
        let multiparts = "Content-Type: multipart/mixed\n".repeat(MULTIPARTS + 50);
        assert_eq!(defused(&multiparts).matches("multipart/mixed").count(), MULTIPARTS);
        assert_eq!(defuse(&b"\n".repeat(LINES + BEGINNING)).len(), BEGINNING);
    }
}
