//! Allows one server at a time per SQLite file, because two would count a team's requests separately. Commands can run at
//! the same time. Servers that share a Postgres database share counts in Redis.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;

use super::backend::Location;
use super::error::{Error, Result};

/// Locks the store for a server. The system releases the lock when the process ends, even after a crash. The lock is on a
/// separate file, because closing any descriptor of SQLite's file would release SQLite's own locks.
#[must_use]
pub struct Serving(#[expect(dead_code, reason = "the lock goes with the file")] Option<File>);

impl Location {
    /// # Errors
    /// [`Error::Unusable`] if another process has the lock.
    pub fn serve_alone(&self) -> Result<Serving> {
        let Some(path) = self.beside("-lock") else { return Ok(Serving(None)) };
        let problem = |cause: std::io::Error| Error::Unavailable(format!("{}: {cause}", path.display()));
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(problem)?;
        match file.try_lock() {
            Ok(()) => Ok(Serving(Some(file))),
            Err(TryLockError::Error(cause)) => Err(problem(cause)),
            Err(TryLockError::WouldBlock) => Err(Error::Unusable(format!(
                "another Gatepost server uses this store ({} is locked). Stop it first, or use Postgres to run several servers",
                path.display()
            ))),
        }
    }
}
