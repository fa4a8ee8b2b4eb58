//! Used requests still count after kill -9, and three processes share one count.

use std::time::SystemTime;

use futures_util::future::join_all;

use super::{at_once, count, remaining};
use crate::support::client::Api;
use crate::support::database::Database;
use crate::support::process::{Gatepost, Serving};
use crate::support::redis::database;

const PASSWORD: &str = "correct horse battery\n";

/// Opens the API of a team with this many tokens. Each round uses a new team.
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

/// Runs `promise` within one hour. These processes use the real clock, so it runs again with another team
/// if an hour ends meanwhile.
#[expect(clippy::disallowed_methods, reason = "the processes under test have no other clock")]
async fn within_an_hour<T>(promise: impl AsyncFn(&str) -> T) -> T {
    let hour = || SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970").as_secs() / 3600;
    for team in ["acme", "globex"] {
        let began = hour();
        let found = promise(team).await;
        if hour() == began {
            return found;
        }
    }
    panic!("the hour changed twice");
}

async fn a_restarted_server_continues_counting(gatepost: &Gatepost) {
    let found = within_an_hour(async |team| {
        let tokens = set_up(gatepost, team, 2);
        let serving = gatepost.serve();
        let first = at_once(&[api(&serving, &tokens[0]), api(&serving, &tokens[1])], 6).await;
        serving.kill();
        let serving = gatepost.serve();
        let next = remaining(&api(&serving, &tokens[1]).get("/api/v1/me").await);
        let second = at_once(&[api(&serving, &tokens[0])], 30).await;
        serving.kill();
        let last = api(&gatepost.serve(), &tokens[0]).get("/api/v1/me").await.status;
        (count(&first, 200), next, count(&second, 200), count(&second, 429), last)
    });
    assert_eq!(found.await, (12, 20 - 13, 7, 23, 429));
}

mod counters_survive_a_restart {
    use super::*;

    #[tokio::test]
    async fn sqlite() {
        a_restarted_server_continues_counting(&Gatepost::new().with("GATEPOST_PLAN_LIMITS", "pro=20")).await;
    }

    #[tokio::test]
    async fn postgres() {
        let database = Database::postgres();
        let gatepost = Gatepost::new().with("GATEPOST_DATABASE_URL", database.url());
        a_restarted_server_continues_counting(&gatepost.with("GATEPOST_PLAN_LIMITS", "pro=20")).await;
    }

    #[tokio::test]
    async fn redis() {
        let gatepost = Gatepost::new().with("GATEPOST_REDIS_URL", &database());
        a_restarted_server_continues_counting(&gatepost.with("GATEPOST_PLAN_LIMITS", "pro=20")).await;
    }
}

#[tokio::test]
async fn three_processes_with_one_redis_share_the_limit() {
    let store = Database::postgres();
    let gatepost = Gatepost::new()
        .with("GATEPOST_DATABASE_URL", store.url())
        .with("GATEPOST_PLAN_LIMITS", "pro=300")
        .with("GATEPOST_REDIS_URL", &database());
    let statuses = within_an_hour(async |team| {
        let tokens = set_up(&gatepost, team, 5);
        let instances = [gatepost.serve(), gatepost.serve(), gatepost.serve()];
        let apis: Vec<Vec<Api>> =
            tokens.iter().map(|token| instances.iter().map(|it| api(it, token)).collect()).collect();
        let calls = (0..1000).map(|call| apis[call % 5][call % 3].get("/api/v1/me"));
        join_all(calls).await.into_iter().map(|response| response.status).collect::<Vec<u16>>()
    })
    .await;
    assert_eq!((count(&statuses, 200), count(&statuses, 429)), (300, 700));
}
