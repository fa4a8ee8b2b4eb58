//! `check` reports all problems, and nothing else.

use std::os::unix::fs::FileExt;

use super::deliver;
use crate::cli::{each_engine, set_up};
use crate::support::database::Database;
use crate::support::process::Gatepost;

fn assert_sound(gatepost: &Gatepost) {
    assert_eq!(gatepost.ok(&["check"], ""), "No problems found.\n");
}

/// Checks that each text is in a separate line, then repairs the store.
#[track_caller]
fn assert_found(gatepost: &Gatepost, database: &Database, wrong: &str, right: &str, words: &[&str]) {
    database.execute(wrong).expect("a damaged store");
    let found = gatepost.run(&["check"], "");
    assert_eq!((found.code, found.stdout.lines().count()), (Some(1), words.len()), "{wrong}: {found:?}");
    for words in words {
        assert!(found.stdout.lines().any(|line| line.contains(words)), "{wrong}, {words}: {found:?}");
    }
    database.execute(right).expect("a repaired store");
}

/// Returns sixteen bytes, in SQL.
fn bytes(database: &Database, byte: &str) -> String {
    match database {
        Database::Sqlite { .. } => format!("X'{}'", byte.repeat(16)),
        Database::Postgres { .. } => format!("'\\x{}'::bytea", byte.repeat(16)),
    }
}

#[test]
fn each_wrong_counter_is_found() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        assert_sound(gatepost);
        deliver(gatepost, "one");
        deliver(gatepost, "two");
        assert_sound(gatepost);
        for (table, column, words) in [
            ("mail_stores", "bytes", "team Acme has 2 messages of"),
            ("mail_stores", "messages", "team Acme has 2 messages of"),
            ("mail_stores", "refused_bytes", "team Acme has 0 refused messages of 0 bytes"),
            ("mail_stores", "refused_messages", "team Acme has 0 refused messages of 0 bytes"),
            ("aliases", "received", "alias postmaster@gatepost.localhost has 2 delivered"),
            ("contacts", "received", "contact bob@example.test sent 2"),
            ("conversations", "messages", "conversation conv_"),
            ("messages", "attachments", "message msg_"),
        ] {
            let one = format!("WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT 1)");
            let one = if table == "mail_stores" { "" } else { &one };
            let change = |sign| format!("UPDATE {table} SET {column} = {column} {sign} 1 {one}");
            assert_found(gatepost, database, &change('-'), &change('+'), &[words]);
        }
        let kept = |bytes: &str| {
            format!("UPDATE messages SET kept = {bytes} WHERE seq = (SELECT MIN(seq) FROM messages)")
        };
        assert_found(gatepost, database, &kept("1"), &kept("NULL"), &["bytes, but is counted with 1"]);
        let (id, hour) = (bytes(database, "01"), "3600000000");
        let call = format!(
            "INSERT INTO activity (team_id, id, at, kind, actor_kind)
             SELECT id, {id}, {hour}, 'api.request', 'token' FROM teams"
        );
        database.execute(&call).expect("a call");
        let team = bytes(database, "");
        let wrong =
            format!("INSERT INTO call_counts SELECT id, {team}, {hour}, 0, 0, 0, 0, FALSE FROM teams");
        let words = ["team Acme made 1 calls in an hour that is counted with 0"];
        assert_found(gatepost, database, &wrong, "UPDATE call_counts SET succeeded = 1", &words);
        assert_sound(gatepost);
    });
}

#[test]
fn rows_without_a_counterpart_are_found() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        deliver(gatepost, "one");
        let (id, none) = (bytes(database, "01"), bytes(database, "02"));
        let found = |wrong: &str, right: &str, words: &[&str]| {
            assert_found(gatepost, database, wrong, right, words);
        };
        let (away, back) = ("SET seq = seq + 1000", "SET seq = seq - 1000");
        let contents = |set: &str| format!("UPDATE message_contents {set}");
        found(
            &contents(away),
            &contents(back),
            &["has no content", "the content at 1001 belongs to no message"],
        );
        let attachment =
            format!("INSERT INTO attachments VALUES ({id}, {none}, 999, 0, NULL, 'a/b', 1, FALSE, NULL)");
        found(&attachment, "DELETE FROM attachments", &["attachment att_0101"]);
        let conversations = |set: &str| format!("UPDATE conversations SET id = {set}");
        let kept = database.texts(&format!("SELECT {} AS t FROM conversations", database.hex("id")));
        let kept = bytes(database, "03").replace(&"03".repeat(16), &kept[0]);
        let words = ["is in a conversation that is missing", "has 0 messages, but is counted with 1"];
        found(&conversations(&none), &conversations(&kept), &words);
        let domain = format!(
            "INSERT INTO domains (id, team_id, name, proof, created_at, created_by_label, findings, catch_all_id)
             SELECT {id}, id, 'acme.test', 'proof', 0, 'ada', '[]', {none} FROM teams"
        );
        found(&domain, "DELETE FROM domains", &["the catch-all of domain acme.test is missing"]);
        let unset = "UPDATE instance SET set_up_at = NULL";
        found(unset, "UPDATE instance SET set_up_at = 1", &["the instance is not set up"]);
        match database {
            Database::Sqlite { .. } => {
                let words =
                    |number: i32| format!("INSERT INTO message_words (rowid, words) VALUES ({number}, 'x')");
                let gone = |number: i32| format!("DELETE FROM message_words WHERE rowid = {number}");
                found(&gone(1), &words(1), &["is found by no word"]);
                found(&words(999), &gone(999), &["the words at 999 belong to no message"]);
            }
            Database::Postgres { .. } => {
                let words = |set: &str| format!("UPDATE message_words {set}");
                found(
                    &words(away),
                    &words(back),
                    &["is found by no word", "the words at 1001 belong to no message"],
                );
            }
        }
        assert_sound(gatepost);
    });
}

#[test]
fn a_dangling_key_is_found() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
        let unchecked =
            |team: &str| database.execute_unchecked(&format!("UPDATE tokens SET team_id = {team}"));
        unchecked(&bytes(database, "01"));
        let found = gatepost.run(&["check"], "");
        let words = "a row of tokens refers to a row of teams that is missing\n";
        assert_eq!((found.code, found.stdout.as_str()), (Some(1), words), "{found:?}");
        unchecked("(SELECT id FROM teams)");
        assert_sound(gatepost);
    });
}

#[test]
fn many_findings_of_a_kind_are_shortened() {
    each_engine(|gatepost, database| {
        set_up(gatepost);
        let one = |number: u8| {
            let id = bytes(database, &format!("{number:02x}"));
            format!("INSERT INTO attachments VALUES ({id}, {id}, 999, 0, NULL, 'a/b', 1, FALSE, NULL)")
        };
        (0..30).for_each(|number| assert_eq!(database.execute(&one(number)), Ok(1)));
        let found = gatepost.run(&["check"], "");
        assert_eq!((found.code, found.stdout.lines().count()), (Some(1), 21), "{found:?}");
        assert!(found.stdout.ends_with("and more of this kind\n"), "{found:?}");
    });
}

#[test]
fn a_damaged_page_is_found() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    set_up(&gatepost);
    let page = database.number("SELECT rootpage AS n FROM sqlite_schema WHERE name = 'activity_by_person'");
    let options = std::fs::File::options().write(true).open(gatepost.data.path().join("gatepost.db"));
    let at = (page as u64 - 1) * 4096;
    options.expect("the file").write_all_at(&[7; 4096], at).expect("a damaged page");
    let found = gatepost.run(&["check"], "");
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.stdout.starts_with("SQLite: "), "{found:?}");
}

#[test]
fn a_check_without_a_store_is_an_error() {
    let gatepost = Gatepost::new();
    let refused = gatepost.run(&["check"], "");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("there is no store at"), "{refused:?}");
    assert_eq!(std::fs::read_dir(gatepost.data.path()).expect("a folder").count(), 0);
}
