//! The parts of a store in SQLite.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;

use super::{Add, Part, applied, problem};
use crate::store::access::journal_file;
use crate::store::backend::{Engine, Location};
use crate::store::error::{Error, Result};

/// The name of the database's part, and the prefix of the others.
const DATABASE: &str = "gatepost.db";
/// The suffixes of the files that SQLite adds.
const SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Copies the calls first, because they only move from their file into the database. A call in both has the same id.
pub fn take(location: &Location, add: &mut Add<'_>) -> Result<Vec<String>> {
    let mut original = location.connect_patiently()?;
    if let Some(path) = location.beside(journal_file::SUFFIX).filter(|path| path.exists()) {
        let mut calls = Location::Sqlite(path).connect_patiently()?;
        add(&format!("{DATABASE}{}", journal_file::SUFFIX), &mut |to| copy(&mut calls, to))?;
    }
    let mut schema = Vec::new();
    add(DATABASE, &mut |to| {
        copy(&mut original, to)?;
        schema = schema_of(to)?;
        Ok(())
    })?;
    Ok(schema)
}

/// Copies in one read transaction, so that the copy ends although other processes continue to write.
fn copy(original: &mut Engine, to: &Path) -> Result<()> {
    let Engine::Sqlite(inner) = original else { return Ok(()) };
    sql_query("VACUUM INTO ?").bind::<Text, _>(text(to)?).execute(inner)?;
    Ok(())
}

fn schema_of(path: &Path) -> Result<Vec<String>> {
    let copy = SqliteConnection::establish(text(path)?);
    let copy = copy.map_err(|cause| Error::Unavailable(format!("{}: {cause}", path.display())))?;
    applied(&mut Engine::Sqlite(copy))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::Unusable(format!("{}: the path is not UTF-8", path.display())))
}

/// The paths of a store's files, the database last.
fn files_of(location: &Location) -> impl Iterator<Item = PathBuf> + '_ {
    let own = |name: &'static str| SUFFIXES.into_iter().map(move |suffix| format!("{name}{suffix}"));
    let suffixes = own(journal_file::SUFFIX)
        .chain([journal_file::SUFFIX.to_owned()])
        .chain(own(""))
        .chain([String::new()]);
    suffixes.filter_map(|suffix| location.beside(&suffix))
}

pub fn require_none(location: &Location) -> Result<()> {
    match files_of(location).find(|path| path.exists()) {
        Some(path) => Err(Error::Unusable(format!(
            "{} exists. Restore only where there is no store yet",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// Moves the parts into place, with the database last, because without it there is no store.
pub fn restore(location: &Location, parts: &[Part]) -> Result<()> {
    let _alone = location.serve_alone()?;
    require_none(location)?;
    let mut placed = Placed(Vec::new());
    for (name, from) in parts {
        let to = name.strip_prefix(DATABASE).and_then(|suffix| location.beside(suffix));
        let to = to.filter(|to| files_of(location).any(|file| file == *to));
        let to = to.ok_or_else(|| Error::Unusable(format!("a backup of SQLite has no part {name}")))?;
        fs::rename(from, &to).map_err(|cause| problem(&to, &cause))?;
        placed.0.push(to);
    }
    if let Some(folder) = super::folder(location) {
        File::open(&folder).and_then(|it| it.sync_all()).map_err(|cause| problem(&folder, &cause))?;
    }
    placed.0.clear();
    Ok(())
}

/// Files that are removed again unless all of them are restored.
struct Placed(Vec<PathBuf>);

impl Drop for Placed {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}
