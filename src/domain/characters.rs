//! Rules for characters that are invisible or reorder text, for input, received mail and API patterns.

use std::fmt::Write;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

pub fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Hides text or changes its order, so that a sender or a file could pass for another. Right-to-left
/// letters need none of these. Joiners and variation selectors are allowed, because Persian, Hindi and
/// emoji need them.
pub fn is_deceptive(c: char) -> bool {
    let is_break = matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}');
    let is_joiner = matches!(c, '\u{200c}' | '\u{200d}');
    is_break || is_ignorable(c) && !is_joiner && !is_variation_selector(c)
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Not allowed in a line that people type, except the two variation selectors of emoji.
pub fn is_invisible(c: char) -> bool {
    let is_emoji_selector = matches!(c, '\u{fe0e}' | '\u{fe0f}');
    c.is_control() || is_deceptive(c) || is_variation_selector(c) && !is_emoji_selector
}

pub fn is_control_in_text(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// A JSON Schema pattern for a line without [`is_invisible`] characters. Such patterns match UTF-16 units,
/// so the server alone checks characters of two units.
pub fn line_pattern() -> String {
    format!("^[^{}]*$", class(is_invisible))
}

/// A JSON Schema pattern for a text without [`is_control_in_text`] characters. Lines may end with CR LF.
pub fn text_pattern() -> String {
    format!(r"^([^{}]|\r\n)*$", class(is_control_in_text))
}

fn class(contains: fn(char) -> bool) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for code in (0..=0xffff).filter(|code| char::from_u32(*code).is_some_and(contains)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == code => *last = code,
            _ => runs.push((code, code)),
        }
    }
    runs.into_iter().fold(String::new(), |mut class, (first, last)| {
        let joint = if last > first + 1 { "-" } else { "" };
        let _ = match first == last {
            true => write!(class, r"\u{first:04x}"),
            false => write!(class, r"\u{first:04x}{joint}\u{last:04x}"),
        };
        class
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_patterns_do_not_change() {
        assert_eq!(
            line_pattern(),
            concat!(
                r"^[^\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f",
                r"\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb]*$",
            )
        );
        assert_eq!(text_pattern(), r"^([^\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\r\n)*$");
    }
}
