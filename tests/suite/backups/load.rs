//! Repeated backups while calls, mail and changes arrive.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{empty_like, folder};
use crate::cli::PASSWORD;
use crate::support::database::Database;
use crate::support::load::{Call, Load, recorded};
use crate::support::mail_server::{Talk, letter, stored};
use crate::support::process::{Gatepost, Serving};

const TO: &str = "postmaster@gatepost.localhost";
const SENDERS: usize = 4;
/// Backups of each engine, one after the other. The full test takes 30, one every two seconds:
/// GATEPOST_TEST_BACKUPS=30.
const BACKUPS: usize = 5;
const EVERY: Duration = Duration::from_secs(2);

/// The requests confirmed so far.
#[derive(Clone, Default)]
struct Confirmed {
    calls: Vec<Call>,
    /// Subjects of mail, and of deleted mail.
    mail: Vec<String>,
    deleted: Vec<String>,
    aliases: Vec<String>,
}

#[derive(Default)]
struct Shared {
    confirmed: Mutex<Confirmed>,
    stop: AtomicBool,
}

impl Shared {
    fn keeps_going(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn note(&self, note: impl FnOnce(&mut Confirmed)) {
        note(&mut self.confirmed.lock().expect("the confirmed requests"));
    }

    fn until_now(&self, load: &Load) -> Confirmed {
        Confirmed { calls: load.calls(0), ..self.confirmed.lock().expect("the confirmed requests").clone() }
    }
}

/// Sends mail over a new connection each time.
fn send(to: SocketAddr, sender: usize, shared: &Shared) {
    let mut number = 0;
    while shared.keeps_going() {
        let mut talk = Talk::smtp(to);
        for _ in 0..20 {
            number += 1;
            let subject = format!("m{sender}x{number}");
            talk.say("MAIL FROM:<bob@example.test>").reply();
            talk.say(&format!("RCPT TO:<{TO}>")).reply();
            if !talk.say("DATA").reply().starts_with("354") {
                break;
            }
            let reply = talk.send(letter(&subject)).send(".\r\n").reply();
            if reply.starts_with("250") {
                shared.note(|it| it.mail.push(subject));
            }
        }
    }
}

/// Creates aliases, and deletes a message now and then.
async fn change(base: String, token: String, shared: Arc<Shared>) {
    let client = Client::builder().no_proxy().build().expect("a client");
    let ask = |method: Method, path: &str, body: Value| {
        client.request(method, format!("{base}/api/v1{path}")).bearer_auth(&token).json(&body).send()
    };
    let mut number = 0;
    while shared.keeps_going() {
        number += 1;
        let local = format!("a{number}");
        let made = ask(Method::POST, "/aliases", json!({"localPart": local})).await.expect("a response");
        if made.status() == 201 {
            shared.note(|it| it.aliases.push(local));
        }
        let list = client.get(format!("{base}/api/v1/messages?limit=1")).bearer_auth(&token).send();
        let newest: Value = list.await.expect("a response").json().await.expect("JSON");
        if let (Some(id), Some(subject)) =
            (newest["data"][0]["id"].as_str(), newest["data"][0]["subject"].as_str())
        {
            shared.note(|it| it.deleted.push(subject.to_owned()));
            ask(Method::DELETE, &format!("/messages/{id}"), json!({})).await.expect("a response");
        }
    }
}

/// Takes backups under load. Returns what was confirmed before each began.
async fn take(gatepost: &Gatepost, server: &Serving, token: &str, files: &[String]) -> Vec<Confirmed> {
    let shared = Arc::new(Shared::default());
    let load = Load::start(&[&server.base], 16, Duration::from_millis(2), token);
    let changing = tokio::spawn(change(server.base.clone(), token.to_owned(), shared.clone()));
    let to = crate::support::mail_server::of(server);
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let shared = shared.clone();
            thread::spawn(move || send(to, sender, &shared))
        })
        .collect();
    load.until_each(100, |call| call.status == 200).await;
    let mut confirmed = Vec::new();
    for file in files {
        let began = Instant::now();
        let before = shared.until_now(&load);
        gatepost.ok(&["backup", file], "");
        let took = began.elapsed();
        // Resources deleted during the backup may or may not be in it.
        confirmed.push(Confirmed { deleted: shared.until_now(&load).deleted, ..before });
        assert_eq!(gatepost.ok(&["check"], ""), "No problems found.\n", "while the server runs");
        let calls = load.count();
        if files.len() > BACKUPS {
            println!("a backup in {} ms, {calls} calls so far", took.as_millis());
            tokio::time::sleep(EVERY.saturating_sub(began.elapsed())).await;
        } else {
            load.until_each(100, |call| call.status == 200).await;
        }
    }
    shared.stop.store(true, Ordering::Relaxed);
    let calls = load.stop().await;
    assert!(calls.iter().all(|call| call.status == 200), "a call was refused");
    changing.await.expect("changes that finish");
    senders.into_iter().for_each(|sender| sender.join().expect("a sender that finishes"));
    confirmed
}

/// Checks that everything confirmed is in the backup, once.
fn assert_contains(file: &str, original: &Database, confirmed: &Confirmed) {
    let (gatepost, database) = empty_like(original);
    gatepost.ok(&["restore", file], "");
    assert_eq!(gatepost.ok(&["check"], ""), "No problems found.\n");
    // Starting a server flushes the journal.
    assert_eq!(gatepost.serve().terminate().code, Some(0));
    assert!(database.journal_is_empty());
    assert_eq!(gatepost.ok(&["check"], ""), "No problems found.\n");
    assert_eq!(recorded(&database, &confirmed.calls), confirmed.calls.len(), "calls are missing");
    let there: Vec<String> = stored(&database).into_iter().map(|(_, subject)| subject).collect();
    let lost = |subject: &&String| !there.contains(subject) && !confirmed.deleted.contains(subject);
    let lost: Vec<_> = confirmed.mail.iter().filter(lost).collect();
    assert!(lost.is_empty(), "mail is missing: {lost:?}");
    let there = database.texts("SELECT local AS t FROM aliases");
    let lost: Vec<_> = confirmed.aliases.iter().filter(|alias| !there.contains(alias)).collect();
    assert!(lost.is_empty(), "aliases are missing: {lost:?}");
}

async fn promise(gatepost: Gatepost, database: Database) {
    let count =
        std::env::var("GATEPOST_TEST_BACKUPS").map_or(BACKUPS, |count| count.parse().expect("a number"));
    let gatepost = gatepost.with("GATEPOST_PLAN_LIMITS", "pro=100000000");
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], PASSWORD);
    gatepost.ok(&["api", "Acme", "on"], "");
    let mint = ["token", "mint", "--team", "Acme", "--name", "caller", "--scopes", "all"];
    let token = gatepost.ok(&mint, "").trim_end().to_owned();
    let server = gatepost.serve();
    let folder = folder();
    let files: Vec<_> =
        (0..count).map(|at| folder.path().join(format!("{at}.tar")).display().to_string()).collect();
    let confirmed = take(&gatepost, &server, &token, &files).await;
    assert_eq!(server.terminate().code, Some(0));
    for (file, confirmed) in files.iter().zip(&confirmed) {
        assert_contains(file, &database, confirmed);
    }
    let last = confirmed.last().expect("a backup");
    let (calls, mail, aliases) = (last.calls.len(), last.mail.len(), last.aliases.len());
    println!(
        "{count} of {count} restored; the last one contained {calls} calls, {mail} messages, {aliases} aliases"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_contains_everything_confirmed_on_sqlite() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    promise(gatepost, database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_contains_everything_confirmed_on_postgres() {
    let database = Database::postgres();
    let gatepost = Gatepost::new().with("GATEPOST_DATABASE_URL", database.url());
    promise(gatepost, database).await;
}
