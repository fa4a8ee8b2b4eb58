//! The errors of the store. Diesel's errors stay inside.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store can't be reached or written now. The caller gets 503 and should try again.
    #[error("the store is unreachable: {0}")]
    Unavailable(String),
    /// A unique or foreign key rejected a row. The statement had no effect.
    #[error("the store refused a duplicate or dangling row: {0}")]
    Conflict(String),
    /// The store can't be opened. The sentence is for the operator.
    #[error("{0}")]
    Unusable(String),
    /// A bug in Gatepost.
    #[error("the store failed: {0}")]
    Fault(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// Error messages of an unavailable database, as opposed to a wrong statement.
const UNAVAILABLE: &[&str] = &[
    // SQLite
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    // Postgres
    "terminating connection",
    "the database system is",
    "deadlock detected",
    "server closed the connection",
    "could not receive data from server",
    "No space left on device",
    "could not extend file",
    "canceling statement due to",
    "out of shared memory",
];

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        let text = error.to_string();
        match &error {
            DieselError::DatabaseError(Kind::UniqueViolation | Kind::ForeignKeyViolation, _) => {
                Self::Conflict(text)
            }
            DieselError::DatabaseError(
                Kind::ClosedConnection
                | Kind::UnableToSendCommand
                | Kind::SerializationFailure
                | Kind::ReadOnlyTransaction,
                _,
            )
            | DieselError::BrokenTransactionManager => Self::Unavailable(text),
            _ if UNAVAILABLE.iter().any(|each| text.contains(each)) => Self::Unavailable(text),
            _ => Self::Fault(text),
        }
    }
}

/// Returns `None` for "no row", so that the caller has to handle it.
pub(crate) trait OptionalRow<T> {
    fn optional_row(self) -> Result<Option<T>>;
}

impl<T> OptionalRow<T> for diesel::QueryResult<T> {
    fn optional_row(self) -> Result<Option<T>> {
        use diesel::OptionalExtension;
        Ok(self.optional()?)
    }
}
