//! Scopes: a token can do only what its scopes allow.

use gatepost::domain::access::scopes::{Scope, Scopes};
use gatepost::domain::nouns::Noun;
use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, details, public_id};
use crate::support::client::Response;
use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines, raw};

const LACKS_TEAM: &str =
    r#"Bearer realm="API", charset="UTF-8", error="insufficient_scope", scope="team:read""#;
const NO_TEAM: &str =
    "This token lacks the scope team:read. The owner or an admin can create one that has it.";

fn remaining(response: &Response) -> i64 {
    response.header("x-ratelimit-remaining").parse().expect("a number")
}

fn scopes(body: &Value) -> Vec<&str> {
    body["scopes"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

fn of_read() -> Vec<&'static str> {
    Scopes::READ.iter().map(Scope::as_str).collect()
}

both_engines! {
    async fn a_missing_scope_is_named(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token_with("Acme", "ci", Scopes::of(&[Scope::TokensRead]));
        let bearer = format!("Authorization: Bearer {token}");
        for line in ["GET /api/v1/team", "GET /api/v1/team/people?limit=none"] {
            let response = raw::exchange(&app.base, line, &[&bearer], "");
            assert_refused(&response, "403 Forbidden", Some(LACKS_TEAM), "INSUFFICIENT_SCOPE", NO_TEAM);
        }
        app.api(&token).get("/api/v1/api-keys").await.expect(200);
    }

    async fn a_refusal_is_recorded_but_not_counted(app: TestApp) {
        app.switch_api("Acme", true);
        let narrow = app.token_with("Acme", "ci", Scopes::of(&[Scope::TokensRead]));
        let before = remaining(&app.api(&app.token("Acme", "other")).get("/api/v1/me").await.expect(200));
        for _ in 0..3 {
            let refused = app.api(&narrow).get("/api/v1/team").await.expect(403);
            assert_eq!(remaining(&refused), before);
        }
        let kind = |kind| format!("SELECT COUNT(*) AS n FROM activity WHERE kind = '{kind}'");
        assert_eq!(app.database.number(&kind("api.refused")), 3);
        assert_eq!(app.database.number(&kind("api.request")), 1);
        let id = public_id(&narrow);
        let used = format!("SELECT COUNT(last_used_at) AS n FROM tokens WHERE public_id = '{id}'");
        assert_eq!(app.database.number(&used), 0, "a refused call was counted as a use");
    }

    async fn turned_off_api_access_is_reported_before_a_missing_scope(app: TestApp) {
        let token = app.token_with("Acme", "ci", Scopes::of(&[Scope::TokensRead]));
        let refused = app.api(&token).get("/api/v1/team").await.expect(403);
        assert_eq!(refused.error_code(), "API_DISABLED");
        assert_eq!(refused.header("www-authenticate"), "");
    }

    async fn any_token_can_read_and_revoke_itself(app: TestApp) {
        app.switch_api("Acme", true);
        for (name, given) in [
            ("all", Scopes::ALL),
            ("read", Scopes::READ),
            ("some", Scopes::of(&[Scope::Write(Noun::Alias), Scope::Read(Noun::Contact)])),
            ("none", Scopes::of(&[])),
        ] {
            let api = app.api(&app.token_with("Acme", name, given));
            let me = api.get("/api/v1/me").await.expect(200).json();
            assert_eq!(scopes(&me), given.iter().map(Scope::as_str).collect::<Vec<_>>());
            api.delete("/api/v1/me/token").await.expect(204);
        }
    }

    async fn a_session_has_all_scopes(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        assert_eq!(scopes(&ada.get("/api/v1/me").await.expect(200).json()).len(), Scope::ALL.len());
        ada.get("/api/v1/team").await.expect(200);
    }

    async fn a_token_is_created_with_the_requested_scopes(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        for (asked, given, all) in [
            (json!({"name": "a"}), of_read(), false),
            (json!({"name": "b", "scopes": null}), of_read(), false),
            (json!({"name": "c", "scopes": ["read"]}), of_read(), false),
            (json!({"name": "d", "scopes": ["all"]}), Scope::ALL.map(Scope::as_str).to_vec(), true),
            (json!({"name": "e", "scopes": ["team:read", "aliases:write"]}), vec!["aliases:write", "team:read"], false),
        ] {
            let made = ada.send_json(Method::POST, "/api/v1/api-keys", &asked).await.expect(201).json();
            assert_eq!((scopes(&made), &made["allScopes"]), (given.clone(), &json!(all)), "{asked}");
            let me = app.api(made["token"].as_str().expect("it")).get("/api/v1/me").await.expect(200);
            assert_eq!(scopes(&me.json()), given);
        }
        let list = ada.get("/api/v1/api-keys").await.expect(200).json();
        let named = list["data"].as_array().expect("a list").iter().find(|token| token["name"] == "e");
        assert_eq!(scopes(named.expect("the token")), ["aliases:write", "team:read"]);
    }

    async fn unknown_scopes_are_named(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        for bad in [json!([]), json!(["aliases"]), json!(["all", "team:read"]), json!([""])] {
            let body = json!({"name": "", "scopes": bad});
            let refused = ada.send_json(Method::POST, "/api/v1/api-keys", &body).await.expect(400);
            let fields: Vec<_> = details(&refused).as_array().unwrap().iter().map(|it| it["field"].clone()).collect();
            assert_eq!(fields, ["name", "scopes"], "{bad}");
        }
        for bad in [json!("all"), json!([1]), json!({"all": true})] {
            let body = json!({"name": "ci", "scopes": bad});
            ada.send_json(Method::POST, "/api/v1/api-keys", &body).await.expect(400);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) AS n FROM tokens"), 0);
    }

    async fn narrowed_scopes_apply_from_the_next_request(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        app.api(&token).get("/api/v1/team").await.expect(200);
        let id = public_id(&token);
        let narrow = format!("UPDATE tokens SET scopes = 'tokens:read later:write' WHERE public_id = '{id}'");
        assert_eq!(app.database.execute(&narrow), Ok(1));
        app.catch_up();
        app.api(&token).get("/api/v1/team").await.expect(403);
        app.api(&token).get("/api/v1/api-keys").await.expect(200);
    }
}

#[tokio::test]
async fn a_missing_scope_is_reported_before_an_exhausted_limit() {
    let app = TestApp::with_settings(&[("GATEPOST_PLAN_LIMITS", "pro=1")]).await;
    app.switch_api("Acme", true);
    let api = app.api(&app.token_with("Acme", "ci", Scopes::of(&[Scope::TokensRead])));
    api.get("/api/v1/api-keys").await.expect(200);
    api.get("/api/v1/api-keys").await.expect(429);
    assert_eq!(api.get("/api/v1/team").await.expect(403).error_code(), "INSUFFICIENT_SCOPE");
}
