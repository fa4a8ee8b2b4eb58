//! The requests in the log on standard error.

use crate::support::client::{Api, Visitor};
use crate::support::people::PASSWORD;
use crate::support::process::Gatepost;

/// Returns the ids of a successful call, two refused ones and a page, and the log.
async fn requests(gatepost: Gatepost) -> ([String; 4], String) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], PASSWORD);
    gatepost.ok(&["api", "Acme", "on"], "");
    let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci"], "");
    let server = gatepost.serve();
    let bearer = format!("Bearer {}", token.trim());
    let caller = Api::new(&server.base, &[("Authorization", &bearer)]);
    let responses = [
        caller.get("/api/v1/me").await.expect(200),
        caller.get("/api/v1/nothing").await.expect(404),
        Api::new(&server.base, &[]).get("/api/v1/me").await.expect(401),
        Visitor::new(&server.base).get("/sign-in").await.expect(200),
    ];
    (responses.map(|response| response.header("x-request-id").to_owned()), server.terminate().stderr)
}

#[tokio::test]
async fn successful_calls_are_logged_only_at_debug_level() {
    let (ids, log) = requests(Gatepost::new()).await;
    assert_eq!(ids.map(|id| log.contains(&id)), [false, true, true, true], "{log}");
    let (ids, log) = requests(Gatepost::new().with("GATEPOST_LOG", "debug")).await;
    assert_eq!(ids.map(|id| log.contains(&id)), [true; 4], "{log}");
}
