//! `/api-keys`: any caller with the scope can list tokens, but only people can change them.

use std::time::Duration;

use gatepost::domain::access::scopes::Scopes;
use reqwest::Method;
use serde_json::{Value, json};

use super::{details, token_id};
use crate::support::client::{Visitor, send};
use crate::support::people::Person::{Ada, Bea, Dan};
use crate::support::{TestApp, both_engines};

async fn create(visitor: &Visitor, name: &str) -> crate::support::client::Response {
    visitor.send_json(Method::POST, "/api/v1/api-keys", &json!({"name": name})).await
}

/// Returns the tokens with this name, newest first.
async fn listed(visitor: &Visitor, name: &str) -> Vec<Value> {
    let body = visitor.get("/api/v1/api-keys?limit=100").await.expect(200).json();
    let keys = body["data"].as_array().expect("a list").iter();
    keys.filter(|key| key["name"] == name).cloned().collect()
}

both_engines! {
    async fn a_created_token_is_shown_once_and_works(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let response = create(&ada, "  ci  ").await.expect(201);
        let body = response.json();
        let token = body["token"].as_str().expect("the token").to_owned();
        let id = body["id"].as_str().expect("an id");
        let expected = json!({
            "id": id, "name": "ci", "start": &token[..11], "kind": "token", "state": "active",
            "createdAt": "2040-01-02T09:00:00Z", "createdBy": "ada@acme.test", "lastUsedAt": null,
            "scopes": Scopes::READ,
            "allScopes": false, "expiresAt": null, "revokedAt": null, "revokedBy": null, "revokeReason": null, "token": token,
            "notice": null,
        });
        assert_eq!(body, expected);
        assert_eq!(response.location(), format!("/api/v1/api-keys/{id}"));
        assert_eq!(response.header("cache-control"), "no-store");
        app.api(&token).get("/api/v1/me").await.expect(200);
        let list = ada.get("/api/v1/api-keys").await.expect(200);
        assert!(!list.body.contains(&token[11..]), "the list shows the secret");
        assert_eq!(listed(&ada, "ci").await[0]["lastUsedAt"], "2040-01-02T09:00:00Z");
    }

    async fn a_name_can_be_reused_after_its_token_is_revoked(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let id = create(&ada, "ci").await.expect(201).json()["id"].as_str().unwrap().to_owned();
        let response = create(&ada, "CI").await.expect(409);
        assert_eq!(response.error_code(), "CONFLICT");
        assert_eq!(details(&response)[0]["field"], "name");
        let revoke = format!("/api/v1/api-keys/{id}?reason=moved%20house");
        ada.send_json(Method::DELETE, &revoke, &json!({})).await.expect(204);
        create(&ada, "CI").await.expect(201);
        let old = &listed(&ada, "ci").await[0];
        assert_eq!(old["state"], "revoked");
        assert_eq!(old["revokedAt"], "2040-01-02T09:00:00Z");
        assert_eq!(old["revokedBy"], "ada@acme.test");
        assert_eq!(old["revokeReason"], "moved house");
        // A revoked token can be neither revoked again nor renamed.
        let again = ada.send_json(Method::DELETE, &revoke, &json!({})).await.expect(409);
        assert_eq!(again.error_code(), "CONFLICT");
        let path = format!("/api/v1/api-keys/{id}");
        ada.send_json(Method::PATCH, &path, &json!({"name": "new"})).await.expect(409);
    }

    async fn a_rename_keeps_the_token_working(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        app.token("Acme", "deploy");
        let path = format!("/api/v1/api-keys/{}", token_id(&app, &token).await);
        let bea = app.as_(Bea).await;
        let renamed = bea.send_json(Method::PATCH, &path, &json!({"name": "build"})).await.expect(200);
        assert_eq!(renamed.json()["name"], "build");
        assert_eq!(app.api(&token).get("/api/v1/me").await.expect(200).json()["token"]["name"], "build");
        let taken = bea.send_json(Method::PATCH, &path, &json!({"name": "Deploy"})).await.expect(409);
        assert_eq!(details(&taken)[0]["field"], "name");
        // Another spelling of the token's own name is no conflict.
        bea.send_json(Method::PATCH, &path, &json!({"name": "BUILD"})).await.expect(200);
    }

    async fn a_token_cannot_mint_rename_or_revoke_tokens(app: TestApp) {
        app.switch_api("Acme", true);
        let (token, other) = (app.token("Acme", "ci"), app.token("Acme", "deploy"));
        let path = format!("/api/v1/api-keys/{}", token_id(&app, &other).await);
        let api = app.api(&token);
        for (method, path) in
            [(Method::POST, "/api/v1/api-keys"), (Method::PATCH, &path), (Method::DELETE, &path)]
        {
            let response = api.send_json(method.clone(), path, &json!({"name": "evil"})).await.expect(403);
            assert_eq!(response.error_code(), "FORBIDDEN", "{method}");
            // The permission is checked before anything else in the request.
            let odd = send(api.request(method.clone(), &format!("{path}?x=1")).body("no json")).await;
            assert_eq!((odd.status, odd.error_code().as_str()), (403, "FORBIDDEN"), "{method}");
        }
        let ada = app.as_(Ada).await;
        assert!(listed(&ada, "evil").await.is_empty());
        assert_eq!(listed(&ada, "deploy").await[0]["state"], "active");
    }

    async fn another_teams_tokens_do_not_exist(app: TestApp) {
        app.switch_api("Acme", true);
        app.switch_api("Globex", true);
        let token = app.token("Acme", "ci");
        let id = token_id(&app, &token).await;
        let dan = app.as_(Dan).await;
        let none = format!("/api/v1/api-keys/tok_{}", "0".repeat(32));
        for path in [format!("/api/v1/api-keys/{id}"), none, "/api/v1/api-keys/x".into()] {
            for method in [Method::PATCH, Method::DELETE] {
                let response = dan.send_json(method, &path, &json!({"name": "mine"})).await.expect(404);
                assert_eq!(response.error_code(), "NOT_FOUND");
            }
        }
        assert!(listed(&dan, "ci").await.is_empty());
        app.api(&token).get("/api/v1/me").await.expect(200);
    }

    async fn tokens_are_listed_newest_first_in_pages(app: TestApp) {
        app.switch_api("Acme", true);
        for name in ["one", "two", "three"] {
            app.token("Acme", name);
            app.clock.advance(Duration::from_secs(1));
        }
        let ada = app.as_(Ada).await;
        let mut names = Vec::new();
        for offset in [0, 2] {
            let path = format!("/api/v1/api-keys?limit=2&offset={offset}");
            let body = ada.get(&path).await.expect(200).json();
            let data = body["data"].as_array().unwrap();
            names.extend(data.iter().map(|key| key["name"].as_str().unwrap().to_owned()));
            assert_eq!(body["pagination"]["total"], 3);
            assert_eq!(body["pagination"]["hasMore"], offset == 0);
        }
        assert_eq!(names, ["three", "two", "one"]);
    }

    async fn creating_a_token_requires_a_recent_password(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(10 * 60));
        let response = create(&ada, "ci").await.expect(403);
        assert_eq!(response.error_code(), "FORBIDDEN");
        assert!(listed(&ada, "ci").await.is_empty());
        // Revoking does not require the password.
        let id = token_id(&app, &app.token("Acme", "old")).await;
        let path = format!("/api/v1/api-keys/{id}");
        ada.send_json(Method::DELETE, &path, &json!({})).await.expect(204);
    }
}

/// The files of the store: the database, its WAL, the secret key.
#[tokio::test]
async fn no_file_holds_a_tokens_secret() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let ada = app.as_(Ada).await;
    let token = create(&ada, "ci").await.expect(201).json()["token"].as_str().expect("it").to_owned();
    app.api(&token).get("/api/v1/me").await.expect(200);
    let (secret, mut seen) = (&token.as_bytes()[15..47], 0);
    for file in std::fs::read_dir(app.data.path()).expect("a folder") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("its bytes");
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{}", path.display());
        seen += usize::from(bytes.windows(12).any(|part| part == &token.as_bytes()[3..15]));
    }
    assert!(seen > 0, "the public id wasn't found either, so this searches the wrong files");
}
