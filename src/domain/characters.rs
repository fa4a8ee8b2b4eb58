//! Characters that show nothing or that reorder the text around them: one decision for what
//! people type, what arrives in mail, and what the API says of both.

use std::fmt::Write;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Shows nothing on its own (Unicode, section 5.21).
pub fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Hides text or changes its order, so that a sender or a file could pass for another.
/// Right-to-left letters need none of these. Persian, Hindi and emoji are spelled with joiners
/// and variation selectors, so those are allowed.
pub fn is_deceptive(c: char) -> bool {
    let is_break = matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}');
    let is_joiner = matches!(c, '\u{200c}' | '\u{200d}');
    is_break || is_ignorable(c) && !is_joiner && !is_variation_selector(c)
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Not allowed in a line that people type. Two variation selectors make an emoji of a character.
pub fn is_invisible(c: char) -> bool {
    let is_of_emoji = matches!(c, '\u{fe0e}' | '\u{fe0f}');
    c.is_control() || is_deceptive(c) || is_variation_selector(c) && !is_of_emoji
}

/// A control character other than the line breaks and tabs of a longer text.
pub fn is_control_in_text(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// The pattern of a line without [`is_invisible`], for JSON Schema. Characters that take two
/// units of UTF-16 are left to the server: such patterns know only units.
pub fn line_pattern() -> String {
    format!("^[^{}]*$", class(is_invisible))
}

/// The pattern of a text without [`is_control_in_text`], in which a line may end with CR LF.
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
    fn the_patterns_are_those_that_clients_know() {
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
