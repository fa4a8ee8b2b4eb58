//! Revocation is immediate, and response times reveal nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gatepost::domain::access::secret::{HashedToken, PlainToken};
use gatepost::domain::access::tokens;
use gatepost::domain::entropy::SystemEntropy;
use reqwest::Method;
use serde_json::json;

use super::token_id;
use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines};
use gatepost::domain::access::plans::Plan;

both_engines! {
    async fn no_call_that_starts_after_the_revocation_succeeds(app: TestApp) {
        app.switch_api("Acme", true);
        app.set_plan("Acme", Plan::Enterprise);
        let (ada, over) = (app.as_(Ada).await, Arc::new(AtomicBool::new(false)));
        let bystander = app.token("Acme", "bystander");
        let load: Vec<_> = (0..4).map(|_| {
            let (api, over) = (app.api(&bystander), over.clone());
            tokio::spawn(async move {
                let mut calls = 0;
                while !over.load(Ordering::SeqCst) {
                    api.get("/api/v1/me").await.expect(200);
                    calls += 1;
                }
                calls
            })
        }).collect();
        for round in 0..100 {
            let token = app.token("Acme", "doomed");
            let path = format!("/api/v1/api-keys/{}", token_id(&app, &token).await);
            ada.send_json(Method::DELETE, &path, &json!({})).await.expect(204);
            let response = app.api(&token).get("/api/v1/me").await;
            assert_eq!(response.status, 401, "round {round}: {}", response.body);
        }
        over.store(true, Ordering::SeqCst);
        for calls in load {
            assert!(calls.await.expect("a caller") > 0, "there was no load");
        }
    }

    /// The callers use the token that is being revoked: calls that start after the response must fail.
    async fn revocation_is_immediate_under_load(app: TestApp) {
        app.switch_api("Acme", true);
        app.set_plan("Acme", Plan::Enterprise);
        let ada = app.as_(Ada).await;
        for _ in 0..5 {
            let token = app.token("Acme", "busy");
            let path = format!("/api/v1/api-keys/{}", token_id(&app, &token).await);
            // Nanoseconds from `start` to the response to the revocation.
            let (start, revoked) = (Instant::now(), Arc::new(AtomicU64::new(u64::MAX)));
            let callers: Vec<_> = (0..4).map(|_| {
                let (api, revoked) = (app.api(&token), revoked.clone());
                tokio::spawn(async move {
                    let mut late = 0;
                    while late < 5 {
                        let began = start.elapsed().as_nanos() as u64;
                        let status = api.get("/api/v1/me").await.status;
                        let is_late = began > revoked.load(Ordering::SeqCst);
                        assert!(!is_late || status == 401, "a call after the revocation got {status}");
                        late += usize::from(is_late);
                    }
                })
            }).collect();
            tokio::time::sleep(Duration::from_millis(20)).await;
            ada.send_json(Method::DELETE, &path, &json!({})).await.expect(204);
            revoked.store(start.elapsed().as_nanos() as u64, Ordering::SeqCst);
            for caller in callers {
                caller.await.expect("a caller");
            }
        }
    }
}

/// All three take the same code path, so their times differ only by noise. The bound is generous, because test
/// machines are busy.
#[tokio::test]
async fn an_unknown_id_a_wrong_secret_and_a_revoked_token_take_the_same_time() {
    const ROUNDS: usize = 1000;
    let app = TestApp::sqlite().await;
    let (team, prefix) = (app.team("Acme").id, app.app.config().token_prefix.clone());
    let token = app.token("Acme", "ci");
    let revoked = app.token("Acme", "old");
    let hashed = |token: &str| HashedToken::parse(token).expect("a whole token");
    let revoked = hashed(&revoked);
    app.operate(|tx, actor| tokens::revoke_by_start(tx, actor, revoked.public_id()));
    let unknown = hashed(PlainToken::mint(&prefix, &SystemEntropy).reveal());
    // The id of one token with the secret of another, as in a guess.
    let mut wrong = hashed(PlainToken::mint(&prefix, &SystemEntropy).reveal());
    wrong.id = hashed(&token).id;
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (times, presented) in times.iter_mut().zip([&unknown, &wrong, &revoked]) {
            let began = Instant::now();
            let verdict = app.app.read_now(|tx| tokens::verify(tx, presented, app.app.now()));
            times.push(began.elapsed());
            assert!(verdict.expect("a store that responds").is_err());
        }
    }
    assert_eq!(
        app.app.read_now(|tx| tokens::count(tx, team, &tokens::Filter::ACTIVE)).expect("a count").0,
        1
    );
    let medians = times.map(|mut times| {
        times.sort();
        times[ROUNDS / 2]
    });
    let (fastest, slowest) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    assert!(*slowest < *fastest * 3 / 2, "unknown, wrong, revoked: {medians:?}");
}
