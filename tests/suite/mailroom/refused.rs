//! Refused mail takes little storage, and doesn't count against the quota.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use gatepost::domain::Error;
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::arrival::Arrival;
use gatepost::domain::mailroom::authentication::{Authentication, Policy, Verdict};
use gatepost::domain::mailroom::batch::Batch;
use gatepost::domain::mailroom::downloads;
use gatepost::domain::mailroom::messages::{self, Filter, MailUsage, MessageId, MessageState};
use gatepost::domain::mailroom::parse::parse;
use gatepost::domain::mailroom::receive::{Outcome, receive};
use gatepost::domain::mailroom::route::{MailSettings, Recipient, Unroutable};
use gatepost::store::{Location, Store, check};

use super::receiving::dmarc;
use super::steps::letter;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn forged() -> Authentication {
    dmarc(Verdict::Fail, Policy::Reject)
}

fn rejected(outcome: Outcome) -> MessageId {
    match outcome {
        Outcome::Rejected { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

fn mail_usage(app: &TestApp) -> MailUsage {
    let team = app.team("Acme").id;
    app.operate(|tx, _| messages::usage(tx, team))
}

/// Checks that the counters match the rows, and that a deleted message leaves nothing.
#[track_caller]
fn assert_exact(app: &TestApp) {
    let location = Location::parse(app.database.url()).expect("an address");
    assert_eq!(check::findings(&location).expect("a store"), [""; 0]);
}

/// Stores rejected messages under this limit in bytes.
fn reject(app: &TestApp, to: &Recipient, share: i64, raws: &[String]) -> Result<Vec<Outcome>, Error> {
    let settings = MailSettings { refused_bytes: share, ..MailSettings::clone(app.app.mail_settings()) };
    let arrivals = raws.iter().map(|raw| Arrival {
        envelope_from: Some("a@b.test".into()),
        helo: "mx.test".into(),
        ip: None,
        tls: false,
        parsed: parse(raw.as_bytes()),
        raw: raw.as_bytes().to_vec().into(),
        authentication: forged(),
    });
    let (actor, arrivals) = (app.app.system(), arrivals.collect::<Vec<_>>());
    app.app.write_now(|tx| {
        let mut batch = Batch::new(&settings);
        let outcomes = arrivals.iter().map(|arrival| receive(tx, &actor, arrival, to, &mut batch));
        let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
        batch.write(tx, actor.now).map(|()| outcomes)
    })
}

fn sized(number: usize, size: usize) -> String {
    letter("ceo@example.com", &format!("{number}@x"), &format!("word{number}"), &"x".repeat(size))
}

both_engines! {
    async fn only_the_beginning_of_a_long_refused_message_is_stored(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let raw = format!(
            "From: ceo@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\n{}\n\
             --b\nContent-Type: image/png\nContent-Disposition: attachment; filename=a.png\n\nPNG\n--b--\n",
            "words ".repeat(50_000)
        );
        let id = rejected(app.send_as("a@b.test", HELLO, &raw, forged()).await.expect("an outcome"));
        let opened = app.operate(|tx, _| messages::open(tx, team, id));
        let beginning = app.operate(|tx, _| downloads::beginning(tx, team, id, 1 << 20));
        assert!(beginning.len() < 70_000 && raw.replace('\n', "\r\n").as_bytes().starts_with(&beginning));
        assert_eq!((opened.message.kept, opened.text.len()), (Some(beginning.len() as i64), 64 << 10));
        assert!(opened.message.size > 300_000 && opened.attachments.is_empty() && opened.message.attachments == 0);
        assert_exact(&app);
        // A delivered message is stored whole.
        app.keep("a@b.test", HELLO, &raw).await;
        assert_eq!((app.count("attachments"), mail_usage(&app).messages), (1, 1));
        assert_exact(&app);
        app.operate(|tx, actor| messages::delete(tx, actor, team, id));
        assert_eq!((mail_usage(&app).refused_bytes, mail_usage(&app).refused_messages, mail_usage(&app).messages), (0, 0, 1));
        assert_exact(&app);
    }

    async fn refused_mail_is_limited_and_the_oldest_is_removed(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let to = app.route(HELLO).await.expect("an alias");
        app.keep("bob@a.test", HELLO, &letter("bob@a.test", "wanted@x", "Wanted", "Hi")).await;
        for group in 0..20 {
            app.clock.advance(Duration::from_secs(1));
            let raws: Vec<_> = (0..5).map(|each| sized(5 * group + each, 2000)).collect();
            reject(&app, &to, 100_000, &raws).expect("stored messages");
            let usage = mail_usage(&app);
            assert!(usage.refused_bytes + usage.refused_messages * 4096 <= 100_000, "{usage:?}");
            assert_exact(&app);
        }
        let all = app.operate(|tx, _| messages::list(tx, team, &Filter::default(), Window::first(100))).rows;
        let subjects: Vec<_> = all.iter().map(|message| message.subject.as_str()).collect();
        let expected: Vec<_> = (0..mail_usage(&app).refused_messages).map(|back| format!("word{}", 99 - back)).collect();
        assert!(expected.len() > 10);
        assert_eq!(subjects[..expected.len()], expected);
        assert_eq!(subjects[expected.len()..], ["Wanted"]);
        let found = |word: &str| app.operate(|tx, _| messages::search(tx, team, word, &Filter::default(), None, 10));
        assert_eq!((found("word0").rows.len(), found("word99").rows.len()), (0, 1));

        // A message larger than the limit is not stored.
        reject(&app, &to, 100, &[sized(1000, 10)]).expect("an outcome");
        assert_eq!((mail_usage(&app).refused_messages, app.count("messages")), (0, 1));
        assert_exact(&app);
    }

    async fn refused_mail_over_the_limit_is_removed_gradually(app: TestApp) {
        app.alias("Acme", "hello");
        let to = app.route(HELLO).await.expect("an alias");
        let raws: Vec<_> = (0..500).map(|number| sized(number, 10)).collect();
        reject(&app, &to, 1 << 40, &raws).expect("stored messages");
        let room = |usage: MailUsage| usage.refused_bytes + usage.refused_messages * 4096;
        for round in 0..15 {
            let before = room(mail_usage(&app));
            reject(&app, &to, 200_000, &[sized(1000 + round, 200_000)]).expect("stored messages");
            assert!(room(mail_usage(&app)) < before.max(200_001));
        }
        assert!(room(mail_usage(&app)) <= 200_000, "{:?}", mail_usage(&app));
        assert_exact(&app);
    }

    async fn deleting_messages_does_not_deadlock_with_deliveries(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let to = app.route(HELLO).await.expect("an alias");
        reject(&app, &to, 1 << 40, &(0..60).map(|number| sized(number, 10)).collect::<Vec<_>>()).expect("stored messages");
        let (done, of_team) = (AtomicBool::new(false), Filter::default());
        thread::scope(|scope| {
            let deleting = scope.spawn(|| {
                let mut deleted = 0;
                while !done.load(Ordering::Relaxed) {
                    let all = app.operate(|tx, _| messages::list(tx, team, &of_team, Window::first(60))).rows;
                    for message in all.iter().rev().take(5) {
                        let actor = app.app.operator();
                        match app.app.write_now(|tx| messages::delete(tx, &actor, team, message.id)) {
                            Ok(()) => deleted += 1,
                            Err(Error::NotFound) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
                deleted
            });
            for number in 100..300 {
                let kept = reject(&app, &to, 50_000, &[sized(number, 10)]);
                kept.unwrap_or_else(|cause| panic!("{cause}"));
            }
            done.store(true, Ordering::Relaxed);
            deleting.join().expect("no deadlock");
        });
        assert_exact(&app);
    }

    async fn counters_of_earlier_versions_are_migrated(app: TestApp) {
        app.alias("Acme", "hello");
        app.alias("Globex", "theirs");
        app.send_as("a@b.test", HELLO, &letter("ceo@example.com", "1@x", "Hi", "Hi"), forged()).await.expect("stored messages");
        app.keep("a@b.test", HELLO, &letter("bob@example.com", "2@x", "Hi", "Hello")).await;
        app.keep("a@b.test", "theirs@gatepost.localhost", &letter("bob@example.com", "2@x", "Hi", "Hello")).await;
        let now = mail_usage(&app);
        assert!(now.messages == 1 && now.refused_messages == 1 && now.bytes != now.refused_bytes);
        let engine = if app.database.url().starts_with("sqlite") { "sqlite" } else { "postgres" };
        let migration = format!("{}/migrations/{engine}/2026-11-26-310000_refused_mail", env!("CARGO_MANIFEST_DIR"));
        let down = std::fs::read_to_string(format!("{migration}/down.sql")).expect("a migration");
        for statement in down.split(';').map(str::trim).filter(|sql| !sql.is_empty()) {
            app.database.execute(statement).expect(statement);
        }
        let whole = now.bytes + now.refused_bytes;
        assert_eq!(app.count(&format!("mail_stores WHERE messages = 2 AND bytes = {whole}")), 1);
        let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '20261126310000'";
        assert_eq!(app.database.execute(forget), Ok(1));
        drop(Store::open(Location::parse(app.database.url()).expect("an address")).expect("a store"));
        assert_eq!(mail_usage(&app), now);
        assert_eq!(app.count("mail_stores WHERE messages = 1 AND refused_messages = 0 AND refused_bytes = 0"), 1);
    }
}

#[tokio::test]
async fn forged_mail_does_not_count_against_the_quota() {
    let setting = [("GATEPOST_MAIL_QUOTA", "2KiB")];
    for app in [TestApp::with_settings(&setting).await, TestApp::postgres_with_settings(&setting).await] {
        app.alias("Acme", "hello");
        let to = app.route(HELLO).await.expect("an alias");
        for number in 0..10 {
            rejected(
                app.send_as("a@b.test", HELLO, &sized(number, 1000), forged()).await.expect("an outcome"),
            );
        }
        let fits = letter("bob@a.test", "fits@x", "Hi", &"x".repeat(1700));
        app.keep("bob@a.test", HELLO, &fits).await;
        let full = app.send("bob@a.test", HELLO, &sized(20, 1000)).await.expect("an outcome");
        assert_eq!(full, Outcome::NotAccepted(Unroutable::Full));
        // A permanent refusal (5xx) takes precedence over a full mailbox (4xx).
        let deliver =
            |raw: String| app.app.deliver(Default::default(), raw.into_bytes(), forged(), vec![to.clone()]);
        rejected(deliver(sized(30, 1000)).await.remove(0).expect("an outcome"));
        assert_exact(&app);
        let state = Filter { state: Some(MessageState::Rejected), ..Filter::default() };
        let team = app.team("Acme").id;
        assert_eq!(app.operate(|tx, _| messages::count(tx, team, &state)).0, 11);
    }
}
