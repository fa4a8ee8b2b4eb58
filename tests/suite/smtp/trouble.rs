//! Failures: a full or unreachable store, a stopping process, and operators' mistakes.

use crate::support::database::Database;
use crate::support::mail_server::{self, Talk, letter};
use crate::support::process::{Gatepost, taken_address};
use crate::support::proxy::Proxy;

const TO: &str = "postmaster@gatepost.localhost";

fn set_up(gatepost: &Gatepost) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery");
}

/// The database becomes unavailable during a session, and returns.
fn waits_for_the_store(gatepost: &Gatepost, database: &Database, go: impl Fn(), come: impl Fn()) {
    let server = gatepost.serve();
    let mut talk = Talk::smtp(mail_server::of(&server));
    talk.envelope("bob@example.test", &[TO]).data(letter("before")).expect("250");
    talk.envelope("bob@example.test", &[TO]).say("DATA").expect("354");
    go();
    talk.send(letter("meanwhile")).send("\r\n.\r\n").expect("451 4.3.0");
    talk.say("MAIL FROM:<bob@example.test>").expect("250");
    talk.say(&format!("RCPT TO:<{TO}>")).expect("451 4.3.0");
    talk.say("RSET").expect("250");
    come();
    let mut taken = false;
    for _ in 0..200 {
        // Dead connections may have to be discarded first.
        talk = Talk::smtp(mail_server::of(&server));
        talk.say("MAIL FROM:<bob@example.test>").expect("250");
        if talk.say(&format!("RCPT TO:<{TO}>")).reply().starts_with("250")
            && talk.data(letter("meanwhile")).reply().starts_with("250")
        {
            taken = true;
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(taken, "{}", server.stderr());
    let subjects: Vec<_> = mail_server::stored(database).into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(subjects, ["before", "meanwhile"]);
}

#[test]
fn mail_is_deferred_while_postgres_is_down() {
    let database = Database::postgres();
    let proxy = Proxy::before(database.url());
    let gatepost = Gatepost::new().with("GATEPOST_DATABASE_URL", proxy.url());
    set_up(&gatepost);
    waits_for_the_store(&gatepost, &database, || proxy.close(), || proxy.forward());
}

#[test]
fn mail_is_deferred_while_the_disk_is_full() {
    let gatepost = Gatepost::new().with("GATEPOST_MAIL_QUOTA", "2KiB");
    set_up(&gatepost);
    let server = gatepost.serve();
    let mut talk = Talk::smtp(mail_server::of(&server));
    talk.envelope("bob@example.test", &[TO]).data(letter("one")).expect("250");
    let large = letter("two") + &"a".repeat(2000);
    talk.envelope("bob@example.test", &[TO]).data(large).expect("452 4.2.2");
    talk.envelope("bob@example.test", &[TO]).data(letter("three")).expect("250");
}

#[test]
fn a_stopping_process_finishes_deliveries() {
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let database = Database::sqlite(gatepost.data.path());
    let server = gatepost.serve();
    let to = mail_server::of(&server);
    let (mut busy, mut idle) = (Talk::smtp(to), Talk::smtp(to));
    busy.envelope("bob@example.test", &[TO]).say("DATA").expect("354");
    server.signal("TERM");
    idle.expect("421 4.3.2");
    Talk::connect(to).expect("421 4.3.2");
    busy.send(letter("last")).send("\r\n.\r\n").expect("250 2.0.0 Stored");
    busy.expect("421 4.3.2");
    drop((busy, idle));
    assert_eq!(server.ended().code, Some(0));
    assert_eq!(mail_server::stored(&database).len(), 1);
}

#[test]
fn a_port_in_use_is_reported() {
    let (_taken, address) = taken_address();
    for setting in ["GATEPOST_SMTP_LISTEN", "GATEPOST_LMTP_LISTEN"] {
        let finished = Gatepost::new().with(setting, &address).run(&["serve"], "");
        assert_eq!(finished.code, Some(1));
        assert!(finished.stderr.contains(&address) && finished.stderr.contains(setting), "{finished:?}");
    }
    let gatepost = Gatepost::new().with("GATEPOST_SMTP_LISTEN", "off");
    assert!(!gatepost.serve().stdout().contains("Mail by"));
    let missing =
        Gatepost::new().with("GATEPOST_TLS_CERT", "/no/such.pem").with("GATEPOST_TLS_KEY", "/no/such.key");
    let finished = missing.run(&["serve"], "");
    assert!(finished.code == Some(1) && finished.stderr.contains("/no/such.pem"), "{finished:?}");
}

#[test]
fn an_operator_delivers_a_message() {
    let gatepost = Gatepost::new().with("GATEPOST_SMTP_MAX_SIZE", "64KiB");
    set_up(&gatepost);
    let database = Database::sqlite(gatepost.data.path());
    let text = letter("by hand").replace('\r', "");
    let said = gatepost.ok(&["deliver", "postmaster"], &text);
    let (id, subject) = mail_server::stored(&database).remove(0);
    assert_eq!((said, subject), (format!("Stored as {id}.\n"), "by hand".to_owned()));
    let again = gatepost.ok(&["deliver", "Postmaster@gatepost.localhost"], &text);
    assert_eq!(again, format!("Already stored as {id}.\n"));
    assert_eq!(
        database.number("SELECT COUNT(*) AS n FROM messages WHERE envelope_from = 'bob@example.test'"),
        1
    );
    for (to, text, words) in [
        ("nobody", text.as_str(), "there is no alias nobody@gatepost.localhost"),
        ("hello@elsewhere.test", &text, "there is no alias hello@elsewhere.test"),
        ("postmaster", "", "no message on standard input"),
        ("postmaster", &"a".repeat(70_000), "65536 bytes"),
        ("postmaster", "Subject: x\n\nx", "The header has no From field"),
        ("postmaster", &format!("From bob Mon Jan 1 09:00\n{text}"), "The header has a line"),
    ] {
        let finished = gatepost.run(&["deliver", to], text);
        assert!(finished.code == Some(1) && finished.stderr.contains(words), "{finished:?}");
        assert_eq!(finished.stderr.lines().count(), 1);
    }
}

/// The server checkpoints a long WAL before a commit has to, and the next writer starts a new one.
#[test]
fn the_wal_of_the_store_is_checkpointed() {
    const LONG: i32 = 8192;
    let gatepost = Gatepost::new();
    set_up(&gatepost);
    let database = Database::sqlite(gatepost.data.path());
    let server = gatepost.serve();
    let mut talk = Talk::smtp(mail_server::of(&server));
    let mut longest = 0;
    let mut number = 0;
    while longest < LONG {
        number += 1;
        assert!(number < 20, "the WAL never grew: {longest} pages");
        let large = letter(&format!("large {number}")) + &"a line of a letter\r\n".repeat(300_000);
        talk.envelope("bob@example.test", &[TO]).data(large).expect("250");
        longest = longest.max(database.log());
    }
    // Beyond 16,384 pages, the next commit would checkpoint it.
    for number in 0.. {
        talk.envelope("bob@example.test", &[TO]).data(letter(&format!("small {number}"))).expect("250");
        match database.log() {
            ..LONG => break,
            left => assert!(left < 15_000, "the WAL of {longest} pages was not checkpointed: {left}"),
        }
    }
}
