//! Hourly limits, with counters in memory on both engines, and in Redis.

mod redis;
mod restarts;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::TestApp;
use crate::support::client::{Api, Response};
use crate::support::people::Person::Ada;
use crate::support::redis::database;
use gatepost::domain::Timestamp;
use gatepost::domain::access::activity;
use gatepost::domain::access::plans::Plan;

/// A limit low enough for a test to exhaust.
const PLANS: (&str, &str) = ("GATEPOST_PLAN_LIMITS", "free=0,pro=250,enterprise=400");
const MINUTE: Duration = Duration::from_secs(60);

/// Each promise becomes three tests: `NAME::sqlite`, `NAME::postgres` and `NAME::redis`.
macro_rules! each_counter {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn promise($app: TestApp) $body

            #[tokio::test]
            async fn sqlite() {
                promise(TestApp::with_settings(&[PLANS]).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                promise(TestApp::postgres_with_settings(&[PLANS]).await).await;
            }

            #[tokio::test]
            async fn redis() {
                let settings = [PLANS, ("GATEPOST_REDIS_URL", &database())];
                promise(TestApp::with_settings(&settings).await).await;
            }
        }
    )+};
}

/// Opens the API of Acme, on the plan pro, with this many tokens.
fn open(app: &TestApp, tokens: usize) -> Vec<String> {
    app.switch_api("Acme", true);
    (0..tokens).map(|number| app.token("Acme", &format!("ci {number}"))).collect()
}

/// Returns the statuses of calls made at once.
async fn at_once(apis: &[Api], calls_each: usize) -> Vec<u16> {
    let calls = apis.iter().flat_map(|api| (0..calls_each).map(|_| api.get("/api/v1/me")));
    join_all(calls).await.into_iter().map(|response| response.status).collect()
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|each| **each == status).count()
}

/// The limit's headers: its number, the remaining requests, and its reset.
fn limit_headers(response: &Response) -> [&str; 5] {
    let names =
        ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy", "ratelimit"];
    names.map(|name| response.header(name))
}

fn remaining(response: &Response) -> u32 {
    response.header("x-ratelimit-remaining").parse().expect("a number")
}

/// Sets a token's cap by SQL.
fn cap(app: &TestApp, name: &str, calls: u32) {
    let capped =
        app.database.execute(&format!("UPDATE tokens SET hourly_cap = {calls} WHERE name = '{name}'"));
    assert_eq!(capped, Ok(1));
    app.catch_up();
}

each_counter! {
    async fn exactly_the_limit_of_parallel_calls_succeeds(app: TestApp) {
        let apis: Vec<Api> = open(&app, 5).iter().map(|token| app.api(token)).collect();
        let statuses = at_once(&apis, 200).await;
        assert_eq!((count(&statuses, 200), count(&statuses, 429)), (250, 750));
        let refused = apis[0].get("/api/v1/me").await.expect(429);
        let seconds = |response: &Response, name| response.header(name).parse::<u64>().expect("seconds");
        let wait = Duration::from_secs(seconds(&refused, "retry-after"));
        app.clock.advance(wait - Duration::from_secs(1));
        apis[0].get("/api/v1/me").await.expect(429);
        app.clock.advance(Duration::from_secs(1));
        let first = apis[0].get("/api/v1/me").await.expect(200);
        assert_eq!(remaining(&first), 249);
        let reset = "x-ratelimit-reset";
        assert_eq!(seconds(&first, reset), seconds(&refused, reset) + 3600);
    }

    async fn every_authenticated_response_has_the_remaining_limit(app: TestApp) {
        let tokens = open(&app, 1);
        let api = app.api(&tokens[0]);
        app.clock.advance(Duration::from_millis(754_500));
        let policy = "\"hour\";q=250;w=3600";
        let ok = api.get("/api/v1/me").await.expect(200);
        assert_eq!(limit_headers(&ok), ["250", "249", "2209111200", policy, "\"hour\";r=249;t=2846"]);
        let missing = api.get("/api/v1/nothing").await.expect(404);
        assert_eq!(remaining(&missing), 248);
        app.switch_api("Acme", false);
        let closed = api.get("/api/v1/me").await.expect(403);
        assert_eq!(limit_headers(&closed), ["250", "248", "2209111200", policy, "\"hour\";r=248;t=2846"]);
        app.switch_api("Acme", true);
        at_once(&[api], 248).await;
        let over = app.api(&tokens[0]).get("/api/v1/me").await.expect(429);
        assert_eq!(limit_headers(&over), ["250", "0", "2209111200", policy, "\"hour\";r=0;t=2846"]);
        let unknown = app.api("gp_nonsense").get("/api/v1/me").await.expect(401);
        assert_eq!(limit_headers(&unknown), [""; 5]);
    }

    async fn a_corrected_clock_does_not_exhaust_the_limit(app: TestApp) {
        let tokens = open(&app, 1);
        cap(&app, "ci 0", 7);
        let api = [app.api(&tokens[0])];
        assert_eq!(count(&at_once(&api, 3).await, 200), 3);
        let days = 240 * 60 * MINUTE;
        app.clock.advance(days);
        let statuses = at_once(&api, 20).await;
        assert_eq!((count(&statuses, 200), count(&statuses, 429)), (7, 13));
        app.flush().await;
        let used_ahead = last_used(&app);
        app.clock.set_back(days);
        // The in-memory count of this hour is lost, but at most one full limit is granted.
        let next = api[0].get("/api/v1/me").await.expect(200);
        assert!(remaining(&next) <= 6, "{}", remaining(&next));
        app.flush().await;
        assert!(last_used(&app) < used_ahead, "the last use must not be in the future");
        // A new process reads only the calls of this hour from the activity log.
        let (team, now) = (app.team("Acme").id, app.app.now());
        let hour = Timestamp::from_micros(now.micros() - now.micros().rem_euclid(3_600_000_000));
        let used = app.app.read_now(|tx| activity::used_in_hour(tx, team, None, hour)).expect("a sum");
        assert_eq!(used, 4);
    }

    async fn a_call_over_the_limit_gets_retry_after(app: TestApp) {
        let tokens = open(&app, 1);
        at_once(&[app.api(&tokens[0])], 250).await;
        app.clock.advance(59 * MINUTE);
        let over = app.api(&tokens[0]).get("/api/v1/me").await.expect(429);
        let error = json!({
            "code": "RATE_LIMIT_EXCEEDED",
            "message": "Rate limit exceeded. Try again in 60 seconds.",
            "requestId": over.header("x-request-id"),
        });
        assert_eq!(over.body, json!({"success": false, "error": error}).to_string());
        assert_eq!(over.header("retry-after"), "60");
        assert_eq!(over.header("content-type"), "application/json");
        assert_eq!(over.header("www-authenticate"), "");
    }

    async fn a_token_can_have_its_own_lower_limit(app: TestApp) {
        let tokens = open(&app, 2);
        cap(&app, "ci 0", 7);
        let capped = [app.api(&tokens[0])];
        let statuses = at_once(&capped, 20).await;
        assert_eq!((count(&statuses, 200), count(&statuses, 429)), (7, 13));
        let over = capped[0].get("/api/v1/me").await.expect(429);
        assert_eq!(limit_headers(&over)[..2], ["7", "0"]);
        let other = app.api(&tokens[1]).get("/api/v1/me").await.expect(200);
        assert_eq!(limit_headers(&other)[..2], ["250", "242"], "refused calls don't count for the team");
        cap(&app, "ci 0", 9);
        let statuses = at_once(&capped, 5).await;
        assert_eq!(count(&statuses, 200), 2);
    }

    async fn a_new_plan_applies_from_the_next_call(app: TestApp) {
        let tokens = open(&app, 1);
        let apis = [app.api(&tokens[0])];
        assert_eq!(count(&at_once(&apis, 300).await, 200), 250);
        app.set_plan("Acme", Plan::Enterprise);
        let more = apis[0].get("/api/v1/me").await.expect(200);
        assert_eq!(limit_headers(&more)[..2], ["400", "149"]);
        app.set_plan("Acme", Plan::Pro);
        let over = apis[0].get("/api/v1/me").await.expect(429);
        assert_eq!(limit_headers(&over)[..2], ["250", "0"]);
        app.set_plan("Acme", Plan::Free);
        assert_eq!(apis[0].get("/api/v1/me").await.expect(403).error_code(), "PLAN_REQUIRED");
    }

    async fn a_refused_call_does_not_count(app: TestApp) {
        let tokens = open(&app, 2);
        let api = app.api(&tokens[0]);
        assert_eq!(remaining(&api.get("/api/v1/me").await.expect(200)), 249);
        let mistyped = format!("{}0", &tokens[0][..52]);
        app.api(&mistyped).get("/api/v1/me").await.expect(401);
        app.switch_api("Acme", false);
        api.get("/api/v1/me").await.expect(403);
        app.switch_api("Acme", true);
        cap(&app, "ci 1", 0);
        app.api(&tokens[1]).get("/api/v1/me").await.expect(429);
        assert_eq!(remaining(&api.get("/api/v1/me").await.expect(200)), 248);
    }

    async fn the_dashboards_own_calls_count_for_the_team(app: TestApp) {
        let tokens = open(&app, 1);
        let ada = app.as_(Ada).await;
        assert_eq!(remaining(&ada.get("/api/v1/me").await.expect(200)), 249);
        assert_eq!(remaining(&app.api(&tokens[0]).get("/api/v1/me").await.expect(200)), 248);
    }

    async fn refusals_over_the_limit_fold_into_one_record_per_token_and_minute(app: TestApp) {
        let tokens = open(&app, 2);
        let apis = [app.api(&tokens[0]), app.api(&tokens[1])];
        at_once(&apis[..1], 250).await;
        app.flush().await;
        let used = last_used(&app);
        for _ in 0..2 {
            app.clock.advance(MINUTE);
            at_once(&apis, 15).await;
        }
        app.clock.advance(MINUTE);
        assert_eq!(refused(&app, 429).await, Refused { calls: 60, records: 4, fewest: 15, most: 15, tokens: 2 });
        assert_eq!(last_used(&app), used, "a refused call was counted as a use");
    }

    async fn other_refusals_fold_after_twenty_per_minute(app: TestApp) {
        let tokens = open(&app, 2);
        let apis = [app.api(&tokens[0]), app.api(&tokens[1])];
        app.switch_api("Acme", false);
        for _ in 0..2 {
            assert_eq!(count(&at_once(&apis[..1], 50).await, 403), 50);
            assert_eq!(count(&at_once(&apis[1..], 20).await, 403), 20);
            app.clock.advance(MINUTE);
        }
        assert_eq!(refused(&app, 403).await, Refused { calls: 140, records: 82, fewest: 1, most: 30, tokens: 2 });
        app.switch_api("Acme", true);
        assert_eq!(count(&at_once(&apis, 30).await, 200), 60, "successful calls are never folded");
        app.flush().await;
        let passed = "SELECT COUNT(*) AS n FROM activity WHERE kind = 'api.request'";
        assert_eq!(app.database.number(passed), 60);
    }
}

/// Records of refusals with one status.
#[derive(Debug, PartialEq)]
struct Refused {
    calls: i64,
    records: i64,
    fewest: i64,
    most: i64,
    tokens: i64,
}

/// The refusals with this status in the activity log.
async fn refused(app: &TestApp, status: u16) -> Refused {
    let records = format!("activity WHERE kind = 'api.refused' AND status = {status}");
    let number =
        |what: &str| app.database.number(&format!("SELECT CAST({what} AS BIGINT) AS n FROM {records}"));
    app.flush().await;
    let [records, fewest, most] = [number("COUNT(*)"), number("MIN(count)"), number("MAX(count)")];
    Refused { calls: number("SUM(count)"), records, fewest, most, tokens: number("COUNT(DISTINCT token_id)") }
}

fn last_used(app: &TestApp) -> i64 {
    app.database.number("SELECT COALESCE(MAX(last_used_at), 0) AS n FROM tokens")
}
