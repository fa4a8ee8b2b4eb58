//! The same guarantees on SQLite and Postgres, enforced by the database where possible.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use gatepost::app::App;
use gatepost::domain::Error;
use gatepost::domain::access::activity::{self, ActivityId, ActivityKind, Event, Filter};
use gatepost::domain::access::scopes::Scopes;
use gatepost::domain::access::tokens::{self, Label, Token};
use gatepost::domain::lists::Window;
use gatepost::domain::people::members::{self, TheirTokens};
use gatepost::domain::people::teams::TeamId;
use gatepost::store::{self, Location, Store, Tx};

use crate::support::database::Database;
use crate::support::{TestApp, both_engines};

fn mint(app: &App, team: TeamId, name: &str) -> Result<Token, Error> {
    let label = Label::parse(name).expect("a name");
    let (actor, prefix) = (app.operator(), app.config().token_prefix.clone());
    app.write_now(|tx| tokens::mint(tx, &actor, team, &label, Scopes::ALL, &prefix)).map(|(token, _)| token)
}

fn open(database: &Database) -> Result<Store, store::Error> {
    Store::open(Location::parse(database.url()).expect("an address"))
}

fn count(app: &TestApp, table: &str) -> i64 {
    app.database.number(&format!("SELECT COUNT(*) AS n FROM {table}"))
}

/// Runs `step` on this many threads at once.
fn at_once<T: Send>(threads: usize, step: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (start, step) = (Barrier::new(threads), &step);
    thread::scope(|scope| {
        let start = &start;
        let running: Vec<_> = (0..threads)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    step(number)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("a thread that succeeds")).collect()
    })
}

both_engines! {
    async fn records_cannot_be_changed_or_removed(app: TestApp) {
        let before = count(&app, "activity");
        assert!(before > 0);
        for sql in [
            "UPDATE activity SET actor_label = 'nobody'",
            "UPDATE activity SET count = count",
            "DELETE FROM activity",
            "DELETE FROM activity WHERE kind = 'team.founded'",
        ] {
            let refused = app.database.execute(sql).expect_err(sql);
            assert!(refused.contains("activity is append-only"), "{sql}: {refused}");
        }
        assert_eq!(count(&app, "activity"), before);
    }

    async fn an_error_rolls_back_change_and_record(app: TestApp) {
        let (team, before) = (app.team("Acme").id, (count(&app, "tokens"), count(&app, "activity")));
        let (actor, prefix) = (app.app.operator(), app.app.config().token_prefix.clone());
        let label = Label::parse("ci").expect("a name");
        let failed: Result<(), Error> = app.app.write_now(|tx| {
            tokens::mint(tx, &actor, team, &label, Scopes::ALL, &prefix)?;
            Err(Error::NotFound)
        });
        assert!(failed.is_err());
        assert_eq!((count(&app, "tokens"), count(&app, "activity")), before);
        // The connection can be used again.
        mint(&app.app, team, "ci").expect("a token");
        assert_eq!((count(&app, "tokens"), count(&app, "activity")), (before.0 + 1, before.1 + 1));
    }

    async fn a_panic_rolls_back_change_and_record(app: TestApp) {
        let (team, before) = (app.team("Acme").id, (count(&app, "tokens"), count(&app, "activity")));
        let heart = app.app.clone();
        let fell = thread::spawn(move || {
            let (actor, prefix) = (heart.operator(), heart.config().token_prefix.clone());
            let label = Label::parse("ci").expect("a name");
            let _: Result<(), Error> = heart.write_now(|tx| {
                tokens::mint(tx, &actor, team, &label, Scopes::ALL, &prefix)?;
                panic!("on purpose");
            });
        })
        .join();
        assert!(fell.is_err());
        assert_eq!((count(&app, "tokens"), count(&app, "activity")), before);
        mint(&app.app, team, "ci").expect("a token");
    }

    async fn a_read_writes_nothing(app: TestApp) {
        let team = app.team("Acme").id;
        let (actor, prefix) = (app.app.operator(), app.app.config().token_prefix.clone());
        let label = Label::parse("ci").expect("a name");
        let before = count(&app, "activity");
        let _ = app.app.read_now(|tx| -> Result<(), Error> {
            tokens::mint(tx, &actor, team, &label, Scopes::ALL, &prefix)?;
            Err(Error::NotFound)
        });
        assert_eq!((count(&app, "tokens"), count(&app, "activity")), (0, before));
    }

    async fn a_team_always_has_exactly_one_owner(app: TestApp) {
        let owners = "SELECT COUNT(*) AS n FROM teams JOIN memberships \
            ON memberships.team_id = teams.id AND memberships.user_id = teams.owner_id";
        for sql in [
            "DELETE FROM memberships WHERE user_id IN (SELECT owner_id FROM teams)",
            "DELETE FROM memberships",
            "UPDATE teams SET owner_id = NULL",
            // Ada and Dan do not share a team.
            "UPDATE teams SET owner_id = (SELECT id FROM users WHERE email = 'dan@globex.test') \
             WHERE name = 'Acme'",
            "DELETE FROM users WHERE email = 'ada@acme.test'",
        ] {
            app.database.execute(sql).expect_err(sql);
            assert_eq!(app.database.number(owners), 2, "{sql}");
        }
        let (team, owner) = (app.team("Acme").id, app.team("Acme").owner_id);
        let actor = app.app.operator();
        let left = app.app.write_now(|tx| members::remove(tx, &actor, team, owner, TheirTokens::Keep));
        assert!(matches!(left, Err(Error::Conflict(_))), "{left:?}");
    }

    async fn concurrent_creations_of_a_name_succeed_once(app: TestApp) {
        let team = app.team("Acme").id;
        let spelled = ["ci", "CI", " ci", "Ci "];
        let won = at_once(16, |number| mint(&app.app, team, spelled[number % 4]));
        for lost in won.iter().filter_map(|each| each.as_ref().err()) {
            assert!(matches!(lost, Error::Conflict(field) if field.field == "name"), "{lost:?}");
        }
        assert_eq!(won.iter().filter(|each| each.is_ok()).count(), 1);
        assert_eq!(count(&app, "tokens"), 1);
        assert_eq!(count(&app, "activity WHERE kind = 'token.created'"), 1);
        // Another team can use the same names, and a revoked token frees its name.
        mint(&app.app, app.team("Globex").id, "ci").expect("a token");
        let taken = won.into_iter().flatten().next().expect("one success");
        app.operate(|tx, actor| tokens::revoke(tx, actor, team, taken.id, None));
        mint(&app.app, team, "ci").expect("a token");
    }

    async fn concurrent_revocations_succeed_once(app: TestApp) {
        let team = app.team("Acme").id;
        let token = mint(&app.app, team, "ci").expect("a token");
        let revoked = at_once(8, |_| {
            let actor = app.app.operator();
            app.app.write_now(|tx| tokens::revoke(tx, &actor, team, token.id, None)).is_ok()
        });
        assert_eq!(revoked.into_iter().filter(|done| *done).count(), 1);
        assert_eq!(count(&app, "activity WHERE kind = 'token.revoked'"), 1);
    }

    async fn concurrent_writers_all_succeed(app: TestApp) {
        let (team, before) = (app.team("Acme").id, count(&app, "activity"));
        at_once(16, |writer| {
            for number in 0..20 {
                mint(&app.app, team, &format!("{writer} {number}")).expect("a token");
            }
        });
        assert_eq!(count(&app, "tokens"), 320);
        assert_eq!(count(&app, "activity"), before + 320);
    }

    async fn migrations_run_only_once(app: TestApp) {
        let schema = "SELECT COUNT(*) AS n FROM __diesel_schema_migrations";
        let (team, before) = (app.team("Acme").id, app.database.number(schema));
        for _ in 0..3 {
            open(&app.database).expect("the same store");
        }
        assert_eq!(app.database.number(schema), before);
        mint(&app.app, team, "ci").expect("a token");
    }

    async fn a_store_of_a_newer_version_is_not_opened(app: TestApp) {
        let version = "99991231000000";
        app.database
            .execute(&format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"))
            .expect("a future migration");
        let refused = open(&app.database).err().expect("a refusal");
        assert_eq!(
            refused.to_string(),
            format!(
                "the store was written by a newer Gatepost (schema {version}); start that version, or restore a backup"
            )
        );
    }

    async fn records_are_newest_first_and_pages_are_stable(app: TestApp) {
        let team = app.team("Acme").id;
        // Many records share one time, because the clock is stopped.
        for number in 0..60 {
            mint(&app.app, team, &format!("token {number}")).expect("a token");
        }
        let whole = pages(&app, team, 1000, |_| {});
        let mut ordered = whole.clone();
        ordered.sort();
        ordered.dedup();
        ordered.reverse();
        assert_eq!(whole, ordered);
        assert_eq!(whole.len() as i64, count(&app, "activity WHERE team_id = (SELECT id FROM teams WHERE name = 'Acme')"));
        for size in [1, 7, 64] {
            // Records added while paging come before the first page.
            let read = pages(&app, team, size, |page| {
                app.clock.advance(std::time::Duration::from_millis(1));
                if page < 3 {
                    mint(&app.app, team, &format!("meanwhile {size} {page}")).expect("a token");
                }
            });
            let first = read[0];
            let now: Vec<_> = pages(&app, team, 1000, |_| {}).into_iter().filter(|id| *id <= first).collect();
            assert_eq!(read, now, "pages of {size}");
        }
    }
}

/// Returns the ids of every page. `between` runs after each.
fn pages(app: &TestApp, team: TeamId, size: i64, between: impl Fn(usize)) -> Vec<ActivityId> {
    let (mut ids, mut before) = (Vec::new(), None);
    for number in 0.. {
        let read =
            app.app.read_now(|tx| activity::list(tx, team, &Filter::default(), Window::below(before, size)));
        let page = read.expect("a page");
        ids.extend(page.rows.iter().map(|record| record.id));
        between(number);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    ids
}

#[test]
fn concurrent_starts_create_one_schema() {
    let folders: Vec<_> = (0..12).map(|_| tempfile::tempdir().expect("a folder")).collect();
    let files = folders.iter().map(|folder| Database::sqlite(folder.path()));
    for database in files.chain([Database::postgres()]) {
        let opened = at_once(8, |_| open(&database).map(drop));
        assert!(opened.iter().all(Result::is_ok), "{opened:?}");
        assert_eq!(database.number("SELECT COUNT(*) AS n FROM instance"), 1);
    }
}

both_engines! {
    async fn records_with_the_same_time_keep_their_order(app: TestApp) {
        let team = app.team("Acme").id;
        app.operate(|tx, actor| {
            for number in 0..40 {
                let event = Event::of(ActivityKind::TokenCreated).subject(&number.to_string());
                activity::record(tx, actor, team, event)?;
            }
            Ok(())
        });
        let made = Filter { kinds: Some(vec![ActivityKind::TokenCreated]), ..Filter::default() };
        let page = app.app.read_now(|tx| activity::list(tx, team, &made, Window::first(40))).expect("a page");
        let subjects: Vec<_> = page.rows.into_iter().filter_map(|record| record.subject).collect();
        let newest_first: Vec<_> = (0..40).rev().map(|number| number.to_string()).collect();
        assert_eq!(subjects, newest_first);
    }
}

/// SQLite makes writers sleep and retry, so one that writes continuously could always win.
#[tokio::test]
async fn a_busy_writer_does_not_starve_others() {
    const WRITES: usize = 10;
    let app = TestApp::sqlite().await;
    let (store, team, actor) =
        (open(&app.database).expect("a store"), app.team("Acme").id, app.app.operator());
    let write = |records: usize| {
        let record =
            |tx: &mut Tx<'_>| activity::record(tx, &actor, team, Event::of(ActivityKind::ApiEnabled));
        store.write(|tx| (0..records).try_for_each(|_| record(tx))).expect("a turn");
    };
    let (written, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let started = Barrier::new(2);
    let meanwhile = thread::scope(|scope| {
        scope.spawn(|| {
            started.wait();
            while !over.load(Ordering::SeqCst) {
                write(1000);
                written.fetch_add(1, Ordering::SeqCst);
            }
        });
        started.wait();
        (0..WRITES).for_each(|_| write(1));
        over.store(true, Ordering::SeqCst);
        written.load(Ordering::SeqCst)
    });
    assert!(meanwhile <= 3 * WRITES, "{meanwhile} long writes preceded {WRITES} short ones");
}

/// All pooled connections are dead after the database restarted.
#[tokio::test]
async fn a_single_statement_replaces_a_dead_connection() {
    let app = TestApp::postgres().await;
    let (store, team, actor) =
        (open(&app.database).expect("a store"), app.team("Acme").id, app.app.operator());
    let record = |tx: &mut Tx<'_>| activity::record(tx, &actor, team, Event::of(ActivityKind::ApiEnabled));
    store.write_statement(record).expect("a working connection");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    app.database.execute(cut).expect("closed connections");
    store.write_statement(record).expect("another connection");
    let records = "SELECT count(*) AS n FROM activity WHERE kind = 'api.enabled'";
    assert_eq!(app.database.number(records), 2);
}
