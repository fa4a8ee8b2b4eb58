//! Collects every invalid field before a request is refused.

use super::ApiError;
use crate::domain::FieldError;

#[derive(Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn take<T>(&mut self, parsed: Result<T, FieldError>) -> Option<T> {
        parsed.map_err(|error| self.0.push(error)).ok()
    }

    /// # Errors
    /// If a field was invalid.
    pub fn all<T>(self, value: Option<T>) -> Result<T, ApiError> {
        value.filter(|_| self.0.is_empty()).ok_or_else(|| ApiError::invalid_fields(self.0))
    }
}
