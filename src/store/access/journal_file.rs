//! The journal's file, next to SQLite's database.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::store::backend::Location;
use crate::store::error::{Error, Result};
use crate::store::{Store, Tx};

pub const SUFFIX: &str = "-calls";
/// Files of an earlier version.
const OLD_SUFFIXES: [&str; 2] = ["-calls-1", "-calls-2"];
/// For SQLite; Postgres has the table in its migrations. `AUTOINCREMENT` never reuses an id, because a
/// process deletes by id what another one may already have deleted.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS call_batches (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    writer BLOB    NOT NULL,
    calls  BLOB    NOT NULL
)";

pub fn open(store: &Store, path: PathBuf) -> Result<Store> {
    remove_former(&store.location)?;
    let file = store.for_journal(Location::Sqlite(path))?;
    if !file.read(is_created)? {
        file.write(create)?;
    }
    Ok(file)
}

/// Only reads, so that commands don't wait for a server that writes.
fn is_created(tx: &mut Tx<'_>) -> Result<bool> {
    exists(tx, "name = 'call_batches' AND sql LIKE '%AUTOINCREMENT%'")
}

/// An earlier version created the table without `AUTOINCREMENT`.
fn create(tx: &mut Tx<'_>) -> Result<()> {
    if !exists(tx, "name = 'call_batches' AND sql NOT LIKE '%AUTOINCREMENT%'")? {
        return Ok(tx.connection.batch_execute(TABLE)?);
    }
    tx.connection.batch_execute("ALTER TABLE call_batches RENAME TO former_batches")?;
    tx.connection.batch_execute(TABLE)?;
    Ok(tx.connection.batch_execute(
        "INSERT INTO call_batches SELECT id, writer, calls FROM former_batches; DROP TABLE former_batches",
    )?)
}

fn exists(tx: &mut Tx<'_>, which: &str) -> Result<bool> {
    let found = sql::<Bool>(&format!("EXISTS (SELECT 1 FROM sqlite_schema WHERE {which})"));
    Ok(diesel::select(found).get_result(tx.connection)?)
}

/// Removes the files of an earlier version if they are empty. If that version was killed, they contain calls.
fn remove_former(location: &Location) -> Result<()> {
    let mut former = Vec::new();
    for path in OLD_SUFFIXES.iter().filter_map(|suffix| location.beside(suffix)) {
        let Ok(file) = File::open(&path) else { continue };
        let unusable = |why: &str| Error::Unusable(format!("{} {why}", path.display()));
        // The earlier version locks the first file while it runs.
        file.try_lock_shared()
            .map_err(|_| unusable("is in use by an earlier version of Gatepost; stop it first"))?;
        let mut start = Vec::new();
        let read = (&file).take(8).read_to_end(&mut start);
        read.map_err(|cause| Error::Unavailable(format!("{}: {cause}", path.display())))?;
        if start.iter().any(|byte| *byte != 0) {
            let why = "contains calls of an earlier version of Gatepost; start and stop that version once";
            return Err(unusable(why));
        }
        former.push((path, file));
    }
    for (path, _locked) in &former {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::BigInt;

    use super::*;

    fn opened(folder: &tempfile::TempDir) -> Result<Store> {
        let store = Store::open(Location::Sqlite(folder.path().join("store.db"))).expect("a store");
        open(&store, folder.path().join("store.db-calls"))
    }

    fn run(file: &Store, statements: &str) {
        file.write(|tx| Ok::<_, Error>(tx.connection.batch_execute(statements)?))
            .expect("successful statements");
    }

    #[test]
    fn the_table_is_upgraded_to_unique_ids_without_losing_calls() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = opened(&folder).expect("a file");
        let former = TABLE.replace(" AUTOINCREMENT", "");
        let row = "INSERT INTO call_batches (writer, calls) VALUES (x'01', x'02')";
        run(&file, &format!("DROP TABLE call_batches; {former}; {row}; {row}"));
        let file = opened(&folder).expect("a file");
        let number = |what: &str| {
            let query = sql::<BigInt>(&format!("(SELECT {what} FROM call_batches)"));
            let found = |tx: &mut Tx<'_>| Ok::<i64, Error>(diesel::select(query).get_result(tx.connection)?);
            file.read(found).expect("a number")
        };
        assert_eq!(number("count(*)"), 2);
        run(&file, &format!("DELETE FROM call_batches; {row}"));
        assert_eq!(number("max(id)"), 3);
    }

    #[test]
    fn files_of_an_earlier_version_with_calls_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = || opened(&folder).map(drop).expect_err("no file").to_string();
        let path = folder.path().join("store.db-calls-1");
        std::fs::write(&path, b"gpcalls1 and calls").expect("a file");
        assert!(refused().contains("store.db-calls-1 contains calls of an earlier version"), "{}", refused());
        std::fs::write(&path, [0; 999]).expect("a file without calls");
        let running = File::open(&path).expect("a file");
        running.lock().expect("the lock");
        assert!(refused().contains("store.db-calls-1 is in use"), "{}", refused());
        drop(running);
        opened(&folder).expect("a file");
        assert!(!path.exists());
    }
}
