//! Faults of a server and its store, and their effects on callers and the log.

mod disk;
mod journal;

use std::time::{Duration, Instant};

use crate::support::client::Visitor;
use crate::support::database::Database;
use crate::support::load::{Call, Load, TIMEOUT, recorded};
use crate::support::people::PASSWORD;
use crate::support::process::{Gatepost, Serving};
use crate::support::proxy::Proxy;

const ADA: &str = "ada@acme.test";

/// Creates a team without a limit.
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

/// Checks that there are no other responses, and that each 503 has a Retry-After.
#[track_caller]
fn assert_passed_or_unavailable(calls: &[Call]) {
    let odd = calls.iter().find(|call| call.status != 200 && !(call.status == 503 && call.retry));
    assert!(odd.is_none(), "{odd:?}");
}

#[track_caller]
fn assert_all_recorded(database: &Database, calls: &[Call]) {
    assert_eq!(recorded(database, calls), calls.len(), "answered calls are not in the log");
}

/// Starts the server, which flushes the journal.
fn start_again(gatepost: &Gatepost) {
    let ended = gatepost.serve().terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Requests a page, which is rendered once the log has all requests.
async fn load_a_page(server: &Serving) {
    let ada = Visitor::new(&server.base);
    ada.sign_in(ADA, PASSWORD).await.expect(303);
    ada.get("/developer").await.expect(200);
}

/// kill -9, 20 times, of a server that writes each record before it responds.
async fn killed(gatepost: &Gatepost, database: &Database, token: &str) {
    let mut most = 0;
    for round in 0..20 {
        let server = gatepost.serve();
        let load = full_load(&server, token);
        // Each round kills the server at a different moment.
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

/// Stops the server under load, as a service manager does.
async fn stopped(gatepost: Gatepost, database: Database, token: String) {
    let gatepost = gatepost.with("GATEPOST_ACTIVITY", "buffered");
    let server = gatepost.serve();
    let load = full_load(&server, &token);
    load.until_each(200, |call| call.status == 200).await;
    let soon = load.calls(0);
    let since = Instant::now();
    while recorded(&database, &soon) < soon.len() {
        assert!(since.elapsed() < TIMEOUT, "an answered call is not recorded");
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

/// Makes the database unavailable and available again, with `go` and `come`.
async fn outage(server: &Serving, token: &str, go: impl Fn(), come: impl Fn()) {
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
    let log = server.stderr();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("not ready")).collect();
    let names_its_request = |line: &&str| line.contains(r#" method="GET" route="/readyz"}"#);
    assert!(!warnings.is_empty() && warnings.iter().all(names_its_request), "{warnings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_succeed_again_after_the_database_was_stopped() {
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
    outage(&server, &token, go, || on(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_succeed_again_after_the_database_was_unreachable() {
    let (gatepost, database, token) = on_postgres();
    let proxy = Proxy::before(database.url());
    let gatepost = gatepost.with("GATEPOST_DATABASE_URL", proxy.url());
    let server = gatepost.serve();
    outage(&server, &token, || proxy.close(), || proxy.forward()).await;
}
