//! While Redis is unreachable, all requests are refused at once, with a reason. When it returns, they work
//! again.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{PLANS, at_once, count, open, remaining};
use crate::support::TestApp;
use crate::support::client::{Api, Response};
use crate::support::people::Person::Ada;
use crate::support::process::{Gatepost, taken_address};
use crate::support::redis::{Redis, database};

const AWAY: &str = "Rate limiting is unavailable, so all API requests fail with 503";

async fn counting_in(redis: &Redis) -> TestApp {
    TestApp::with_settings(&[PLANS, ("GATEPOST_REDIS_URL", &redis.url())]).await
}

#[track_caller]
fn assert_away(response: &Response) {
    let error = json!({
        "code": "SERVICE_UNAVAILABLE",
        "message": "Rate limiting service is temporarily unavailable. Please try again later.",
        "requestId": response.header("x-request-id"),
    });
    assert_eq!(response.status, 503);
    assert_eq!(response.body, json!({"success": false, "error": error}).to_string());
    assert_eq!(response.header("retry-after"), "60");
}

/// Calls until a call succeeds, without any other action.
async fn passes_again(api: &Api) -> Response {
    let start = Instant::now();
    loop {
        let response = api.get("/api/v1/me").await;
        if response.status == 200 {
            return response;
        }
        assert_away(&response);
        assert!(start.elapsed() < Duration::from_secs(20), "calls never succeeded again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn calls_are_refused_while_redis_is_down_and_pass_after_its_restart() {
    let mut redis = Redis::start();
    let app = counting_in(&redis).await;
    let tokens = open(&app, 1);
    let apis = [app.api(&tokens[0])];
    let ada = app.as_(Ada).await;
    assert_eq!(count(&at_once(&apis, 50).await, 200), 50);
    assert!(!ada.get("/developer").await.expect(200).body.contains(AWAY));
    redis.kill();
    let start = Instant::now();
    assert_eq!(count(&at_once(&apis, 100).await, 503), 100);
    assert!(start.elapsed() < Duration::from_secs(4), "calls waited for each other");
    assert_away(&apis[0].get("/api/v1/me").await);
    let page = ada.get("/developer").await.expect(200).body;
    assert!(page.contains(AWAY) && page.contains(r#"role="alert""#), "{page}");
    app.api("gp_nonsense").get("/api/v1/me").await.expect(401);
    redis.start_again();
    let back = passes_again(&apis[0]).await;
    assert_eq!(remaining(&back), 199, "the earlier count must be kept");
    assert!(!ada.get("/developer").await.expect(200).body.contains(AWAY));
    let statuses = at_once(&apis, 250).await;
    assert_eq!((count(&statuses, 200), count(&statuses, 429)), (199, 51));
}

/// The worst kind of outage: connections stay open without responses.
#[tokio::test]
async fn calls_are_refused_at_once_while_redis_is_silent() {
    let redis = Redis::start();
    let app = counting_in(&redis).await;
    let tokens = open(&app, 1);
    let apis = [app.api(&tokens[0])];
    assert_eq!(count(&at_once(&apis, 20).await, 200), 20);
    redis.pause();
    let start = Instant::now();
    assert_eq!(count(&at_once(&apis, 100).await, 503), 100);
    assert!(start.elapsed() < Duration::from_secs(4), "calls waited for each other");
    let start = Instant::now();
    for _ in 0..100 {
        assert_away(&apis[0].get("/api/v1/me").await);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "each call waited for Redis");
    redis.resume();
    passes_again(&apis[0]).await;
}

#[tokio::test]
async fn a_connection_closed_by_redis_is_reopened() {
    let mut redis = Redis::start();
    let app = counting_in(&redis).await;
    let tokens = open(&app, 1);
    let api = app.api(&tokens[0]);
    assert_eq!(remaining(&api.get("/api/v1/me").await.expect(200)), 249);
    redis.kill();
    redis.start_again();
    assert_eq!(remaining(&api.get("/api/v1/me").await.expect(200)), 248);
}

#[tokio::test]
async fn a_403_is_not_replaced_by_503_while_redis_is_unreachable() {
    let mut redis = Redis::start();
    let app = counting_in(&redis).await;
    let tokens = open(&app, 1);
    let api = app.api(&tokens[0]);
    api.get("/api/v1/me").await.expect(200);
    app.switch_api("Acme", false);
    redis.kill();
    let closed = api.get("/api/v1/me").await.expect(403);
    assert_eq!(remaining(&closed), 249, "counted in this instance");
}

#[tokio::test]
async fn the_server_starts_without_redis() {
    let (listener, address) = taken_address();
    drop(listener);
    let gatepost = Gatepost::new().with("GATEPOST_REDIS_URL", &format!("redis://:hunter2@{address}"));
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery\n");
    gatepost.ok(&["api", "Acme", "on"], "");
    let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
    let serving = gatepost.serve();
    let api = Api::new(&serving.base, &[("X-API-Key", token.trim_end())]);
    assert_away(&api.get("/api/v1/me").await);
    let log = serving.stderr();
    assert!(log.contains("WARN") && log.contains("Redis is unreachable"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn a_malformed_redis_url_prevents_the_start() {
    for url in ["localhost:6379", "redis://", "rediss://localhost:6379", "http://localhost"] {
        let finished = Gatepost::new().with("GATEPOST_REDIS_URL", url).run(&["serve"], "");
        assert_eq!((finished.code, finished.stderr.lines().count()), (Some(1), 1), "{finished:?}");
        assert!(
            finished.stderr.starts_with("gatepost: GATEPOST_REDIS_URL: expected redis://"),
            "{finished:?}"
        );
    }
}

/// Each hour has its own counters, and old ones expire.
#[tokio::test]
async fn counters_expire() {
    let url = database();
    let app = TestApp::with_settings(&[PLANS, ("GATEPOST_REDIS_URL", &url)]).await;
    let tokens = open(&app, 1);
    super::cap(&app, "ci 0", 7);
    app.api(&tokens[0]).get("/api/v1/me").await.expect(200);
    let client = ::redis::Client::open(url).expect("an address");
    let mut connection = client.get_connection().expect("a connection");
    let keys: Vec<String> = ::redis::cmd("KEYS").arg("*").query(&mut connection).expect("keys");
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        assert!(key.starts_with("gatepost:613641:t"), "{key}");
        let left: i64 = ::redis::cmd("TTL").arg(&key).query(&mut connection).expect("a time");
        assert!((1..=7200).contains(&left), "{key} stays {left} s");
    }
}
