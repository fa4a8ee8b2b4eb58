//! The journal: calls that are on disk but not in the log yet.

use super::{assert_all_recorded, full_load, load_a_page, on_postgres, on_sqlite, start_again};
use crate::support::database::Database;
use crate::support::load::{Call, recorded};
use crate::support::process::{Gatepost, Serving};

/// If a process dies after moving calls into the log, but before it records that, the calls are in both.
async fn stored_twice(gatepost: &Gatepost, database: &Database, token: &str) {
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
    // In Postgres, each batch then exists twice.
    put_back();
    gatepost.ok(&["api", "Acme", "on"], "");
    assert!(!database.journal_is_empty(), "the command must not wait for a flush");
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
async fn calls_stored_twice_are_logged_once_on_sqlite() {
    let (gatepost, database, token) = on_sqlite();
    stored_twice(&gatepost, &database, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_stored_twice_are_logged_once_on_postgres() {
    let (gatepost, database, token) = on_postgres();
    stored_twice(&gatepost, &database, &token).await;
}

/// Each answered call is in the log exactly once, whatever commands do meanwhile.
async fn during_commands(gatepost: &Gatepost, database: &Database, token: &str) {
    let server = gatepost.serve();
    let load = full_load(&server, token);
    for _ in 0..10 {
        load.until_each(100, |call| call.status == 200).await;
        gatepost.ok(&["api", "Acme", "on"], "");
    }
    assert_each_logged_once(server, database, &load.stop().await);
}

#[track_caller]
fn assert_each_logged_once(server: Serving, database: &Database, calls: &[Call]) {
    assert!(calls.iter().all(|call| call.status == 200));
    assert_eq!(server.terminate().code, Some(0));
    assert_all_recorded(database, calls);
    let logged = database.number("SELECT count(*) AS n FROM activity WHERE kind = 'api.request'");
    assert_eq!(logged, calls.len() as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_beside_a_server_lose_no_call_on_sqlite() {
    let (gatepost, database, token) = on_sqlite();
    during_commands(&gatepost, &database, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_beside_a_server_lose_no_call_on_postgres() {
    let (gatepost, database, token) = on_postgres();
    during_commands(&gatepost, &database, &token).await;
}

fn batches(database: &Database) -> i64 {
    database.number("SELECT count(*) AS n FROM call_batches")
}

/// After a page was rendered, the metric reports no calls in the journal.
async fn assert_its_journal_ends(server: &Serving) {
    load_a_page(server).await;
    let printed = server.stdout();
    let metrics = printed.lines().find_map(|line| line.strip_prefix("Metrics on ")).expect("an address");
    let text = reqwest::get(metrics).await.expect("metrics").text().await.expect("text");
    let of_journal = text.lines().find(|line| line.starts_with("gatepost_journal_calls "));
    assert_eq!(of_journal, Some("gatepost_journal_calls 0"));
}

/// A server that starts also flushes the journal of a running one.
#[tokio::test(flavor = "multi_thread")]
async fn the_journal_count_reaches_zero_although_another_process_flushes() {
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

/// A writer that learns too late that a batch was written writes it again. If it counted twice, the server would
/// consider the journal full, or never empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_written_twice_counts_once() {
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
async fn an_unreadable_batch_is_skipped() {
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
