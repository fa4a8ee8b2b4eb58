//! `/contacts`: creating, listing, changing and deleting contacts.

use reqwest::Method;
use serde_json::{Value, json};

use super::details;
use crate::support::client::{Api, Response};
use crate::support::{TestApp, both_engines};

fn api(app: &TestApp, team: &str) -> Api {
    app.switch_api(team, true);
    app.api(&app.token(team, "ci"))
}

async fn create(api: &Api, body: &Value) -> Response {
    api.send_json(Method::POST, "/api/v1/contacts", body).await
}

async fn created(api: &Api, address: &str) -> String {
    let response = create(api, &json!({"address": address})).await.expect(201);
    format!("/api/v1/contacts/{}", response.json()["id"].as_str().expect("an id"))
}

async fn addresses(api: &Api, query: &str) -> Vec<String> {
    let body = api.get(&format!("/api/v1/contacts{query}")).await.expect(200).json();
    let list = body["data"].as_array().expect("a list").iter();
    list.map(|each| each["address"].as_str().expect("an address").to_owned()).collect()
}

both_engines! {
    async fn a_contact_is_created_and_read(app: TestApp) {
        let api = api(&app, "Acme");
        let asked = json!({"address": "Bob@Customer.test", "name": "Bob", "note": "call him", "state": "allowed"});
        let response = create(&api, &asked).await.expect(201);
        let body = response.json();
        let id = body["id"].as_str().expect("an id");
        assert!(id.starts_with("con_"), "{id}");
        let expected = json!({
            "id": id, "address": "Bob@customer.test", "name": "Bob", "note": "call him",
            "state": "allowed", "received": 0, "firstSeenAt": null, "lastSeenAt": null,
            "createdAt": "2040-01-02T09:00:00Z",
        });
        assert_eq!(body, expected);
        assert_eq!(api.get(response.location()).await.expect(200).json(), expected);
        let again = create(&api, &json!({"address": "bob@customer.TEST"})).await.expect(409);
        assert_eq!(details(&again)[0]["field"], "address");
    }

    async fn invalid_fields_are_named(app: TestApp) {
        let api = api(&app, "Acme");
        let all_wrong = json!({"address": "bob", "name": "a\nb", "state": "banned"});
        let refused = create(&api, &all_wrong).await.expect(400);
        let named: Vec<_> = details(&refused).as_array().unwrap().iter().map(|it| it["field"].clone()).collect();
        assert_eq!(named, ["address", "state", "name"]);
        for (body, field) in [
            (json!({}), "address"),
            (json!({"address": "bob@customer.test", "email": "x"}), "email"),
            (json!({"address": "bob@customer.test", "note": "x".repeat(1001)}), "note"),
            (json!({"address": "bob@customer.test", "state": 1}), "state"),
        ] {
            assert_eq!(details(&create(&api, &body).await.expect(400))[0]["field"], field, "{body}");
        }
        assert!(addresses(&api, "").await.is_empty());
    }

    async fn a_patch_changes_only_the_fields_it_names(app: TestApp) {
        let api = api(&app, "Acme");
        let path = created(&api, "bob@customer.test").await;
        for (change, name, note, state) in [
            (json!({"name": "Bob"}), json!("Bob"), json!(null), "unset"),
            (json!({"state": "blocked", "note": "no"}), json!("Bob"), json!("no"), "blocked"),
            (json!({}), json!("Bob"), json!("no"), "blocked"),
            (json!({"name": null, "note": null, "state": "unset"}), json!(null), json!(null), "unset"),
        ] {
            let body = api.send_json(Method::PATCH, &path, &change).await.expect(200).json();
            assert_eq!((&body["name"], &body["note"], &body["state"]), (&name, &note, &json!(state)), "{change}");
            assert_eq!(api.get(&path).await.expect(200).json(), body);
        }
        for bad in [json!({"state": "banned"}), json!({"address": "x@y.test"}), json!({"name": "x".repeat(121)})] {
            api.send_json(Method::PATCH, &path, &bad).await.expect(400);
        }
    }

    async fn lists_are_searched_and_paged(app: TestApp) {
        let api = api(&app, "Acme");
        for (address, name) in [("bob@customer.test", "Robert"), ("eve@nowhere.test", "Eve"), ("zoe@customer.test", "ZOE Ünal")] {
            app.clock.advance(std::time::Duration::from_millis(1));
            create(&api, &json!({"address": address, "name": name})).await.expect(201);
        }
        assert_eq!(addresses(&api, "?q=CUSTOMER").await, ["zoe@customer.test", "bob@customer.test"]);
        assert_eq!(addresses(&api, "?q=robert").await, ["bob@customer.test"]);
        assert_eq!(addresses(&api, "?q=%C3%BCnal").await, ["zoe@customer.test"]);
        assert_eq!(addresses(&api, "?state=blocked").await, [""; 0]);
        let first = api.get("/api/v1/contacts?limit=2").await.expect(200).json();
        assert_eq!(first["pagination"]["total"], 3);
        let cursor = first["pagination"]["nextCursor"].as_str().expect("a cursor");
        assert_eq!(addresses(&api, &format!("?cursor={cursor}")).await, ["bob@customer.test"]);
        for (query, field) in [("state=banned", "state"), ("limit=x", "limit"), ("cursor=con_1", "cursor")] {
            let refused = api.get(&format!("/api/v1/contacts?{query}")).await.expect(400);
            assert_eq!(details(&refused)[0]["field"], field, "{query}");
        }
    }

    async fn another_teams_contacts_do_not_exist(app: TestApp) {
        let (acme, globex) = (api(&app, "Acme"), api(&app, "Globex"));
        let path = created(&acme, "bob@customer.test").await;
        for path in [path.as_str(), "/api/v1/contacts/x", &format!("/api/v1/contacts/con_{}", "0".repeat(32))] {
            assert_eq!(globex.get(path).await.expect(404).error_code(), "NOT_FOUND");
            globex.send_json(Method::PATCH, path, &json!({"state": "blocked"})).await.expect(404);
            globex.send_json(Method::PATCH, path, &json!({"state": "banned"})).await.expect(404);
            globex.delete(path).await.expect(404);
        }
        assert!(addresses(&globex, "").await.is_empty() && addresses(&globex, "?q=bob").await.is_empty());
        // Each team has its own Bob.
        created(&globex, "bob@customer.test").await;
        assert_eq!(acme.get(&path).await.expect(200).json()["state"], "unset");
    }

    async fn the_address_of_a_deleted_contact_can_be_added_again(app: TestApp) {
        let api = api(&app, "Acme");
        let path = created(&api, "bob@customer.test").await;
        api.delete(&path).await.expect(204);
        api.get(&path).await.expect(404);
        api.delete(&path).await.expect(404);
        assert_ne!(created(&api, "bob@customer.test").await, path);
        for kind in ["contact.created", "contact.deleted"] {
            let query = format!("SELECT COUNT(*) AS n FROM activity WHERE kind = '{kind}' AND subject = 'bob@customer.test'");
            assert!(app.database.number(&query) >= 1, "{kind}");
        }
    }
}
