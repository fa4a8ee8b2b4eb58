//! Prometheus metrics, on their own listener.

use std::collections::BTreeMap;

use crate::support::client::{Api, Visitor};
use crate::support::people::PASSWORD;
use crate::support::process::Gatepost;

async fn numbers(address: &str) -> BTreeMap<String, f64> {
    let (base, path) = address.rsplit_once('/').expect("an address");
    let response = Visitor::new(base).get(&format!("/{path}")).await.expect(200);
    assert_eq!(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let lines = response.body.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.rsplit_once(' ').expect("a name and a value"));
    pairs.map(|(name, value)| (name.to_owned(), value.parse().expect("a number"))).collect()
}

#[tokio::test]
async fn metrics_follow_calls() {
    let gatepost = Gatepost::new().with("GATEPOST_METRICS_LISTEN", "127.0.0.1:0");
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery\n");
    gatepost.ok(&["api", "Acme", "on"], "");
    let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
    let server = gatepost.serve();
    let printed = server.stdout();
    let address = printed.lines().find_map(|line| line.strip_prefix("Metrics on ")).expect("an address");
    let before = numbers(address).await;
    assert_eq!(before["gatepost_gate_seconds_count"], 0.0);

    let call = async |credentials: &[(&str, &str)], status| {
        Api::new(&server.base, credentials).get("/api/v1/me").await.expect(status);
    };
    let bearer = format!("Bearer {}", token.trim());
    for _ in 0..3 {
        call(&[("Authorization", &bearer)], 200).await;
    }
    call(&[], 401).await;
    call(&[("X-API-Key", "gp_mistyped")], 401).await;
    call(&[("Authorization", &bearer), ("X-API-Key", "a")], 400).await;
    // A request with a known token for a missing resource.
    Api::new(&server.base, &[("Authorization", &bearer)]).get("/api/v1/nothing").await.expect(404);

    let after = numbers(address).await;
    for (name, value) in [
        ("gatepost_api_calls_total{status=\"200\"}", 3.0),
        ("gatepost_api_calls_total{status=\"400\"}", 1.0),
        ("gatepost_api_calls_total{status=\"401\"}", 2.0),
        ("gatepost_api_calls_total{status=\"404\"}", 1.0),
        ("gatepost_unrecognized_calls_total{reason=\"missing\"}", 1.0),
        ("gatepost_unrecognized_calls_total{reason=\"invalid\"}", 1.0),
        ("gatepost_unrecognized_calls_total{reason=\"malformed\"}", 1.0),
        ("gatepost_unrecognized_calls_total{reason=\"failed\"}", 0.0),
        ("gatepost_gate_seconds_count", 7.0),
        ("gatepost_gate_seconds_bucket{le=\"+Inf\"}", 7.0),
        ("gatepost_writer_batch_calls_sum", 4.0),
        ("gatepost_writer_failed_commits_total", 0.0),
        ("gatepost_writer_waiting_calls", 0.0),
        ("gatepost_limiter_reachable", 1.0),
        ("gatepost_jobs{queue=\"lookups\",state=\"dead\"}", 0.0),
        ("gatepost_jobs{queue=\"maintenance\",state=\"dead\"}", 0.0),
    ] {
        assert_eq!(after.get(name), Some(&value), "{name}");
    }
    assert!(after.contains_key("gatepost_jobs_oldest_waiting_seconds{queue=\"lookups\"}"));
    // A token is cached from the first call after the gate has checked the epoch.
    let mut tries = 0..500;
    while numbers(address).await["gatepost_cached_tokens"] != 1.0 {
        assert!(tries.next().is_some(), "no token was cached");
        call(&[("Authorization", &bearer)], 200).await;
    }
    assert!(after["gatepost_gate_seconds_sum"] > 0.0 && after["gatepost_writer_commit_seconds_sum"] > 0.0);

    let (base, _) = address.rsplit_once('/').expect("an address");
    Visitor::new(base).get("/developer").await.expect(404);
    let public = Visitor::new(&server.base).get("/metrics").await;
    assert!(public.status != 200 && !public.body.contains("gatepost_"), "{public:?}");
}

/// The inbox polls every second. If each poll flushed, calls would never be batched.
#[tokio::test]
async fn only_pages_that_show_calls_wait_for_the_activity_log() {
    let gatepost = Gatepost::new().with("GATEPOST_METRICS_LISTEN", "127.0.0.1:0");
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], PASSWORD);
    let server = gatepost.serve();
    let printed = server.stdout();
    let address = printed.lines().find_map(|line| line.strip_prefix("Metrics on ")).expect("an address");
    let ada = Visitor::new(&server.base);
    ada.sign_in("ada@acme.test", PASSWORD).await.expect(303);
    for page in ["/inbox", "/aliases", "/contacts", "/domains", "/team", "/account"] {
        ada.get(page).await.expect(200);
    }
    let requests = async || numbers(address).await["gatepost_flush_requests_total"];
    assert_eq!(requests().await, 0.0);
    for page in ["/activity", "/developer"] {
        ada.get(page).await.expect(200);
    }
    assert_eq!(requests().await, 2.0);
}

#[tokio::test]
async fn metrics_are_off_by_default() {
    let server = Gatepost::new().serve();
    assert!(!server.stdout().contains("Metrics"), "{}", server.stdout());
}
