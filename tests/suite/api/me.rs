//! `/me`: the token of the request.

use gatepost::domain::access::scopes::Scope;
use reqwest::Method;
use serde_json::json;

use crate::support::people::Person::{Ada, Bea};
use crate::support::{TestApp, both_engines};

both_engines! {
    async fn me_returns_team_token_and_plan(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let me = app.api(&token).get("/api/v1/me").await.expect(200);
        let body = me.json();
        let (team, id) = (body["team"]["id"].as_str().unwrap(), body["token"]["id"].as_str().unwrap());
        assert!(team.starts_with("team_") && id.starts_with("tok_"), "{body}");
        let expected = json!({
            "team": {"id": team, "name": "Acme"},
            "token": {"id": id, "name": "ci", "start": &token[..11], "createdAt": "2040-01-02T09:00:00Z"},
            "plan": "pro",
            "scopes": Scope::ALL.map(Scope::as_str),
        });
        assert_eq!(body, expected);
        assert_eq!(me.header("content-type"), "application/json");
        assert_eq!(me.header("cache-control"), "no-store");
        assert!(!me.body.contains(&token[11..]), "the response contains the secret");
    }

    async fn a_session_has_no_token(app: TestApp) {
        app.switch_api("Acme", true);
        for person in [Ada, Bea] {
            let visitor = app.as_(person).await;
            let body = visitor.get("/api/v1/me").await.expect(200).json();
            assert_eq!(body["token"], json!(null));
            assert_eq!(body["team"]["name"], "Acme");
            let response = visitor.send_json(Method::DELETE, "/api/v1/me/token", &json!({})).await.expect(403);
            assert_eq!(response.error_code(), "FORBIDDEN");
        }
    }

    async fn a_token_can_revoke_itself(app: TestApp) {
        app.switch_api("Acme", true);
        let (token, other) = (app.token("Acme", "ci"), app.token("Acme", "deploy"));
        let gone = app.api(&token).delete("/api/v1/me/token").await.expect(204);
        assert_eq!(gone.body, "");
        for path in ["/api/v1/me", "/api/v1/team"] {
            let response = app.api(&token).get(path).await.expect(401);
            assert_eq!(response.json()["error"]["message"], "The API token has been revoked.");
        }
        app.api(&token).delete("/api/v1/me/token").await.expect(401);
        let keys = app.api(&other).get("/api/v1/api-keys").await.expect(200).json();
        let gone = keys["data"].as_array().unwrap().iter().find(|key| key["name"] == "ci").unwrap();
        assert_eq!(gone["state"], "revoked");
        assert_eq!(gone["revokedBy"], "token ci");
        assert_eq!(gone["revokeReason"], "revoked by itself");
    }
}
