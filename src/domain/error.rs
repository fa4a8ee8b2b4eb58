//! How a request to the domain can fail, in words for the caller.

use std::borrow::Cow;

use crate::store;

pub use store::Error as StoreError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resource doesn't exist or belongs to another team.
    #[error("not found")]
    NotFound,
    /// The sentence says who can do it, or what to do first.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
    #[error("invalid: {}", FieldError::join(.0))]
    Invalid(Vec<FieldError>),
    /// The request contradicts the current state. Nothing was changed.
    #[error("{}", .0.message)]
    Conflict(FieldError),
    /// The resource has changed since the caller read it. Nothing was changed.
    #[error("This has changed since you loaded it. Reload it and try again.")]
    Stale,
    #[error("{message}")]
    TooMany { message: Cow<'static, str>, retry_after: u32 },
    /// The server is overloaded. The caller should try again later.
    #[error("{0}")]
    Busy(&'static str),
    #[error(transparent)]
    Store(#[from] store::Error),
}

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    pub field: Cow<'static, str>,
    pub message: Cow<'static, str>,
}

impl FieldError {
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    fn join(errors: &[Self]) -> String {
        errors.iter().map(|each| each.message.as_ref()).collect::<Vec<_>>().join(" ")
    }
}

impl Error {
    pub fn forbidden(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden(sentence.into())
    }

    /// The cause is only for the log.
    pub fn out_of_reach(cause: &str) -> Self {
        Self::Store(store::Error::Unavailable(cause.to_owned()))
    }

    /// A bug in Gatepost. The cause is only for the log.
    pub fn fault(cause: &str) -> Self {
        Self::Store(store::Error::Fault(cause.to_owned()))
    }

    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Store(store::Error::Conflict(_)))
    }

    pub fn is_out_of_reach(&self) -> bool {
        matches!(self, Self::Store(store::Error::Unavailable(_)))
    }

    pub fn conflict(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict(FieldError::new(field, message))
    }

    /// Turns a violation of a unique index into a conflict with this message.
    pub fn as_conflict(self, field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        match self {
            Self::Store(store::Error::Conflict(_)) => Self::conflict(field, message),
            other => other,
        }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}
