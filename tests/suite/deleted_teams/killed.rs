//! kill -9 while the job removes rows: the store stays consistent, and the next server continues.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost::app::App;
use gatepost::config::Config;
use gatepost::domain::clock::SystemClock;
use gatepost::domain::entropy::SystemEntropy;
use gatepost::domain::mailroom::address::LocalPart;
use gatepost::domain::mailroom::aliases::{self, NewAlias};
use gatepost::domain::mailroom::arrival::Arrival;
use gatepost::domain::mailroom::authentication::Authentication;
use gatepost::domain::mailroom::batch::Batch;
use gatepost::domain::mailroom::parse::parse;
use gatepost::domain::mailroom::{receive, route};
use gatepost::domain::people::{deleted_teams, teams};

use super::assert_sound;
use crate::support::database::Database;
use crate::support::process::Gatepost;

const MESSAGES: usize = 1000;
const KEY: &str = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";
const TIMEOUT: Duration = Duration::from_secs(300);
const PASSWORD: &str = "correct horse battery\n";

/// Fills two teams and deletes one, without a server that could run the job.
fn prepare(gatepost: &Gatepost, database: &Database) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], PASSWORD);
    gatepost.ok(&["setup", "--team", "Globex", "--owner", "dan@globex.test"], PASSWORD);
    let folder = gatepost.data.path().display().to_string();
    let settings = [
        ("GATEPOST_DATA", &*folder),
        ("GATEPOST_DATABASE_URL", database.url()),
        ("GATEPOST_SECRET_KEY", KEY),
    ];
    let config = Config::from_vars(settings).expect("good settings");
    let app = App::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).expect("an open app");
    for (team, local, messages) in [("Acme", "acme", MESSAGES), ("Globex", "globex", 10)] {
        deliver(&app, team, local, messages);
    }
    let actor = app.operator();
    let deleted = app.write_now(|tx| {
        let acme = teams::find_by_name(tx, "Acme")?.id;
        deleted_teams::delete(tx, &actor, acme)
    });
    assert_eq!(deleted.expect("a deletion").name, "Acme");
    app.close();
}

fn deliver(app: &App, team: &str, local: &str, messages: usize) {
    let (actor, settings) = (app.operator(), app.mail_settings().clone());
    let arrivals = (0..messages).map(|number| {
        let raw = format!(
            "From: a{}@b.test\r\nMessage-ID: <{number}@{local}>\r\nSubject: Note\r\n\r\nHi\r\n",
            number % 100
        );
        Arrival {
            envelope_from: Some("a@b.test".into()),
            helo: "mx.test".into(),
            ip: None,
            tls: false,
            parsed: parse(raw.as_bytes()),
            raw: raw.into_bytes().into(),
            authentication: Authentication::default(),
        }
    });
    let arrivals: Vec<_> = arrivals.collect();
    let delivered = app.write_now(|tx| {
        let team = teams::find_by_name(tx, team)?.id;
        let new = NewAlias { local: Some(LocalPart::parse(local)?), domain: None, note: None };
        let address = aliases::create(tx, &actor, team, &settings.domain, &new)?.address();
        let recipient = route::route(tx, &settings, &address)?.expect("a recipient");
        let mut batch = Batch::new(&settings);
        for arrival in &arrivals {
            receive::receive(tx, &actor, arrival, &recipient, &mut batch)?;
        }
        batch.write(tx, actor.now)
    });
    delivered.expect("delivered mail");
}

async fn promise(gatepost: Gatepost, database: Database) {
    prepare(&gatepost, &database);
    let count = |rows: &str| database.number(&format!("SELECT count(*) AS n FROM {rows}"));
    let all = MESSAGES as i64 + 10;
    assert_eq!(count("messages"), all);
    let mut left = all;
    for _ in 0..2 {
        let (serving, start) = (gatepost.serve(), Instant::now());
        let before = left;
        let mut looks = tokio::time::interval(Duration::from_millis(2));
        while left == before {
            assert!(start.elapsed() < TIMEOUT, "nothing was removed");
            looks.tick().await;
            left = count("messages");
        }
        serving.kill();
        left = count("messages");
        assert!(left > 10, "everything was removed before the server was killed");
        assert_sound(database.url());
    }
    let (_serving, start) = (gatepost.serve(), Instant::now());
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    while count("jobs WHERE kind = 'teams.purge' AND dedupe_key LIKE '%/1'") == 0 {
        assert!(start.elapsed() < TIMEOUT, "{} messages are left", count("messages"));
        looks.tick().await;
    }
    assert_eq!((count("messages"), count("message_contents")), (10, 10));
    assert_eq!((count("contacts"), count("teams WHERE deleted_at IS NOT NULL")), (10, 1));
    assert_sound(database.url());
}

fn installed(database: &Database, gatepost: Gatepost) -> Gatepost {
    gatepost.with("GATEPOST_DATABASE_URL", database.url()).with("GATEPOST_SECRET_KEY", KEY)
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    promise(installed(&database, gatepost), database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let database = Database::postgres();
    promise(installed(&database, Gatepost::new()), database).await;
}
