use super::FieldError;
use super::characters::{is_control_in_text, is_ignorable, is_invisible};
use super::mailroom::address::MailAddress;

/// Parses one line of 1 to `max` characters without control characters. Leading and trailing spaces are
/// trimmed, but count towards `max`, which limits the input.
///
/// # Errors
/// A sentence about `field`. `what` completes "Enter …": "a name".
pub(crate) fn one_line(
    field: &'static str,
    what: &str,
    text: &str,
    max: usize,
) -> Result<String, FieldError> {
    let (length, text) = (text.chars().count(), text.trim());
    let shows_nothing = || text.chars().all(|c| is_ignorable(c) || c == ' ');
    match text {
        "" => Err(FieldError::new(field, format!("Enter {what}."))),
        _ if length > max => Err(too_long(field, what, length, max)),
        _ if text.chars().any(is_invisible) || shows_nothing() => Err(invisible(field, what)),
        _ => Ok(text.to_owned()),
    }
}

/// Parses a text of up to `max` characters without control characters. `None` for an empty one.
///
/// # Errors
/// A sentence about `field`. `what` completes "Enter …": "a name".
pub(crate) fn lines(
    field: &'static str,
    what: &str,
    text: &str,
    max: usize,
) -> Result<Option<String>, FieldError> {
    let (length, text) = (text.chars().count(), text.trim().replace("\r\n", "\n"));
    match text {
        _ if length > max => Err(too_long(field, what, length, max)),
        text if text.chars().any(is_control_in_text) => Err(invisible(field, what)),
        text => Ok((!text.is_empty()).then_some(text)),
    }
}

/// Returns `None` for an empty text, or else what `parse` returns.
pub(crate) fn optional<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, FieldError>,
) -> Result<Option<T>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        _ => parse(text).map(Some),
    }
}

fn too_long(field: &'static str, what: &str, length: usize, max: usize) -> FieldError {
    FieldError::new(field, format!("Use at most {max} characters for {what} (you typed {length})."))
}

fn invisible(field: &'static str, what: &str) -> FieldError {
    FieldError::new(field, format!("Enter {what} without invisible characters."))
}

/// As typed. Compared without case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = one_line("email", "an email address", text, 254)?;
        // With a final dot, the same address would be another account.
        match MailAddress::parse(&text).is_some() && !text.ends_with('.') {
            true => Ok(Self(text)),
            false => Err(FieldError::new("email", "Enter an email address, like ada@example.com.")),
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
        assert_eq!(one_line("name", "a name", "  ci  ", 60).as_deref(), Ok("ci"));
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
            assert!(one_line("name", "a name", bad, 60).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_has_one_key_however_typed() {
        assert_eq!(EmailAddress::parse("Ada@Acme.test").unwrap().key(), "ada@acme.test");
        for bad in [
            "ada",
            "@acme.test",
            "ada@",
            "Ada <ada@acme.test>",
            "a b@acme.test",
            "a@b\r\nc",
            "ada@acme.test.",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }
}
