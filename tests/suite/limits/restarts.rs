//! What was used is still used after kill -9, and three processes count as one.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;

use super::{at_once, count, remaining};
use crate::support::client::Api;
use crate::support::database::Database;
use crate::support::process::{Gatepost, Serving};
use crate::support::redis::database;

const PASSWORD: &str = "correct horse battery\n";

/// Acme with its API on, and so many tokens. Another team for each round: it starts afresh.
fn set_up(gatepost: &Gatepost, team: &str, tokens: usize) -> Vec<String> {
    let owner = format!("{team}@acme.test");
    gatepost.ok(&["setup", "--team", team, "--owner", &owner], PASSWORD);
    gatepost.ok(&["api", team, "on"], "");
    let mint = |number: usize| {
        gatepost.ok(&["token", "mint", "--team", team, "--name", &format!("ci {number}")], "")
    };
    (0..tokens).map(|number| mint(number).trim_end().to_owned()).collect()
}

fn api(serving: &Serving, token: &str) -> Api {
    Api::new(&serving.base, &[("Authorization", &format!("Bearer {token}"))])
}

/// Waits, if need be, until the hour is not about to end: these processes go by the real clock.
async fn early_in_the_hour() {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970").as_secs();
    let left = 3600 - now % 3600;
    if left < 60 {
        tokio::time::sleep(Duration::from_secs(left + 1)).await;
    }
}

async fn a_killed_server_goes_on_counting(gatepost: &Gatepost) {
    let gatepost_limit = 20;
    let tokens = set_up(gatepost, "acme", 2);
    early_in_the_hour().await;
    let serving = gatepost.serve();
    let statuses = at_once(&[api(&serving, &tokens[0]), api(&serving, &tokens[1])], 6).await;
    assert_eq!(count(&statuses, 200), 12);
    serving.kill();
    let serving = gatepost.serve();
    let next = api(&serving, &tokens[1]).get("/api/v1/me").await.expect(200);
    assert_eq!(remaining(&next), gatepost_limit - 13);
    let statuses = at_once(&[api(&serving, &tokens[0])], 30).await;
    assert_eq!((count(&statuses, 200), count(&statuses, 429)), (7, 23));
    serving.kill();
    api(&gatepost.serve(), &tokens[0]).get("/api/v1/me").await.expect(429);
}

mod counters_survive_a_restart {
    use super::*;

    #[tokio::test]
    async fn sqlite() {
        a_killed_server_goes_on_counting(&Gatepost::new().with("GATEPOST_PLAN_LIMITS", "pro=20")).await;
    }

    #[tokio::test]
    async fn postgres() {
        let database = Database::postgres();
        let gatepost = Gatepost::new().with("GATEPOST_DATABASE_URL", database.url());
        a_killed_server_goes_on_counting(&gatepost.with("GATEPOST_PLAN_LIMITS", "pro=20")).await;
    }

    #[tokio::test]
    async fn redis() {
        let gatepost = Gatepost::new().with("GATEPOST_REDIS_URL", &database());
        a_killed_server_goes_on_counting(&gatepost.with("GATEPOST_PLAN_LIMITS", "pro=20")).await;
    }
}

#[tokio::test]
async fn three_processes_over_one_redis_let_exactly_the_limit_pass() {
    let store = Database::postgres();
    let gatepost = Gatepost::new()
        .with("GATEPOST_DATABASE_URL", store.url())
        .with("GATEPOST_PLAN_LIMITS", "pro=300")
        .with("GATEPOST_REDIS_URL", &database());
    let tokens = set_up(&gatepost, "acme", 5);
    early_in_the_hour().await;
    let instances = [gatepost.serve(), gatepost.serve(), gatepost.serve()];
    let apis: Vec<Vec<Api>> =
        tokens.iter().map(|token| instances.iter().map(|it| api(it, token)).collect()).collect();
    let calls = (0..1000).map(|call| apis[call % 5][call % 3].get("/api/v1/me"));
    let statuses: Vec<u16> = join_all(calls).await.into_iter().map(|reply| reply.status).collect();
    assert_eq!((count(&statuses, 200), count(&statuses, 429)), (300, 700));
}
