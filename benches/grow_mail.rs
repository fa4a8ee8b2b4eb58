//! Measures the duration of lists and searches as mail grows, and the rate of receiving:
//!
//! ```sh
//! cargo bench --bench grow_mail                       # SQLite, in a temporary folder
//! GROW_STORE=postgres://… cargo bench --bench grow_mail    # an empty database
//! GROW_ROWS=10000,1000000 cargo bench --bench grow_mail
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection, sql_query};
use futures_util::future::join_all;
use gatepost::app::App;
use gatepost::app::inbound::Envelope;
use gatepost::config::Config;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::clock::SystemClock;
use gatepost::domain::entropy::SystemEntropy;
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::address::LocalPart;
use gatepost::domain::mailroom::aliases::{self, AliasId, NewAlias};
use gatepost::domain::mailroom::messages::{self, Filter, Folder, MessageState};
use gatepost::domain::mailroom::receive::Outcome;
use gatepost::domain::people::passwords::{self, Password};
use gatepost::domain::people::teams::{self, NewTeam, TeamId, TeamName};
use gatepost::domain::people::users::{NewPerson, PersonName};
use gatepost::domain::text::EmailAddress;
use sha2::{Digest, Sha256};

const PAGE: i64 = 50;
/// The number of messages in a batch, and of batches.
const AT_ONCE: usize = 64;
const ROUNDS: usize = 32;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = format!("sqlite:{}", folder.path().join("gatepost.db").display());
    let url = std::env::var("GROW_STORE").unwrap_or(sqlite);
    let app = open(&folder.path().display().to_string(), &url);
    let (team, alias) = set_up(&app);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let store = Store { url, team };
    let mut rows = 0;
    println!("{:>10}  {:<28} {:>9} {:>9}", "rows", "what", "first ms", "median ms");
    for size in numbers("GROW_ROWS", "10000,1000000") {
        store.grow(rows, size);
        rows = size;
        measure(&app, team, alias, rows);
        let rate = runtime.block_on(accept_message(&app, rows));
        println!("{rows:>10}  {:<28} {rate:>9.0}", "messages accepted per second");
    }
    app.close();
}

fn numbers(name: &str, default: &str) -> Vec<u64> {
    let text = std::env::var(name).unwrap_or(default.into());
    text.split(',').map(|number| number.trim().parse().expect("a number")).collect()
}

fn open(folder: &str, url: &str) -> App {
    let config = Config::from_vars([("GATEPOST_DATA", folder), ("GATEPOST_DATABASE_URL", url)]);
    App::open(config.expect("valid settings"), Arc::new(SystemClock), Arc::new(SystemEntropy))
        .expect("an app")
}

fn set_up(app: &App) -> (TeamId, AliasId) {
    let actor = app.operator();
    let password = Password::parse("password", "correct horse battery").expect("a password");
    let owner = NewPerson {
        email: EmailAddress::parse("ada@acme.test").expect("an address"),
        name: PersonName::parse("Ada").expect("a name"),
        password_hash: passwords::hash(&password, &*app.entropy()),
    };
    let team = NewTeam { name: TeamName::parse("Acme").expect("a name"), plan: Plan::Enterprise, owner };
    let hello = NewAlias { local: LocalPart::parse("hello").ok(), domain: None, note: None };
    let made = app.write_now(|tx| {
        let (team, _) = teams::create(tx, &actor, &team)?;
        let alias = aliases::create(tx, &actor, team.id, &app.mail_settings().domain, &hello)?;
        Ok((team.id, alias.id))
    });
    made.expect("a team and an alias")
}

type Question = (&'static str, Box<dyn Fn(&App) -> usize>);

fn measure(app: &App, team: TeamId, alias: AliasId, rows: u64) {
    let narrowed = |filter: Filter| {
        move |app: &App| {
            let list = app.read_now(|tx| messages::list(tx, team, &filter, Window::first(PAGE)));
            list.expect("a list").rows.len()
        }
    };
    let searched = |query: &'static str| {
        move |app: &App| {
            let found = app.read_now(|tx| messages::search(tx, team, query, &Filter::default(), None, PAGE));
            found.expect("a response").rows.len()
        }
    };
    let none = Filter::default;
    let questions: [Question; 15] = [
        ("list", Box::new(narrowed(none()))),
        ("list: inbox", Box::new(narrowed(Filter { folder: Some(Folder::Inbox), ..none() }))),
        ("list: unread", Box::new(narrowed(Filter { unread: true, ..none() }))),
        ("list: an alias", Box::new(narrowed(Filter { alias: Some(alias), ..none() }))),
        (
            "list: denied (1 of 1000)",
            Box::new(narrowed(Filter { state: Some(MessageState::Denied), ..none() })),
        ),
        (
            "unread count",
            Box::new(move |app| app.read_now(|tx| messages::unread(tx, team)).expect("a count").0 as usize),
        ),
        (
            "counts of the tabs",
            Box::new(move |app| {
                app.read_now(|tx| messages::tallies(tx, team)).expect("counts").inbox as usize
            }),
        ),
        ("search: in all", Box::new(searched("common"))),
        ("search: in 1 of 10", Box::new(searched("w3"))),
        ("search: in 1 of 100", Box::new(searched("h42"))),
        ("search: in 1 of 10000", Box::new(searched("r4711"))),
        ("search: two words", Box::new(searched("h42 w2"))),
        ("search: two letters", Box::new(searched("v1"))),
        ("search: three letters", Box::new(searched("v12"))),
        ("search: in none", Box::new(searched("common nowhere"))),
    ];
    for (what, ask) in &questions {
        let mut times: Vec<_> = (0..6).map(|_| time(|| ask(app))).collect();
        let first = times.remove(0);
        times.sort();
        println!("{rows:>10}  {what:<28} {:>9.2} {:>9.2}", ms(first), ms(times[2]));
    }
}

fn time<T>(step: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    std::hint::black_box(step());
    began.elapsed()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Stores messages of 2 KiB and returns how many per second, each confirmed on disk.
async fn accept_message(app: &App, rows: u64) -> f64 {
    let began = Instant::now();
    for round in 0..ROUNDS {
        let sent = (0..AT_ONCE).map(|number| async move {
            let to =
                app.route_recipient("hello@gatepost.localhost").await.expect("a response").expect("an alias");
            let raw = letter(rows, round * AT_ONCE + number);
            let outcomes = app.deliver(Envelope::default(), raw, Default::default(), vec![to]).await;
            assert!(matches!(outcomes[..], [Ok(Outcome::Stored { .. })]), "{outcomes:?}");
        });
        join_all(sent).await;
    }
    (ROUNDS * AT_ONCE) as f64 / began.elapsed().as_secs_f64()
}

fn letter(rows: u64, number: usize) -> Vec<u8> {
    let mut text = format!(
        "From: Sender {0} <s{0}@example.com>\r\nTo: hello@gatepost.localhost\r\nSubject: Message {number}\r\n\
         Message-ID: <{rows}.{number}@example.com>\r\n\r\n",
        number % 500
    );
    let mut seed = number as u64;
    while text.len() < 2048 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("word{} ", (seed >> 33) % 20_000));
    }
    text.into_bytes()
}

/// A direct connection to the database, for statements that Gatepost never runs.
struct Store {
    url: String,
    team: TeamId,
}

impl Store {
    fn run(&self, sql: &str) {
        let done = match self.url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut connection = SqliteConnection::establish(path).expect("a file");
                sql_query("PRAGMA busy_timeout = 60000").execute(&mut connection).expect("a setting");
                sql_query(sql).execute(&mut connection)
            }
            None => sql_query(sql).execute(&mut PgConnection::establish(&self.url).expect("a Postgres")),
        };
        done.expect("a done statement");
    }

    fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// All messages belong to one team and alias, the worst case for both. One word is in all of them, others are in every
    /// tenth, hundredth and ten-thousandth message, and each has twenty out of 20,000 words.
    fn grow(&self, from: u64, to: u64) {
        let (hex, bytes) = match self.is_sqlite() {
            true => ("printf('%032x', i + 1)", "unhex"),
            false => ("lpad(to_hex(CAST(i + 1 AS BIGINT)), 32, '0')", ""),
        };
        let id = if bytes.is_empty() { format!("decode({hex}, 'hex')") } else { format!("{bytes}({hex})") };
        let numbers = format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})"
        );
        self.run(&format!(
            "{numbers} INSERT INTO messages (id, team_id, direction, state, reason, alias_id, header_id, dedupe,
                 received_at, from_address, rcpt, subject, preview, size, attachments, read_at, spf, dkim, dmarc)
             SELECT {id}, (SELECT id FROM teams), 'in', CASE WHEN i % 1000 = 0 THEN 'denied' ELSE 'delivered' END,
                 'The alias takes mail.', (SELECT id FROM aliases), 'id' || i || '@example.com', {id}, i,
                 's' || i % 5000 || '@example.com', 'hello@gatepost.localhost', 'Message number ' || i,
                 'Dear reader, this is what the message says at first, and it goes on for some time.', 2048, 0,
                 CASE WHEN i % 200 = 0 THEN NULL ELSE 1 END, 'none', 'none', 'none' FROM n"
        ));
        let hash = Sha256::digest(self.team.bytes());
        let team: String = hash.iter().take(6).map(|byte| char::from(b'a' + byte % 26)).collect();
        let mut words = format!("'{team}common'");
        for (letter, of) in [("w", 10), ("h", 100), ("r", 10_000), ("u", u64::MAX >> 1)] {
            words += &format!(" || ' {team}{letter}' || (i % {of})");
        }
        for each in 1..=20 {
            words += &format!(" || ' {team}v' || (((i + 1) * {} % 1000003) % 20000)", each * 7919 + 13);
        }
        let there =
            "SELECT seq, CAST(substr(subject, 16) AS BIGINT) AS i FROM messages WHERE received_at >= ";
        match self.is_sqlite() {
            true => self.run(&format!(
                "INSERT INTO message_words (rowid, words) SELECT seq, {words} FROM ({there} {from} AND dedupe = id)"
            )),
            false => self.run(&format!(
                "INSERT INTO message_words (seq, team_id, words)
                 SELECT seq, (SELECT id FROM teams), array_to_tsvector(string_to_array({words}, ' '))
                 FROM ({there} {from} AND dedupe = id) AS n"
            )),
        }
        self.run("ANALYZE");
    }
}
