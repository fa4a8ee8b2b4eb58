//! What befalls the store, and what callers and the log see of it.

use std::time::{Duration, Instant};

use crate::support::client::Visitor;
use crate::support::database::Database;
use crate::support::load::{Call, Load, PATIENCE, recorded};
use crate::support::people::PASSWORD;
use crate::support::process::{Gatepost, Serving};
use crate::support::proxy::Proxy;

const ADA: &str = "ada@acme.test";

/// A team whose calls nobody limits.
fn set_up(gatepost: Gatepost) -> (Gatepost, String) {
    let gatepost = gatepost.with("GATEPOST_PLAN_LIMITS", "pro=100000000");
    gatepost.ok(&["setup", "--team", "Acme", "--owner", ADA], PASSWORD);
    gatepost.ok(&["api", "Acme", "on"], "");
    let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "caller"], "");
    (gatepost, token.trim_end().to_owned())
}

fn on_sqlite() -> (Gatepost, Database, String) {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    let (gatepost, token) = set_up(gatepost);
    (gatepost, database, token)
}

fn on_postgres() -> (Gatepost, Database, String) {
    let database = Database::postgres();
    let (gatepost, token) = set_up(Gatepost::new().with("GATEPOST_DATABASE_URL", database.url()));
    (gatepost, database, token)
}

fn full_load(server: &Serving, token: &str) -> Load {
    Load::start(&[&server.base], 64, Duration::ZERO, token)
}

fn passed(calls: &[Call]) -> Vec<Call> {
    calls.iter().filter(|call| call.status == 200).cloned().collect()
}

/// No other answers than these, and each 503 says when to try again.
#[track_caller]
fn assert_passed_or_unavailable(calls: &[Call]) {
    let odd = calls.iter().find(|call| call.status != 200 && !(call.status == 503 && call.retry));
    assert!(odd.is_none(), "{odd:?}");
}

#[track_caller]
fn assert_all_recorded(database: &Database, calls: &[Call]) {
    assert_eq!(recorded(database, calls), calls.len(), "answered and not in the log");
}

/// Whatever opens the store next finds in the journal what was not in the log yet.
fn start_again(gatepost: &Gatepost) {
    gatepost.ok(&["api", "Acme", "on"], "");
}

/// kill -9, 20 times, of a server that writes each record before it answers.
async fn killed(gatepost: &Gatepost, database: &Database, token: &str) {
    let mut most = 0;
    for round in 0..20 {
        let server = gatepost.serve();
        let load = full_load(&server, token);
        // Each round dies somewhere else.
        load.until_each(100 + round * 40, |call| call.status == 200).await;
        server.kill();
        let calls = load.stop().await;
        assert!(calls.iter().all(|call| call.status == 200));
        start_again(gatepost);
        assert_all_recorded(database, &calls);
        most = most.max(calls.len());
    }
    println!("up to {most} calls before the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_no_answered_call_on_sqlite() {
    let (gatepost, database, token) = on_sqlite();
    killed(&gatepost, &database, &token).await;
    let broken = "SELECT count(*) AS n FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
    assert_eq!(database.number(broken), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_no_answered_call_on_postgres() {
    let (gatepost, database, token) = on_postgres();
    killed(&gatepost, &database, &token).await;
}

/// A process that dies after it moved calls into the log, and before it noted that, leaves the
/// same calls at two places.
async fn there_twice(gatepost: &Gatepost, database: &Database, token: &str) {
    let calls = loop {
        let server = gatepost.serve();
        let load = full_load(&server, token);
        load.until_each(300, |call| call.status == 200).await;
        server.kill();
        let calls = load.stop().await;
        if recorded(database, &calls) < calls.len() {
            break calls;
        }
    };
    assert!(!database.journal_is_empty());
    let put_back = database.keep_journal();
    // In Postgres each batch is there twice then.
    put_back();
    start_again(gatepost);
    assert!(database.journal_is_empty());
    assert_all_recorded(database, &calls);
    let logged = || database.number("SELECT count(*) AS n FROM activity WHERE kind = 'api.request'");
    let before = logged();
    put_back();
    assert!(!database.journal_is_empty());
    start_again(gatepost);
    assert_eq!((database.journal_is_empty(), logged()), (true, before));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_two_places_are_logged_once_on_sqlite() {
    let (gatepost, database, token) = on_sqlite();
    there_twice(&gatepost, &database, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_two_places_are_logged_once_on_postgres() {
    let (gatepost, database, token) = on_postgres();
    there_twice(&gatepost, &database, &token).await;
}

fn batches(database: &Database) -> i64 {
    database.number("SELECT count(*) AS n FROM call_batches")
}

/// A page is drawn when the log tells of all calls; then none is said to be in the journal.
async fn assert_its_journal_ends(server: &Serving) {
    let ada = Visitor::new(&server.base);
    ada.sign_in(ADA, PASSWORD).await.expect(303);
    ada.get("/developer").await.expect(200);
    let printed = server.stdout();
    let metrics = printed.lines().find_map(|line| line.strip_prefix("Metrics on ")).expect("an address");
    let told = reqwest::get(metrics).await.expect("metrics").text().await.expect("text");
    let of_journal = told.lines().find(|line| line.starts_with("gatepost_journal_calls "));
    assert_eq!(of_journal, Some("gatepost_journal_calls 0"));
}

/// A command beside a server, or a server that starts, takes all calls for left behind.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_somebody_else_moved_on_are_not_waited_for() {
    let (gatepost, database, token) = on_postgres();
    let gatepost = gatepost.with("GATEPOST_METRICS_LISTEN", "127.0.0.1:0");
    let server = gatepost.serve();
    let load = full_load(&server, &token);
    for _ in 0..5 {
        load.until_each(load.count() + 500, |call| call.status == 200).await;
        start_again(&gatepost);
    }
    let calls = load.stop().await;
    assert_its_journal_ends(&server).await;
    assert_eq!(server.terminate().code, Some(0));
    assert_all_recorded(&database, &calls);
}

/// Whoever hears too late that a batch was written writes it again. Otherwise the server would
/// take the journal for full, or for never empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_written_twice_counts_once() {
    let (gatepost, database, token) = on_postgres();
    start_again(&gatepost);
    for sql in [
        "CREATE TABLE doubled (id BIGINT)",
        "CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO doubled VALUES (NEW.id);
             INSERT INTO call_batches (writer, calls) VALUES (NEW.writer, NEW.calls);
             RETURN NULL;
         END $$",
        "CREATE TRIGGER twice AFTER INSERT ON call_batches
             FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION twice()",
    ] {
        database.execute(sql).expect("a trigger");
    }
    let server = gatepost.with("GATEPOST_METRICS_LISTEN", "127.0.0.1:0").serve();
    let load = full_load(&server, &token);
    load.until_each(1000, |call| call.status == 200).await;
    let calls = load.stop().await;
    assert!(database.number("SELECT count(*) AS n FROM doubled") > 0, "no batch was written");
    assert_its_journal_ends(&server).await;
    assert_eq!(server.terminate().code, Some(0));
    assert_eq!(batches(&database), 0);
    assert_all_recorded(&database, &calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_read_is_left_and_holds_up_nothing() {
    let (gatepost, database, token) = on_postgres();
    let broken = "INSERT INTO call_batches (writer, calls) VALUES (decode(repeat('00', 16), 'hex'), 'x')";
    assert_eq!(database.execute(broken), Ok(1));
    let server = gatepost.serve();
    let load = full_load(&server, &token);
    load.until_each(300, |call| call.status == 200).await;
    let calls = load.stop().await;
    assert_eq!(server.terminate().code, Some(0));
    assert_all_recorded(&database, &calls);
    assert_eq!(batches(&database), 1);
}

/// The one that was there first has the files; the other one writes its calls into the log
/// at once, until it can have them.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_over_one_file_lose_no_call() {
    let (gatepost, database, token) = on_sqlite();
    let (first, second) = (gatepost.serve(), gatepost.serve());
    let loads = [&first, &second].map(|server| full_load(server, &token));
    for load in &loads {
        load.until_each(300, |call| call.status == 200).await;
    }
    first.kill();
    loads[1].until_each(loads[1].count() + 300, |call| call.status == 200).await;
    second.kill();
    start_again(&gatepost);
    for load in loads {
        let calls = load.stop().await;
        assert_passed_or_unavailable(&calls);
        assert_all_recorded(&database, &passed(&calls));
    }
}

/// Ends the server in the middle of its work, as a service manager does.
async fn stopped(gatepost: Gatepost, database: Database, token: String) {
    let gatepost = gatepost.with("GATEPOST_ACTIVITY", "buffered");
    let server = gatepost.serve();
    let load = full_load(&server, &token);
    load.until_each(200, |call| call.status == 200).await;
    let soon = load.calls(0);
    let since = Instant::now();
    while recorded(&database, &soon) < soon.len() {
        assert!(since.elapsed() < PATIENCE, "an answered call is not recorded");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    load.until_each(5000_usize.saturating_sub(load.count()), |call| call.status == 200).await;
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let calls = load.stop().await;
    assert_all_recorded(&database, &passed(&calls));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_loses_no_buffered_record_on_sqlite() {
    let (gatepost, database, token) = on_sqlite();
    stopped(gatepost, database, token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_loses_no_buffered_record_on_postgres() {
    let (gatepost, database, token) = on_postgres();
    stopped(gatepost, database, token).await;
}

/// Calls that may be answered while nothing can be written: those that wait, a group of them
/// that is being written, and two files' room for the journal.
const BOUND: usize = 16_000 + 5_000 + 2 * 13_000;

/// Longer than SQLite itself waits for a lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_store_slows_callers_and_loses_nothing() {
    let (gatepost, _, token) = on_sqlite();
    let gatepost = gatepost.with("GATEPOST_ACTIVITY", "buffered");
    let server = gatepost.serve_on_disk_of("16m");
    let ballast = server.disk(&gatepost).join("ballast");
    let load = full_load(&server, &token);
    load.until_each(100, |call| call.status == 200).await;
    fill(&ballast);
    let (before, since) = (load.count(), Instant::now());
    let (mut queued, mut more) = (0, true);
    while more || since.elapsed() < Duration::from_secs(6) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = passed(&load.calls(before)).len();
        (queued, more) = (now, now > queued);
        assert!(since.elapsed() < 3 * PATIENCE, "callers are never made to wait: {queued}");
    }
    println!("{queued} calls answered before callers had to wait");
    assert!(queued < BOUND, "the queue grows: {queued}");
    std::fs::remove_file(&ballast).expect("room");
    load.until_each(500, |call| call.status == 200).await;
    let calls = load.stop().await;
    assert_passed_or_unavailable(&calls);
    // A page is drawn when the log tells of all calls.
    let ada = Visitor::new(&server.base);
    ada.sign_in(ADA, PASSWORD).await.expect(303);
    ada.get("/developer").await.expect(200);
    let copy = copied(&server, &gatepost);
    assert_eq!(server.terminate().code, Some(0));
    assert_all_recorded(&Database::sqlite(copy.path()), &passed(&calls));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_on_while_something_else_is_written() {
    let (gatepost, database, token) = on_sqlite();
    let server = gatepost.serve();
    let load = full_load(&server, &token);
    load.until_each(100, |call| call.status == 200).await;
    let lock = database.lock();
    load.until_each(load.count() + 2000, |call| call.status == 200).await;
    drop(lock);
    assert_eq!(server.terminate().code, Some(0));
    let calls = load.stop().await;
    assert_passed_or_unavailable(&calls);
    assert_all_recorded(&database, &passed(&calls));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_calls_until_there_is_room() {
    for activity in ["strict", "buffered"] {
        let (gatepost, _, token) = on_sqlite();
        let gatepost = gatepost.with("GATEPOST_ACTIVITY", activity);
        let server = gatepost.serve_on_disk_of("16m");
        let ballast = server.disk(&gatepost).join("ballast");
        let load = full_load(&server, &token);
        load.until_each(100, |call| call.status == 200).await;
        fill(&ballast);
        load.until_each(64, |call| call.status == 503).await;
        let answered = passed(&load.calls(0));
        std::fs::remove_file(&ballast).expect("room");
        load.until_each(500, |call| call.status == 200).await;
        println!("{activity}: {} calls answered before the disk was full", answered.len());
        let calls = load.stop().await;
        assert_passed_or_unavailable(&calls);
        // Time enough for what is not written yet.
        tokio::time::sleep(Duration::from_secs(if activity == "strict" { 0 } else { 2 })).await;
        let copy = copied(&server, &gatepost);
        start_again(&Gatepost::new().with("GATEPOST_DATA", copy.path().to_str().expect("a path")));
        assert_all_recorded(&Database::sqlite(copy.path()), &passed(&calls));
    }
}

/// The store on a disk of its own, as it is now: SQLite itself would not find the way there.
fn copied(server: &Serving, gatepost: &Gatepost) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    server.signal("STOP");
    for name in ["gatepost.db", "gatepost.db-wal", "gatepost.db-calls-1", "gatepost.db-calls-2", "secret.key"]
    {
        std::fs::copy(server.disk(gatepost).join(name), copy.path().join(name)).expect("a copy");
    }
    server.signal("CONT");
    copy
}

/// Writes until nothing more fits.
fn fill(path: &std::path::Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    for size in [1 << 16, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// The database goes away and comes back, in whatever way `go` and `come` do that.
async fn gone(server: &Serving, token: &str, go: impl Fn(), come: impl Fn()) {
    let ada = Visitor::new(&server.base);
    ada.sign_in(ADA, PASSWORD).await.expect(303);
    let load = Load::start(&[&server.base], 16, Duration::from_millis(5), token);
    for _ in 0..2 {
        load.until_each(100, |call| call.status == 200).await;
        go();
        load.until_each(20, |call| call.status == 503).await;
        let page = ada.get("/developer").await.expect(503);
        assert!(!page.header("retry-after").is_empty());
        ada.get("/readyz").await.expect(503);
        ada.get("/healthz").await.expect(200);
        come();
        load.until_each(100, |call| call.status == 200).await;
        ada.get("/developer").await.expect(200);
        ada.get("/readyz").await.expect(200);
    }
    assert_passed_or_unavailable(&load.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_is_waited_for() {
    let (gatepost, database, token) = on_postgres();
    let server = gatepost.serve();
    let Database::Postgres { name, .. } = &database else { unreachable!("Postgres") };
    let other = Database::postgres();
    let on = |sql: String| assert!(other.execute(&sql).is_ok(), "{sql}");
    let go = || {
        on(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        let all = format!("pg_stat_activity WHERE datname = '{name}'");
        on(format!("SELECT pg_terminate_backend(pid) FROM {all}"));
    };
    gone(&server, &token, go, || on(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_machine_fails_is_waited_for() {
    let (gatepost, database, token) = on_postgres();
    let proxy = Proxy::before(database.url());
    let gatepost = gatepost.with("GATEPOST_DATABASE_URL", proxy.url());
    let server = gatepost.serve();
    gone(&server, &token, || proxy.close(), || proxy.forward()).await;
}
