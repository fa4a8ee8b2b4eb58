//! A full disk, and a locked store.

use super::{
    assert_all_recorded, assert_passed_or_unavailable, full_load, load_a_page, on_sqlite, passed, start_again,
};
use crate::support::database::Database;
use crate::support::process::{Gatepost, Serving};

/// The maximum number of calls answered while nothing can be written: queued calls, a batch being written, and the
/// capacity of the journal's log.
const BOUND: usize = 16_000 + 5_000 + 2 * 13_000;

/// Longer than SQLite waits for a lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_store_delays_callers_and_loses_nothing() {
    let (gatepost, _, token) = on_sqlite();
    let gatepost = gatepost.with("GATEPOST_ACTIVITY", "buffered");
    let server = gatepost.serve_on_disk_of("16m");
    let ballast = server.disk(&gatepost).join("ballast");
    let load = full_load(&server, &token);
    load.until_each(100, |call| call.status == 200).await;
    fill(&ballast);
    let before = load.count();
    // After the first timeout, all clients have to wait.
    load.until_each(1, |call| call.status == 503).await;
    let queued = passed(&load.calls(before)).len();
    println!("{queued} calls answered before callers had to wait");
    assert!(queued < BOUND, "the queue grows: {queued}");
    std::fs::remove_file(&ballast).expect("room");
    load.until_each(500, |call| call.status == 200).await;
    let calls = load.stop().await;
    assert_passed_or_unavailable(&calls);
    load_a_page(&server).await;
    let copy = copied(&server, &gatepost);
    assert_eq!(server.terminate().code, Some(0));
    assert_all_recorded(&Database::sqlite(copy.path()), &passed(&calls));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_continue_during_other_writes() {
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
        if activity == "buffered" {
            load_a_page(&server).await;
        }
        let copy = copied(&server, &gatepost);
        start_again(&Gatepost::new().with("GATEPOST_DATA", copy.path().to_str().expect("a path")));
        assert_all_recorded(&Database::sqlite(copy.path()), &passed(&calls));
    }
}

/// Copies the store from the server's own disk, where SQLite can't open it.
fn copied(server: &Serving, gatepost: &Gatepost) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    server.signal("STOP");
    for name in ["gatepost.db", "gatepost.db-wal", "gatepost.db-calls", "gatepost.db-calls-wal", "secret.key"]
    {
        std::fs::copy(server.disk(gatepost).join(name), copy.path().join(name)).expect("a copy");
    }
    server.signal("CONT");
    copy
}

/// Writes until the disk is full.
fn fill(path: &std::path::Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    for size in [1 << 16, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
