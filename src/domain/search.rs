use super::{FieldError, names};

/// A trimmed search text. Every list takes this type, which limits its length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search(String);

/// Enough for the longest email address.
pub(crate) const MAX: usize = 254;

impl Search {
    /// # Errors
    /// A sentence about the field `q`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        match text.chars().count() {
            length if length > MAX => {
                let message = format!("Use at most {MAX} characters to search (you typed {length}).");
                Err(FieldError::new("q", message))
            }
            // No name or word contains a control character, and Postgres rejects NUL.
            _ => Ok(Self(text.replace(char::is_control, " ").trim().to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The search text as a key of names and addresses, or `None` if it is empty.
    pub fn key(&self) -> Option<String> {
        Some(names::key(&self.0)).filter(|key| !key.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_has_a_maximum_length() {
        assert_eq!(Search::parse("  Ada L ").unwrap().as_str(), "Ada L");
        assert_eq!(Search::parse("  Ada  L ").unwrap().key().as_deref(), Some("ada l"));
        assert_eq!(Search::parse("ada\0l\n").unwrap().as_str(), "ada l");
        assert_eq!(Search::parse("  ").unwrap().key(), None);
        assert!(Search::parse(&"é".repeat(MAX)).is_ok());
        let long = Search::parse(&"é".repeat(50_000)).unwrap_err();
        assert_eq!(
            (&*long.field, &*long.message),
            ("q", "Use at most 254 characters to search (you typed 50000).")
        );
    }
}
