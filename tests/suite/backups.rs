//! `backup`, `restore` and `check`: one file contains an installation, and a failed restore changes nothing.

mod check;
mod load;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cli::{PASSWORD, assert_refused, each_engine, set_up};
use crate::support::database::Database;
use crate::support::process::Gatepost;

/// Creates an installation without a store, on the same engine.
fn empty_like(database: &Database) -> (Gatepost, Database) {
    let gatepost = Gatepost::new();
    match database {
        Database::Sqlite { .. } => {
            let database = Database::sqlite(gatepost.data.path());
            (gatepost, database)
        }
        Database::Postgres { .. } => {
            let database = Database::postgres();
            (gatepost.with("GATEPOST_DATABASE_URL", database.url()), database)
        }
    }
}

/// A file outside the data folder.
fn file_in(folder: &tempfile::TempDir) -> (PathBuf, String) {
    let path = folder.path().join("gatepost.tar");
    let text = path.to_str().expect("a path").to_owned();
    (path, text)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Returns the members of an archive.
fn members(file: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(fs::File::open(file).expect("an archive"));
    let entries = archive.entries().expect("entries");
    let read = entries.map(|entry| {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        (name, bytes)
    });
    read.collect()
}

fn write_members(file: &Path, members: &[(String, Vec<u8>)]) {
    let mut archive = tar::Builder::new(fs::File::create(file).expect("a file"));
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, &bytes[..]).expect("a member");
    }
    archive.finish().expect("an archive");
}

/// Delivers a message to the one alias that every store has.
fn deliver(gatepost: &Gatepost, subject: &str) {
    let letter = format!(
        "From: Bob <bob@example.test>\nSubject: {subject}\nMessage-ID: <{subject}@x.test>\n\nHello\n"
    );
    let stored = gatepost.ok(&["deliver", "postmaster"], &letter);
    assert!(stored.starts_with("Stored as "), "{stored}");
}

#[test]
fn a_backup_restores_everything() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        gatepost.ok(&["api", "Acme", "on"], "");
        let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
        deliver(gatepost, "first");
        let folder = folder();
        let (file, path) = file_in(&folder);
        let said = gatepost.ok(&["backup", &path], "");
        assert!(said.contains("password hashes and the secret key"), "{said}");
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(names_in(folder.path()), ["gatepost.tar"], "no other file is left");
        let (other, restored) = empty_like(database);
        let said = other.ok(&["restore", &path], "");
        assert!(said.starts_with("Restored the backup of 20"), "{said}");
        assert_eq!(other.ok(&["check"], ""), "No problems found.\n");
        // The key is the same, and new rows can be added.
        deliver(&other, "second");
        assert_eq!(restored.number("SELECT count(*) AS n FROM messages"), 2);
        let server = other.serve();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let bearer = format!("Bearer {}", token.trim_end());
        let api = crate::support::client::Api::new(&server.base, &[("Authorization", &bearer)]);
        runtime.block_on(async { api.get("/api/v1/messages?q=hello").await.expect(200) });
        assert_eq!(server.terminate().code, Some(0));
        assert_eq!(other.ok(&["check"], ""), "No problems found.\n");
    });
}

#[test]
fn a_backup_requires_a_store_and_does_not_overwrite_files() {
    each_engine(|gatepost, database| {
        let folder = folder();
        let (file, path) = file_in(&folder);
        let (empty, _database) = empty_like(database);
        assert_refused(&empty.run(&["backup", &path], ""), "no store");
        assert_eq!(names_in(folder.path()), Vec::<String>::new());
        assert_eq!(names_in(empty.data.path()), Vec::<String>::new());
        set_up(gatepost);
        fs::write(&file, "mine").expect("a file");
        assert_refused(&gatepost.run(&["backup", &path], ""), "already exists");
        assert_eq!(fs::read_to_string(&file).expect("a file"), "mine");
        assert_eq!(names_in(folder.path()), ["gatepost.tar"]);
    });
}

#[test]
fn a_key_from_the_environment_is_not_in_the_backup() {
    let key = "5e".repeat(32);
    let gatepost = Gatepost::new().with("GATEPOST_SECRET_KEY", &key);
    set_up(&gatepost);
    fs::write(gatepost.data.path().join("secret.key"), "of an earlier time").expect("a file");
    let folder = folder();
    let (file, path) = file_in(&folder);
    let said = gatepost.ok(&["backup", &path], "");
    assert!(said.contains("keep a copy of GATEPOST_SECRET_KEY too"), "{said}");
    assert!(members(&file).iter().all(|(name, _)| name != "secret.key"));
    let other = Gatepost::new();
    let said = other.ok(&["restore", &path], "");
    assert!(said.contains("Set GATEPOST_SECRET_KEY to the original key"), "{said}");
    assert!(!other.data.path().join("secret.key").exists());
    other.with("GATEPOST_SECRET_KEY", &key).ok(&["api", "Acme", "on"], "");
}

/// A killed server has left calls in the journal.
#[test]
fn calls_in_the_journal_are_in_the_backup() {
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    gatepost.ok(&["api", "Acme", "on"], "");
    let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
    let server = gatepost.serve();
    let bearer = format!("Bearer {}", token.trim_end());
    let api = crate::support::client::Api::new(&server.base, &[("Authorization", &bearer)]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { api.get("/api/v1/me").await.expect(200) });
    server.kill();
    let folder = folder();
    let (file, path) = file_in(&folder);
    gatepost.ok(&["backup", &path], "");
    // The database comes after the journal, because calls move from the journal into it during the backup.
    let names: Vec<_> = members(&file).into_iter().map(|(name, _)| name).collect();
    let expected = ["gatepost.db-calls", "gatepost.db", "secret.key", "manifest.json"];
    assert_eq!(names, expected);
    let other = Gatepost::new();
    other.ok(&["restore", &path], "");
    assert_eq!(other.serve().terminate().code, Some(0));
    let calls = "SELECT count(*) AS n FROM activity WHERE kind = 'api.request'";
    assert_eq!(Database::sqlite(other.data.path()).number(calls), 1);
}

/// Checks that restoring is refused with these words and leaves no trace.
#[track_caller]
fn assert_not_restored(database: &Database, path: &str, words: &str) {
    let (other, restored) = empty_like(database);
    assert_refused(&other.run(&["restore", path], ""), words);
    let left: Vec<_> =
        names_in(other.data.path()).into_iter().filter(|name| name != "gatepost.db-lock").collect();
    assert_eq!(left, Vec::<String>::new(), "{words}");
    if let Database::Postgres { .. } = restored {
        let tables = "SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'";
        assert_eq!(restored.number(tables), 0, "{words}");
    }
}

#[test]
fn an_incomplete_backup_is_not_restored() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        let folder = folder();
        let (file, path) = file_in(&folder);
        gatepost.ok(&["backup", &path], "");
        let (whole, parts) = (fs::read(&file).expect("a file"), members(&file));
        // Truncated at various places, the last of them just before the manifest.
        let manifest = parts.last().expect("a manifest").1.len();
        for cut in [0, 100, 5000, whole.len() / 2, whole.len() - manifest.next_multiple_of(512) - 1536] {
            fs::write(&file, &whole[..cut]).expect("a file");
            assert_not_restored(database, &path, "gatepost.tar");
        }
        let mut damaged = parts.clone();
        let (_, but_the_manifest) = damaged.split_last_mut().expect("a manifest");
        let largest = but_the_manifest.iter_mut().max_by_key(|(_, bytes)| bytes.len()).expect("a part");
        let middle = largest.1.len() / 2;
        largest.1[middle] ^= 1;
        write_members(&file, &damaged);
        assert_not_restored(database, &path, "a checksum differs");
        write_members(&file, &parts[1..]);
        assert_not_restored(database, &path, "a checksum differs");
        // Refuses a long name, which would be read into memory, and a link.
        for kind in [tar::EntryType::GNULongName, tar::EntryType::Symlink] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(512);
            header.set_cksum();
            fs::write(&file, [&header.as_bytes()[..], &[b'x'; 512], &whole].concat()).expect("a file");
            assert_not_restored(database, &path, "does not belong in a backup");
        }
        fs::write(&file, "no archive").expect("a file");
        assert_not_restored(database, &path, "gatepost.tar");
        fs::write(&file, &whole).expect("a file");
        let (other, _restored) = empty_like(database);
        other.ok(&["restore", &path], "");
    });
}

/// Replaces the manifest of the archive.
fn with_manifest(file: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut parts = members(file);
    let (_, manifest) = parts.last_mut().expect("a manifest");
    let mut json = serde_json::from_slice(manifest).expect("JSON");
    change(&mut json);
    *manifest = serde_json::to_vec(&json).expect("JSON");
    write_members(file, &parts);
}

#[test]
fn a_backup_of_another_engine_or_schema_is_not_restored() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        let folder = folder();
        let (file, path) = file_in(&folder);
        gatepost.ok(&["backup", &path], "");
        // Restores over itself, with and without a running server.
        assert_refused(&gatepost.run(&["restore", &path], ""), "Restore ");
        let server = gatepost.serve();
        assert_refused(&gatepost.run(&["restore", &path], ""), "Restore ");
        assert_eq!(server.terminate().code, Some(0));
        gatepost.ok(&["api", "Acme", "on"], "");
        let mut other_engine = Database::postgres();
        if let Database::Postgres { .. } = database {
            other_engine = Database::sqlite(folder.path());
        }
        assert_not_restored(&other_engine, &path, "names one in");
        let whole = fs::read(&file).expect("a file");
        with_manifest(&file, |json| json["schema"][0] = "29990101000000".into());
        assert_not_restored(database, &path, "newer Gatepost (schema 29990101000000)");
        fs::write(&file, &whole).expect("a file");
        with_manifest(&file, |json| json["format"] = 2.into());
        assert_not_restored(database, &path, "newer Gatepost");
        fs::write(&file, &whole).expect("a file");
        let (other, _restored) = empty_like(database);
        fs::write(other.data.path().join("secret.key"), "another").expect("a key");
        assert_refused(&other.run(&["restore", &path], ""), "is not the key of the backup");
        assert_eq!(names_in(other.data.path()), ["secret.key"]);
    });
}

/// The restore fails after it has written rows.
#[test]
fn a_bad_row_rolls_the_restore_back() {
    let gatepost = Gatepost::new();
    let database = Database::postgres();
    let gatepost = gatepost.with("GATEPOST_DATABASE_URL", database.url());
    set_up(&gatepost);
    database.execute("CREATE TABLE zzz (id BIGINT)").expect("a table");
    let folder = folder();
    let (_, path) = file_in(&folder);
    gatepost.ok(&["backup", &path], "");
    assert_not_restored(&database, &path, "no table for zzz.jsonl");
}

#[test]
fn a_running_server_prevents_a_restore() {
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let folder = folder();
    let (_, path) = file_in(&folder);
    gatepost.ok(&["backup", &path], "");
    let server = gatepost.serve();
    // The store is removed while the server runs.
    for name in names_in(gatepost.data.path()).iter().filter(|name| *name != "gatepost.db-lock") {
        fs::remove_file(gatepost.data.path().join(name)).expect("a file");
    }
    assert_refused(&gatepost.run(&["restore", &path], ""), "another Gatepost server uses this store");
    assert_eq!(names_in(gatepost.data.path()), ["gatepost.db-lock"]);
    server.kill();
    gatepost.ok(&["restore", &path], "");
    let serving = gatepost.serve();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let visitor = crate::support::client::Visitor::new(&serving.base);
        visitor.sign_in("ada@acme.test", PASSWORD.trim_end()).await.expect(303);
    });
}
