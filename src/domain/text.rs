//! Short texts that people type, parsed once at the edge.

use std::str::FromStr;

use super::FieldError;
use super::names::is_ignorable;

/// One line of 1 to `max` characters without control characters. Its ends are trimmed, but
/// count: a bound that is told is one for what is sent.
///
/// # Errors
/// A sentence about `field` that starts with `what`.
pub fn one_line(field: &'static str, what: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let (length, text) = (text.chars().count(), text.trim());
    let message = match length {
        _ if text.is_empty() => format!("{what} is missing."),
        length if length > max => format!("{what} has {length} characters; {max} is the most."),
        _ if text.chars().any(is_invisible) || text.chars().all(|c| is_ignorable(c) || c == ' ') => {
            format!("{what} contains invisible characters.")
        }
        _ => return Ok(text.to_owned()),
    };
    Err(FieldError::new(field, message))
}

/// Control characters, and those that turn or hide the text around them or show nothing. The
/// joiners that emoji and several scripts need are none of them, nor is what makes an emoji of a
/// character.
fn is_invisible(c: char) -> bool {
    let is_needed = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
    let is_break = matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}');
    c.is_control() || is_break || is_ignorable(c) && !is_needed
}

/// Like [`one_line`], but nothing at all is `None`.
pub fn optional_line(
    field: &'static str,
    what: &str,
    text: &str,
    max: usize,
) -> Result<Option<String>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        _ => one_line(field, what, text, max).map(Some),
    }
}

/// An address of a person, as typed; compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// # Errors
    /// A sentence about the field `email`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = one_line("email", "The e-mail address", text, 254)?;
        let plain =
            email_address::EmailAddress::from_str(&text).is_ok_and(|parsed| parsed.display_part().is_empty());
        match plain {
            true => Ok(Self(text)),
            false => Err(FieldError::new("email", "This is not an e-mail address, such as ada@example.com.")),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_visible_line() {
        assert_eq!(one_line("name", "The name", "  ci  ", 60).as_deref(), Ok("ci"));
        for bad in [
            "",
            "   ",
            "a\nb",
            "a\u{202e}b",
            "zero\u{200b}width",
            "tag\u{e0041}ged",
            "left\u{200e}",
            "\u{2066}isolated\u{2069}",
            "\u{200d}",
            "\u{fe0f} \u{200d}",
            &"x".repeat(61),
            &format!("x{}", " ".repeat(60)),
        ] {
            assert!(one_line("name", "The name", bad, 60).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_has_one_key_however_typed() {
        assert_eq!(EmailAddress::parse("Ada@Acme.test").unwrap().key(), "ada@acme.test");
        for bad in ["ada", "@acme.test", "ada@", "Ada <ada@acme.test>", "a b@acme.test", "a@b\r\nc"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }
}
