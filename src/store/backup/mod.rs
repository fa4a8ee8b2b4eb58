//! Backs up a whole store while other processes write to it, and restores it.
//!
//! A backup is a list of parts, each a file. For SQLite these are the database and the file of the
//! [journal](super::access::journal); for Postgres, a file of rows per table.

mod postgres;
mod sqlite;

use std::io;
use std::path::{Path, PathBuf};

use super::backend::Location;
use super::error::{Error, Result};
use super::migrations::{applied, known};

/// Adds a part: calls `Fill` with an empty file, then stores the file.
pub type Add<'a> = dyn FnMut(&str, &mut Fill<'_>) -> Result<()> + 'a;

pub type Fill<'a> = dyn FnMut(&Path) -> Result<()> + 'a;

/// The name of a part and the path of its file.
pub type Part = (String, PathBuf);

/// Passes every part to `add`, in the order for restoring, and returns the schema versions. The parts contain everything
/// committed before the call. A row that is in two parts is equal in both.
///
/// # Errors
/// [`Error::Unusable`] if there is no store, [`Error::Unavailable`], or the error of `add`.
pub fn take(location: &Location, add: &mut Add<'_>) -> Result<Vec<String>> {
    match location {
        Location::Sqlite(_) => sqlite::take(location, add),
        Location::Postgres(_) => postgres::take(location, add),
    }
}

/// Creates a store from the parts. After a failure there is no store.
///
/// # Errors
/// [`Error::Unusable`] if a store exists, or if a newer program wrote the parts.
pub fn restore(location: &Location, schema: &[String], parts: &[Part]) -> Result<()> {
    let known = known(location)?;
    if let Some(newer) = schema.iter().find(|version| !known.contains(version)) {
        return Err(Error::Unusable(format!(
            "the backup was made by a newer Gatepost (schema {newer}); restore it with that version"
        )));
    }
    match location {
        Location::Sqlite(_) => sqlite::restore(location, parts),
        Location::Postgres(_) => postgres::restore(location, schema, parts),
    }
}

/// # Errors
/// [`Error::Unusable`] if a store exists.
pub fn require_none(location: &Location) -> Result<()> {
    match location {
        Location::Sqlite(_) => sqlite::require_none(location),
        Location::Postgres(_) => postgres::require_none(&mut location.connect()?),
    }
}

/// The folder from which parts can be moved into place without a copy. `None` for Postgres.
pub fn folder(location: &Location) -> Option<PathBuf> {
    let Location::Sqlite(path) = location else { return None };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.unwrap_or(Path::new(".")).to_owned())
}

fn problem(path: &Path, cause: &io::Error) -> Error {
    Error::Unusable(format!("{}: {cause}", path.display()))
}
