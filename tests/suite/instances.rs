//! Several processes with one store: changes confirmed by one apply to all.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::client::{Api, Visitor};
use crate::support::database::Database;
use crate::support::load::{Call, Load, TIMEOUT};
use crate::support::people::PASSWORD;
use crate::support::process::{Gatepost, Serving};
use crate::support::proxy::Proxy;

const ADA: &str = "ada@acme.test";
const BEA: &str = "bea@acme.test";

/// Servers with one store, the last of them optionally through a proxy, and Ada signed in to each.
struct Cluster {
    servers: Vec<Serving>,
    ada: Vec<Visitor>,
    /// For commands.
    gatepost: Gatepost,
    _more: Vec<Gatepost>,
    _database: Database,
}

fn installation(url: &str, activity: &str) -> Gatepost {
    Gatepost::new()
        .with("GATEPOST_DATABASE_URL", url)
        .with("GATEPOST_SECRET_KEY", &"5e".repeat(32))
        .with("GATEPOST_PLAN_LIMITS", "pro=100000000")
        .with("GATEPOST_ACTIVITY", activity)
}

impl Cluster {
    async fn postgres() -> Self {
        let database = Database::postgres();
        let modes = ["strict", "buffered", "strict"];
        let more = modes.map(|mode| installation(database.url(), mode)).into();
        Self::start(database, more).await
    }

    /// Starts three servers, the last of which reaches the database through the proxy.
    async fn with_proxy(activity: &str) -> (Self, Proxy) {
        let database = Database::postgres();
        let proxy = Proxy::before(database.url());
        let urls = [database.url(), database.url(), proxy.url()];
        let more = urls.map(|url| installation(url, activity)).into();
        (Self::start(database, more).await, proxy)
    }

    async fn start(database: Database, more: Vec<Gatepost>) -> Self {
        let gatepost = installation(database.url(), "strict");
        gatepost.ok(&["setup", "--team", "Acme", "--owner", ADA], PASSWORD);
        gatepost.ok(&["api", "Acme", "on"], "");
        let servers: Vec<Serving> = more.iter().map(Gatepost::serve).collect();
        let mut ada = Vec::new();
        for server in &servers {
            ada.push(signed_in(server, ADA).await);
        }
        Self { servers, ada, gatepost, _more: more, _database: database }
    }

    fn bases(&self) -> Vec<&str> {
        self.servers.iter().map(|server| server.base.as_str()).collect()
    }

    /// Creates a token and returns its id and text.
    async fn token(&self, name: &str) -> (String, String) {
        let made = self.ada[0].send_json(Method::POST, "/api/v1/api-keys", &json!({"name": name})).await;
        let made = made.expect(201).json();
        let text = |key: &str| made[key].as_str().expect("a text").to_owned();
        (text("id"), text("token"))
    }

    /// Revokes a token through one of the servers.
    async fn revoke(&self, server: usize, id: &str) {
        let path = format!("/api/v1/api-keys/{id}");
        self.ada[server].send_json(Method::DELETE, &path, &json!({})).await.expect(204);
    }

    /// Checks that each server responds with this status at once.
    async fn assert_status(&self, token: &str, status: u16) {
        for base in self.bases() {
            me(base, token).await.expect(status);
        }
    }
}

/// Requests this page from each server.
async fn assert_page(person: &[Visitor], path: &str, status: u16) {
    for visitor in person {
        visitor.get(path).await.expect(status);
    }
}

async fn signed_in(server: &Serving, email: &str) -> Visitor {
    let visitor = Visitor::new(&server.base);
    visitor.sign_in(email, PASSWORD).await.expect(303);
    visitor
}

async fn me(base: &str, token: &str) -> crate::support::client::Response {
    Api::new(base, &[("Authorization", &format!("Bearer {token}"))]).get("/api/v1/me").await
}

/// Checks that no call with this token that began after `response` succeeded.
fn assert_none_passed(calls: &[Call], token: &str, response: Instant) {
    let passed =
        calls.iter().find(|call| &*call.token == token && call.began > response && call.status == 200);
    assert!(passed.is_none(), "a revoked token passed: {passed:?}, {response:?}");
}

/// A thousand calls per second to three servers.
fn thousand_a_second(cluster: &Cluster, token: &str) -> Load {
    Load::start(&cluster.bases(), 24, Duration::from_millis(72), token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_applies_on_all_instances_before_its_response() {
    let cluster = Cluster::postgres().await;
    let mut tokens = Vec::new();
    for number in 0..100 {
        tokens.push(cluster.token(&format!("victim {number}")).await);
    }
    let load = thousand_a_second(&cluster, &tokens[0].1);
    let since = Instant::now();
    for (round, (id, token)) in tokens.iter().enumerate() {
        load.present(token);
        load.until_each(3, |call| &*call.token == token.as_str() && call.status == 200).await;
        let from = load.count();
        cluster.revoke(round % 3, id).await;
        let response = Instant::now();
        load.until_each(3, |call| &*call.token == token.as_str() && call.began > response).await;
        assert_none_passed(&load.calls(from), token, response);
    }
    let rate = load.count() as f64 / since.elapsed().as_secs_f64();
    let calls = load.stop().await;
    println!("{} calls, {rate:.0} a second", calls.len());
    assert!(calls.iter().all(|call| matches!(call.status, 200 | 401)), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_access_applies_on_all_instances_before_its_response() {
    let cluster = Cluster::postgres().await;
    let (id, token) = cluster.token("ci").await;
    let load = thousand_a_second(&cluster, &token);
    load.until_each(20, |call| call.status == 200).await;
    for server in 0..3 {
        for (command, status) in [
            (["api", "Acme", "off"], 403),
            (["api", "Acme", "on"], 200),
            (["plan", "Acme", "free"], 403),
            (["plan", "Acme", "pro"], 200),
        ] {
            cluster.gatepost.ok(&command, "");
            cluster.assert_status(&token, status).await;
        }
        for (state, status) in [("off", 403), ("on", 200)] {
            cluster.ada[server].post("/developer/api", &[("state", state)]).await.expect(303);
            cluster.assert_status(&token, status).await;
        }
        let (path, name) = (format!("/api/v1/api-keys/{id}"), format!("renamed at {server}"));
        cluster.ada[server].send_json(Method::PATCH, &path, &json!({"name": name})).await.expect(200);
        for base in cluster.bases() {
            assert_eq!(me(base, &token).await.expect(200).json()["token"]["name"], name);
        }
    }
    let calls = load.stop().await;
    assert!(calls.iter().all(|call| matches!(call.status, 200 | 403)), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regenerated_team_key_is_refused_on_all_instances() {
    let cluster = Cluster::postgres().await;
    let key = |response: crate::support::client::Response| {
        let pattern = regex::Regex::new("gp_[0-9A-Za-z]{50}").expect("a pattern");
        pattern.find(&response.body).expect("a key").as_str().to_owned()
    };
    let mut old = key(cluster.ada[0].post("/developer/team-key", &[]).await.expect(200));
    let load = thousand_a_second(&cluster, &old);
    for round in 0..6 {
        load.until_each(10, |call| *call.token == *old && call.status == 200).await;
        let regenerate = cluster.ada[round % 3].post("/developer/team-key/regenerate", &[]);
        let new = key(regenerate.await.expect(200));
        cluster.assert_status(&old, 401).await;
        cluster.assert_status(&new, 200).await;
        load.present(&new);
        old = new;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn role_changes_apply_on_all_instances() {
    let cluster = Cluster::postgres().await;
    let invitation = [("email", BEA), ("role", "admin")];
    let invited = cluster.ada[0].post("/team/invitations", &invitation).await.expect(200);
    let link = regex::Regex::new("http://[0-9.:]+(/invitations/[0-9A-Za-z_-]+)").expect("a pattern");
    let link = link.captures(&invited.body).expect("a link")[1].to_owned();
    let form = [("name", "Bea"), ("password", PASSWORD)];
    Visitor::new(&cluster.servers[1].base).post(&link, &form).await.expect(303);
    let mut bea = Vec::new();
    for server in &cluster.servers {
        bea.push(signed_in(server, BEA).await);
    }
    let people = cluster.ada[2].get("/api/v1/team/people").await.expect(200).json();
    let people = people["data"].as_array().expect("people");
    let id = people.iter().find(|each| each["email"] == BEA).expect("Bea")["id"].as_str().expect("an id");
    for server in 0..3 {
        for (role, status) in [("member", 403), ("admin", 200)] {
            let path = format!("/team/people/{id}/role");
            cluster.ada[server].post(&path, &[("role", role)]).await.expect(303);
            assert_page(&bea, "/activity", status).await;
        }
    }
    let path = format!("/team/people/{id}/remove");
    cluster.ada[1].post(&path, &[("tokens", "keep")]).await.expect(303);
    assert_page(&bea, "/team", 403).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_server_neither_delays_nor_ignores_a_revocation() {
    let cluster = Cluster::postgres().await;
    for round in 0..6 {
        // The second server defers its records for a while, so that it serves only from memory.
        let (paused, other) = (round % 3, (round + 1) % 3);
        let (id, token) = cluster.token(&format!("victim {round}")).await;
        let load = thousand_a_second(&cluster, &token);
        load.until_each(10, |call| &*call.token == token.as_str() && call.status == 200).await;
        cluster.servers[paused].signal("STOP");
        tokio::time::timeout(TIMEOUT, cluster.revoke(other, &id)).await.expect("a response");
        let response = Instant::now();
        let waiting = tokio::spawn({
            let (base, token) = (cluster.servers[paused].base.clone(), token.clone());
            async move { me(&base, &token).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        cluster.servers[paused].signal("CONT");
        waiting.await.expect("a response").expect(401);
        load.until_each(3, |call| call.began > response && call.status == 401).await;
        assert_none_passed(&load.stop().await, &token, response);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_server_refuses_revoked_tokens() {
    for activity in ["buffered", "strict"] {
        let (cluster, proxy) = Cluster::with_proxy(activity).await;
        let (id, token) = cluster.token("victim").await;
        let (_, spared) = cluster.token("spared").await;
        let load = Load::start(&cluster.bases()[2..], 8, Duration::from_millis(20), &token);
        load.until_each(20, |call| call.status == 200).await;
        proxy.silence();
        tokio::time::timeout(TIMEOUT, cluster.revoke(0, &id)).await.expect("a response");
        let response = Instant::now();
        load.until_each(8, |call| call.began > response && call.status == 503 && call.retry).await;
        proxy.forward();
        load.until_each(3, |call| call.began > response && call.status == 401).await;
        load.present(&spared);
        load.until_each(3, |call| call.status == 200).await;
        let calls = load.stop().await;
        assert_none_passed(&calls, &token, response);
        assert!(calls.iter().all(|call| matches!(call.status, 200 | 401 | 503)), "{calls:?}");
        let slowest = calls.iter().map(|call| call.took).max().expect("calls");
        println!("{activity}: the slowest response took {slowest:?}");
    }
}

/// Runs a command beside a busy server.
#[tokio::test(flavor = "multi_thread")]
async fn commands_apply_to_a_running_server() {
    let gatepost = Gatepost::new();
    let database = Database::sqlite(gatepost.data.path());
    let gatepost = installation(database.url(), "strict");
    gatepost.ok(&["setup", "--team", "Acme", "--owner", ADA], PASSWORD);
    gatepost.ok(&["api", "Acme", "on"], "");
    let server = gatepost.serve();
    let ada = signed_in(&server, ADA).await;
    let load = Load::start(&[&server.base], 16, Duration::ZERO, "none");
    for round in 0..34 {
        let body = json!({"name": format!("{round}")});
        let made = ada.send_json(Method::POST, "/api/v1/api-keys", &body).await.expect(201).json();
        let token = made["token"].as_str().expect("a token");
        load.present(token);
        load.until_each(20, |call| &*call.token == token && call.status == 200).await;
        gatepost.ok(&["api", "Acme", "off"], "");
        assert_eq!(me(&server.base, token).await.error_code(), "API_DISABLED");
        gatepost.ok(&["api", "Acme", "on"], "");
        me(&server.base, token).await.expect(200);
        let from = load.count();
        gatepost.ok(&["token", "revoke", &token[3..15]], "");
        let response = Instant::now();
        load.until_each(20, |call| &*call.token == token && call.began > response).await;
        assert_none_passed(&load.calls(from), token, response);
    }
    let calls = load.stop().await;
    println!("{} calls", calls.len());
    assert!(calls.iter().all(|call| matches!(call.status, 200 | 401 | 403)), "a response of another kind");
}

/// Tokens and sessions that other instances have cached or opened end with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_team_is_gone_on_all_instances_before_the_reply() {
    let cluster = Cluster::postgres().await;
    let (_, token) = cluster.token("victim").await;
    cluster.assert_status(&token, 200).await;
    assert_page(&cluster.ada, "/developer", 200).await;
    let fields = [("name", "Acme"), ("password", PASSWORD)];
    cluster.ada[0].post("/settings/delete", &fields).await.expect(303);
    cluster.assert_status(&token, 401).await;
    assert_page(&cluster.ada, "/developer", 403).await;
}
