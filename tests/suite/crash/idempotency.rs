//! kill -9 during creations with an `Idempotency-Key`: a client that retries requests, answered or not,
//! creates one resource for each key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Client;
use serde_json::json;
use tokio::sync::Notify;

use super::PASSWORD;
use crate::support::database::Database;
use crate::support::process::Gatepost;

const ROUNDS: u64 = 6;
const WORKERS: usize = 4;

#[derive(Default)]
struct Progress {
    answered: AtomicU64,
    more: Notify,
}

/// Each key that was sent, with the resource's location if there was a response.
type Sent = BTreeMap<String, Option<String>>;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    promise(&gatepost, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let database = Database::postgres();
    let gatepost = Gatepost::new().with("GATEPOST_DATABASE_URL", database.url());
    promise(&gatepost, &database).await;
}

async fn promise(gatepost: &Gatepost, database: &Database) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], PASSWORD);
    gatepost.ok(&["api", "Acme", "on"], "");
    let minted = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "caller", "--scopes", "all"], "");
    let (token, mut sent) = (minted.trim_end().to_owned(), Sent::new());
    for round in 0..ROUNDS {
        let progress = Arc::new(Progress::default());
        let serving = gatepost.serve();
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let name = format!("r{round}w{worker}");
                tokio::spawn(work(serving.base.clone(), token.clone(), name, progress.clone()))
            })
            .collect();
        while progress.answered.load(Ordering::SeqCst) < 5 + round * 7 {
            progress.more.notified().await;
        }
        serving.kill();
        for worker in workers {
            sent.extend(worker.await.expect("a worker that stops with the server"));
        }
    }
    let serving = gatepost.serve();
    for (key, location) in &sent {
        let again = create(&client(), &serving.base, &token, key).await.expect("a response");
        assert_eq!(location.as_ref().unwrap_or(&again), &again, "{key}");
    }
    let made = "SELECT COUNT(*) AS n FROM aliases WHERE domain_id IS NULL";
    assert_eq!(database.number(made), sent.len() as i64);
    assert!(sent.values().any(Option::is_none), "every request was answered, so nothing was interrupted");
}

/// Creates aliases, each with its own key, until there is no response.
async fn work(base: String, token: String, name: String, progress: Arc<Progress>) -> Sent {
    let (client, mut sent) = (client(), Sent::new());
    loop {
        let key = format!("{name}n{}", sent.len());
        let location = create(&client, &base, &token, &key).await;
        let is_over = location.is_none();
        sent.insert(key, location);
        if is_over {
            return sent;
        }
        progress.answered.fetch_add(1, Ordering::SeqCst);
        progress.more.notify_one();
    }
}

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

/// Returns the location; `None` without a response.
async fn create(client: &Client, base: &str, token: &str, key: &str) -> Option<String> {
    let request = client.post(format!("{base}/api/v1/aliases")).bearer_auth(token);
    let response = request.header("Idempotency-Key", key).json(&json!({})).send().await.ok()?;
    assert_eq!(response.status(), 201);
    Some(response.headers()["location"].to_str().expect("an address").to_owned())
}
