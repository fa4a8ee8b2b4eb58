//! `/aliases`: creating, changing and deleting aliases, whose addresses are never reused.

use reqwest::Method;
use serde_json::{Value, json};

use super::details;
use crate::support::client::{Api, Response};
use crate::support::people::Person::{Ada, Cy};
use crate::support::{TestApp, both_engines};

fn api(app: &TestApp, team: &str) -> Api {
    app.switch_api(team, true);
    app.api(&app.token(team, "ci"))
}

async fn create(api: &Api, body: &Value) -> Response {
    api.send_json(Method::POST, "/api/v1/aliases", body).await
}

async fn created(api: &Api, local: &str) -> String {
    let response = create(api, &json!({"localPart": local})).await.expect(201);
    format!("/api/v1/aliases/{}", response.json()["id"].as_str().expect("an id"))
}

async fn addresses(api: &Api, query: &str) -> Vec<String> {
    let body = api.get(&format!("/api/v1/aliases{query}")).await.expect(200).json();
    let list = body["data"].as_array().expect("a list").iter();
    list.map(|each| each["address"].as_str().expect("an address").to_owned()).collect()
}

both_engines! {
    async fn an_alias_is_created_and_read(app: TestApp) {
        let api = api(&app, "Acme");
        let asked = json!({"localPart": " Hello ", "domain": "gatepost.localhost", "note": "the form"});
        let response = create(&api, &asked).await.expect(201);
        let body = response.json();
        let id = body["id"].as_str().expect("an id");
        assert!(id.starts_with("alias_"), "{id}");
        let expected = json!({
            "id": id, "address": "Hello@gatepost.localhost", "localPart": "Hello",
            "domain": "gatepost.localhost", "note": "the form", "enabled": true, "received": 0,
            "denied": 0, "lastReceivedAt": null, "createdAt": "2040-01-02T09:00:00Z",
            "createdBy": "token ci",
        });
        assert_eq!(body, expected);
        assert_eq!(response.location(), format!("/api/v1/aliases/{id}"));
        assert_eq!(api.get(response.location()).await.expect(200).json(), expected);
    }

    async fn without_a_local_part_the_address_is_random(app: TestApp) {
        let api = api(&app, "Acme");
        let (one, two) = (create(&api, &json!({})).await.expect(201), create(&api, &json!({})).await.expect(201));
        let local = |response: &Response| response.json()["localPart"].as_str().expect("it").to_owned();
        assert_eq!(local(&one).len(), 10);
        assert_ne!(local(&one), local(&two));
    }

    async fn an_address_is_never_reused(app: TestApp) {
        let (acme, globex) = (api(&app, "Acme"), api(&app, "Globex"));
        let path = created(&acme, "hello").await;
        for other in [&acme, &globex] {
            let taken = create(other, &json!({"localPart": "HELLO"})).await.expect(409);
            assert_eq!(taken.error_code(), "CONFLICT");
            assert_eq!(details(&taken)[0]["field"], "localPart");
        }
        acme.delete(&path).await.expect(204);
        acme.get(&path).await.expect(404);
        acme.delete(&path).await.expect(404);
        assert!(addresses(&acme, "").await.is_empty());
        for other in [&acme, &globex] {
            create(other, &json!({"localPart": "hello"})).await.expect(409);
        }
    }

    async fn invalid_fields_are_named(app: TestApp) {
        let api = api(&app, "Acme");
        for (body, fields) in [
            (json!({"localPart": "a b", "note": "x".repeat(1001)}), vec!["localPart", "note"]),
            (json!({"localPart": ""}), vec!["localPart"]),
            (json!({"localPart": "x", "domain": "nowhere.test"}), vec!["domain"]),
            (json!({"localpart": "x"}), vec!["localpart"]),
            (json!({"localPart": 7}), vec!["localPart"]),
        ] {
            let refused = create(&api, &body).await.expect(400);
            let named: Vec<_> = details(&refused).as_array().unwrap().iter().map(|it| it["field"].clone()).collect();
            assert_eq!(named, fields, "{body}");
        }
        create(&api, &json!({"localPart": "postmaster"})).await.expect(409);
        assert!(addresses(&api, "").await.is_empty());
    }

    async fn a_patch_changes_only_the_fields_it_names(app: TestApp) {
        let api = api(&app, "Acme");
        let path = created(&api, "hello").await;
        for (change, note, enabled) in [
            (json!({"note": "the form"}), json!("the form"), true),
            (json!({"enabled": false}), json!("the form"), false),
            (json!({}), json!("the form"), false),
            (json!({"note": null, "enabled": true}), json!(null), true),
            (json!({"note": "  "}), json!(null), true),
        ] {
            let body = api.send_json(Method::PATCH, &path, &change).await.expect(200).json();
            assert_eq!((&body["note"], &body["enabled"]), (&note, &json!(enabled)), "{change}");
            assert_eq!(api.get(&path).await.expect(200).json(), body);
        }
        for bad in [json!({"enabled": null, "local": 1}), json!({"address": "x@y"}), json!({"note": "x".repeat(1001)})] {
            api.send_json(Method::PATCH, &path, &bad).await.expect(400);
        }
    }

    async fn lists_are_searched_and_paged(app: TestApp) {
        let api = api(&app, "Acme");
        for local in ["sales", "support", "sales.eu"] {
            app.clock.advance(std::time::Duration::from_millis(1));
            created(&api, local).await;
        }
        let at = |local: &str| format!("{local}@gatepost.localhost");
        assert_eq!(addresses(&api, "").await, [at("sales.eu"), at("support"), at("sales")]);
        assert_eq!(addresses(&api, "?q=SALES").await, [at("sales.eu"), at("sales")]);
        assert_eq!(addresses(&api, "?enabled=false").await, [""; 0]);
        // Wildcards of SQL patterns are matched literally.
        assert_eq!(addresses(&api, "?q=s_les").await, [""; 0]);
        let first = api.get("/api/v1/aliases?limit=2").await.expect(200).json();
        let cursor = first["pagination"]["nextCursor"].as_str().expect("a cursor");
        assert_eq!(
            first["pagination"],
            json!({"limit": 2, "offset": 0, "total": 3, "hasMore": true, "nextCursor": cursor})
        );
        assert_eq!(addresses(&api, &format!("?limit=2&cursor={cursor}")).await, [at("sales")]);
        assert_eq!(addresses(&api, "?limit=2&offset=2").await, [at("sales")]);
        for (query, field) in [("limit=0", "limit"), ("offset=-1", "offset"), ("cursor=x", "cursor"), ("enabled=on", "enabled"), ("page=1", "page")] {
            let refused = api.get(&format!("/api/v1/aliases?{query}")).await.expect(400);
            assert_eq!(details(&refused)[0]["field"], field, "{query}: {}", refused.body);
        }
    }

    async fn another_teams_aliases_do_not_exist(app: TestApp) {
        let (acme, globex) = (api(&app, "Acme"), api(&app, "Globex"));
        let path = created(&acme, "hello").await;
        for path in [path.as_str(), "/api/v1/aliases/x", &format!("/api/v1/aliases/alias_{}", "0".repeat(32))] {
            assert_eq!(globex.get(path).await.expect(404).error_code(), "NOT_FOUND");
            globex.send_json(Method::PATCH, path, &json!({"enabled": false})).await.expect(404);
            globex.send_json(Method::PATCH, path, &json!({"note": "x".repeat(1001)})).await.expect(404);
            globex.delete(path).await.expect(404);
        }
        assert!(addresses(&globex, "").await.is_empty() && addresses(&globex, "?q=hello").await.is_empty());
        assert_eq!(acme.get(&path).await.expect(200).json()["enabled"], true);
    }

    async fn every_change_is_recorded_with_its_actor(app: TestApp) {
        let api = api(&app, "Acme");
        let path = created(&api, "hello").await;
        api.send_json(Method::PATCH, &path, &json!({"enabled": false})).await.expect(200);
        api.delete(&path).await.expect(204);
        for kind in ["alias.created", "alias.changed", "alias.deleted"] {
            let query = format!(
                "SELECT COUNT(*) AS n FROM activity WHERE kind = '{kind}' AND actor_label = 'token ci' \
                 AND subject = 'hello@gatepost.localhost'"
            );
            assert_eq!(app.database.number(&query), 1, "{kind}");
        }
    }
}

#[tokio::test]
async fn aliases_created_with_a_session_name_the_person() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let ada = app.as_(Ada).await;
    let made =
        ada.send_json(Method::POST, "/api/v1/aliases", &json!({"localPart": "hello"})).await.expect(201);
    assert_eq!(made.json()["createdBy"], "ada@acme.test");
    let cy = app.as_(Cy).await;
    cy.send_json(Method::POST, "/api/v1/aliases", &json!({})).await.expect(403);
}
