//! kill -9 during deliveries: every message that got a 250 is stored once.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::database::Database;
use crate::support::mail_server::{self, Talk};
use crate::support::process::Gatepost;

const TO: &str = "postmaster@gatepost.localhost";
const BLOCKED: &str = "eve@example.test";
const MESSAGES: usize = 1000;
const SENDERS: usize = 20;

/// Sends each message until it is accepted, over as many servers as necessary. Returns the subjects that
/// got a 250.
fn send_until_killed(
    to: SocketAddr,
    next: &AtomicUsize,
    unsent: &Mutex<Vec<usize>>,
    taken: &Mutex<Vec<String>>,
) {
    let mut talk = Talk::connect(to);
    if !talk.reply().starts_with("220") || !talk.say("EHLO client.test").reply().starts_with("250") {
        return;
    }
    loop {
        let again = unsent.lock().expect("the unsent messages").pop();
        let number = again.unwrap_or_else(|| next.fetch_add(1, Ordering::SeqCst));
        if number >= MESSAGES {
            return;
        }
        let subject = format!("m{number}");
        // Every fourth message is from a blocked contact.
        let from = if number.is_multiple_of(4) { BLOCKED } else { "bob@example.test" };
        let letter = mail_server::letter(&subject)
            .replace("hello@gatepost.localhost", TO)
            .replace("bob@example.test", from);
        talk.send(format!("MAIL FROM:<bob@example.test>\r\nRCPT TO:<{TO}>\r\nDATA\r\n"));
        let ready = (0..3).map(|_| talk.reply()).last().expect("a reply");
        if ready.starts_with("354") && talk.send(letter).send(".\r\n").reply().starts_with("250") {
            taken.lock().expect("the accepted messages").push(subject);
        } else {
            // The message may or may not be stored, so it is sent again.
            unsent.lock().expect("the unsent messages").push(number);
            return;
        }
    }
}

fn promise(gatepost: &Gatepost, database: &Database) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery");
    let block = format!(
        "INSERT INTO contacts (id, team_id, address, address_key, state, received, created_at)
         SELECT id, id, '{BLOCKED}', '{BLOCKED}', 'blocked', 0, 0 FROM teams"
    );
    assert_eq!(database.execute(&block), Ok(1));
    let (next, unsent, taken) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let mut rounds = 0;
    while next.load(Ordering::SeqCst) < MESSAGES || !unsent.lock().expect("the unsent messages").is_empty() {
        let serving = gatepost.serve();
        let to = mail_server::of(&serving);
        rounds += 1;
        // Each of the first rounds kills the server after a different number of messages.
        let until = if rounds <= 8 {
            taken.lock().expect("the accepted messages").len() + 60 + 11 * rounds
        } else {
            usize::MAX
        };
        thread::scope(|scope| {
            let senders: Vec<_> =
                (0..SENDERS).map(|_| scope.spawn(|| send_until_killed(to, &next, &unsent, &taken))).collect();
            while taken.lock().expect("the accepted messages").len() < until
                && senders.iter().any(|it| !it.is_finished())
            {
                thread::yield_now();
            }
            serving.kill();
        });
        check(database, &taken.lock().expect("the accepted messages"));
    }
    assert!(rounds > 8, "the server was never killed: {rounds}");
    assert_eq!(taken.lock().expect("the accepted messages").len(), MESSAGES);
    assert_eq!(database.number("SELECT COUNT(*) AS n FROM messages"), MESSAGES as i64);
    let denied = "SELECT COUNT(*) AS n FROM messages WHERE state = 'denied'";
    assert_eq!(database.number(denied), MESSAGES as i64 / 4);
}

fn check(database: &Database, taken: &[String]) {
    let stored: Vec<String> = mail_server::stored(database).into_iter().map(|(_, subject)| subject).collect();
    let unique: std::collections::HashSet<&String> = stored.iter().collect();
    assert_eq!(unique.len(), stored.len(), "a message was stored twice");
    let lost: Vec<_> = taken.iter().filter(|subject| !unique.contains(subject)).collect();
    assert!(lost.is_empty(), "accepted and lost: {lost:?}");
    let halves = "messages m WHERE NOT EXISTS (SELECT 1 FROM message_contents c WHERE c.seq = m.seq)";
    assert_eq!(database.number(&format!("SELECT COUNT(*) AS n FROM {halves}")), 0);
    for (counters, state) in [
        ("bytes = {} AND messages = {}", "delivered"),
        ("refused_bytes = {} AND refused_messages = {}", "denied"),
    ] {
        let of_state =
            |what: &str| format!("(SELECT COALESCE(SUM({what}), 0) FROM messages WHERE state = '{state}')");
        let exact = counters.replacen("{}", &of_state("size"), 1).replacen("{}", &of_state("1"), 1);
        let team = database.number(&format!("SELECT COUNT(*) AS n FROM mail_stores WHERE {exact}"));
        assert!(team == 1 || stored.is_empty(), "the counters of {state} are wrong");
    }
}

#[test]
fn kill_9_loses_no_accepted_message_on_sqlite() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    promise(&gatepost, &database);
    let broken = "SELECT count(*) AS n FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
    assert_eq!(database.number(broken), 0);
}

#[test]
fn kill_9_loses_no_accepted_message_on_postgres() {
    let database = Database::postgres();
    let gatepost = Gatepost::new().with("GATEPOST_DATABASE_URL", database.url());
    promise(&gatepost, &database);
}
