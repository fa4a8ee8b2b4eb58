//! The contract of `/api/v1`, over HTTP.

mod aliases;
mod api_keys;
mod contacts;
mod cors;
mod credentials;
mod description;
mod domains;
mod idempotency;
mod me;
mod messages;
mod methods;
mod records;
mod requests;
mod revocation;
mod scopes;
mod sessions;
mod tags;
mod team;
mod uniform;

use gatepost::domain::access::secret::HashedToken;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::client::Response;
use crate::support::raw::RawResponse;

/// Returns the public id of a token, to find its row by SQL.
fn public_id(token: &str) -> String {
    HashedToken::parse(token).expect("a whole token").public_id().to_owned()
}

/// Returns a token's id in the API.
async fn token_id(app: &TestApp, token: &str) -> String {
    let me = app.api(token).get("/api/v1/me").await.expect(200);
    me.json()["token"]["id"].as_str().expect("an id").to_owned()
}

/// Checks a whole refusal: every byte of its body, except the request's id, which must equal the header's.
#[track_caller]
fn assert_refused(response: &RawResponse, status: &str, challenge: Option<&str>, code: &str, message: &str) {
    let request = response.header("x-request-id").expect("a request id");
    assert!(request.starts_with("req_") && request.len() == 36, "{request}");
    let error = json!({"code": code, "message": message, "requestId": request});
    assert_eq!(response.body, json!({"success": false, "error": error}).to_string());
    assert_eq!(response.status, format!("HTTP/1.1 {status}"));
    assert_eq!(response.header("www-authenticate"), challenge);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("content-length"), Some(response.body.len().to_string().as_str()));
    assert_eq!(response.header("set-cookie"), None);
}

/// Returns the errors of single fields in a refusal.
#[track_caller]
fn details(response: &Response) -> Value {
    response.json()["error"]["details"].clone()
}

/// Returns the number of API requests in a team's activity log.
fn recorded(app: &TestApp, team: &str) -> i64 {
    app.database.number(&format!(
        "SELECT COUNT(*) AS n FROM activity JOIN teams ON teams.id = activity.team_id \
         WHERE teams.name = '{team}' AND kind IN ('api.request', 'api.refused')"
    ))
}
