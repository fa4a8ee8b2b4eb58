//! kill -9 at any moment: the store opens again, each change has its record and vice versa, and every answered call is
//! in the log.

mod idempotency;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::database::Database;
use crate::support::process::Gatepost;

const PASSWORD: &str = "correct horse battery";
const ROUNDS: u64 = 6;
const WORKERS: usize = 4;

/// The responses before the process died.
#[derive(Default)]
struct Answered {
    changes: AtomicU64,
    calls: std::sync::Mutex<Vec<String>>,
    progress: Notify,
}

impl Answered {
    fn has_no_call(&self) -> bool {
        self.calls.lock().expect("the calls").is_empty()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    promise(&gatepost, &database, "lower(hex(id))").await;
    let broken = "SELECT count(*) AS n FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
    assert_eq!(database.number(broken), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let database = Database::postgres();
    let gatepost = Gatepost::new().with("GATEPOST_DATABASE_URL", database.url());
    promise(&gatepost, &database, "encode(id, 'hex')").await;
}

async fn promise(gatepost: &Gatepost, database: &Database, hex_id: &str) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], PASSWORD);
    gatepost.ok(&["api", "Acme", "on"], "");
    let token =
        gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "caller"], "").trim_end().to_owned();
    let answered = Arc::new(Answered::default());
    for round in 0..ROUNDS {
        let serving = gatepost.serve();
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let name = format!("r{round}w{worker}");
                tokio::spawn(work(serving.base.clone(), token.clone(), name, answered.clone()))
            })
            .collect();
        // Each round kills the server after a different number of changes.
        let until = answered.changes.load(Ordering::SeqCst) + 5 + round * 7;
        while answered.changes.load(Ordering::SeqCst) < until || answered.has_no_call() {
            answered.progress.notified().await;
        }
        serving.kill();
        for worker in workers {
            worker.await.expect("a worker that stops with the server");
        }
        check(database, hex_id, &answered);
    }
}

/// Creates, renames and revokes tokens and calls the API until there is no response.
async fn work(base: String, token: String, name: String, answered: Arc<Answered>) {
    let client = reqwest::Client::builder().cookie_store(true).no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let form = [("email", "ada@acme.test"), ("password", PASSWORD)];
    let own = |request: reqwest::RequestBuilder| request.header("Sec-Fetch-Site", "same-origin");
    let signed_in = own(client.post(format!("{base}/sign-in"))).form(&form).send().await;
    if !signed_in.is_ok_and(|response| response.status() == StatusCode::SEE_OTHER) {
        return;
    }
    for number in 0.. {
        let body = json!({"name": format!("{name}n{number}")});
        let Ok(made) = own(client.post(format!("{base}/api/v1/api-keys"))).json(&body).send().await else {
            return;
        };
        assert_eq!(made.status(), StatusCode::CREATED);
        let Ok(made) = made.json::<Value>().await else { return };
        let address = format!("{base}/api/v1/api-keys/{}", made["id"].as_str().expect("an id"));
        let body = json!({"name": format!("{name}n{number} renamed")});
        for request in [client.request(Method::PATCH, &address).json(&body), client.delete(&address)] {
            let Ok(response) = own(request).send().await else { return };
            assert!(response.status().is_success(), "{}", response.status());
            answered.changes.fetch_add(1, Ordering::SeqCst);
            answered.progress.notify_one();
        }
        let Ok(call) = client.get(format!("{base}/api/v1/me")).bearer_auth(&token).send().await else {
            return;
        };
        assert_eq!(call.status(), StatusCode::OK);
        let id = call.headers()["x-request-id"].to_str().expect("an id").replace("req_", "");
        answered.calls.lock().expect("the calls").push(id);
        answered.progress.notify_one();
    }
}

fn check(database: &Database, hex_id: &str, answered: &Answered) {
    let count = |sql: &str| database.number(&format!("SELECT count(*) AS n FROM {sql}"));
    let records = |kind: &str| {
        format!("(SELECT count(*) FROM activity a WHERE a.token_id = t.id AND a.kind = '{kind}')")
    };
    assert_eq!(
        count(&format!("tokens t WHERE {} <> 1", records("token.created"))),
        0,
        "created without a record"
    );
    let revoked = records("token.revoked");
    assert_eq!(count(&format!("tokens t WHERE revoked_at IS NOT NULL AND {revoked} <> 1")), 0);
    assert_eq!(count(&format!("tokens t WHERE revoked_at IS NULL AND {revoked} <> 0")), 0);
    let renamed = records("token.renamed");
    assert_eq!(count(&format!("tokens t WHERE name LIKE '% renamed' AND {renamed} <> 1")), 0);
    assert_eq!(count(&format!("tokens t WHERE name NOT LIKE '% renamed' AND {renamed} <> 0")), 0);
    let orphans = "activity a WHERE kind LIKE 'token.%' AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.id = a.token_id)";
    assert_eq!(count(orphans), 0, "a record without its change");
    let calls = answered.calls.lock().expect("the calls");
    assert!(!calls.is_empty(), "no call was answered");
    let ids: Vec<String> = calls.iter().map(|id| format!("'{id}'")).collect();
    assert_eq!(count(&format!("activity WHERE {hex_id} IN ({})", ids.join(","))), calls.len() as i64);
}
