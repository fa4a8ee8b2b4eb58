//! Cleans text from messages before it is stored and shown.

use crate::domain::characters::{is_control_in_text, is_deceptive};

pub const MAX_LINE: usize = 998;

/// Removes control characters, including NUL, which Postgres rejects.
pub fn plain(text: &str) -> String {
    let kept = |c: &char| !is_control_in_text(*c);
    let mut text = text.replace("\r\n", "\n");
    if text.contains('\r') {
        text = text.replace('\r', "\n");
    }
    if text.chars().all(|c| kept(&c)) { text } else { text.chars().filter(kept).collect() }
}

/// Unfolds the value of a header field and removes invisible characters.
pub fn unfolded(text: &str) -> String {
    if text.is_ascii() && !text.contains(char::is_control) {
        return text.trim().to_owned();
    }
    let text: String = text.chars().filter(|c| !is_deceptive(*c)).collect();
    plain(&text).split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

pub fn one_line(text: &str) -> String {
    clipped(&unfolded(text), MAX_LINE)
}

pub fn file_name(name: &str) -> String {
    let name = one_line(name);
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim_start_matches('.');
    clipped(last, 255)
}

pub fn beginning(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

pub fn clipped(text: &str, max: usize) -> String {
    beginning(text, max).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bidi_and_invisible_characters_are_removed() {
        let controls =
            "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200e}\u{200f}\u{61c}";
        let hidden = "\u{200b}\u{2060}\u{feff}\u{ad}\u{e0041}\u{3164}";
        assert_eq!(one_line(&format!("in{controls}voice{hidden}")), "invoice");
        assert_eq!(file_name("photo\u{202e}gpj.exe"), "photogpj.exe");
        assert_eq!(file_name("a/\u{200b}.b"), "b");
    }

    #[test]
    fn right_to_left_text_and_emoji_are_unchanged() {
        for text in
            ["שלום עולם", "مرحبا بالعالم", "می\u{200c}خواهم", "👩\u{200d}💻 ❤\u{fe0f}", "नमस्\u{200d}ते"]
        {
            assert_eq!(one_line(text), text);
        }
    }
}
