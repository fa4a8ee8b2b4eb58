//! `/domains`: adding, changing and removing domains. DNS checks are tested elsewhere.

use reqwest::Method;
use serde_json::{Value, json};

use super::details;
use crate::support::client::{Api, Response};
use crate::support::dns::Dns;
use crate::support::{TestApp, both_engines};

fn api(app: &TestApp, team: &str) -> Api {
    app.switch_api(team, true);
    app.api(&app.token(team, "ci"))
}

async fn add(api: &Api, name: &str) -> Response {
    api.send_json(Method::POST, "/api/v1/domains", &json!({"name": name})).await
}

async fn added(api: &Api, name: &str) -> String {
    let response = add(api, name).await.expect(201);
    format!("/api/v1/domains/{}", response.json()["id"].as_str().expect("an id"))
}

async fn names(api: &Api, query: &str) -> Vec<String> {
    let body = api.get(&format!("/api/v1/domains{query}")).await.expect(200).json();
    let list = body["data"].as_array().expect("a list").iter();
    list.map(|each| each["name"].as_str().expect("a name").to_owned()).collect()
}

both_engines! {
    async fn a_domain_is_added_with_the_records_to_publish(app: TestApp) {
        let api = api(&app, "Acme");
        let response = add(&api, " Mail.Acme.TEST. ").await.expect(201);
        let body = response.json();
        let id = body["id"].as_str().expect("an id");
        assert!(id.starts_with("dom_"), "{id}");
        let proof = body["records"][0]["value"].as_str().expect("a proof");
        assert!(proof.starts_with("gatepost-verify=") && proof.len() == 48, "{proof}");
        let record = |kind: &str, name: &str, value: &str| {
            json!({"type": kind, "name": name, "value": value, "state": "unchecked", "found": [], "checkedAt": null})
        };
        let expected = json!({
            "id": id, "name": "mail.acme.test", "verifiedAt": null, "suspendedAt": null, "checkedAt": null,
            "heldByAnother": false,
            // Other servers can't find gatepost.localhost.
            "records": [record("TXT", "_gatepost.mail.acme.test", proof)],
            "catchAll": null, "createdAt": "2040-01-02T09:00:00Z", "createdBy": "token ci",
        });
        assert_eq!(body, expected);
        assert_eq!(api.get(response.location()).await.expect(200).json(), expected);
        assert_eq!(details(&add(&api, "mail.acme.test").await.expect(409))[0]["field"], "name");
        assert_eq!(details(&add(&api, "gatepost.localhost").await.expect(409))[0]["field"], "name");
        for bad in ["", "acme", "a b.test", "http://acme.test", "10.0.0.1"] {
            assert_eq!(details(&add(&api, bad).await.expect(400))[0]["field"], "name", "{bad:?}");
        }
    }

    async fn only_the_teams_own_aliases_can_be_the_catch_all(app: TestApp) {
        let (acme, globex) = (api(&app, "Acme"), api(&app, "Globex"));
        let path = added(&acme, "acme.test").await;
        let change = async |body: Value| acme.send_json(Method::PATCH, &path, &body).await;
        let alias = app.alias("Acme", "hello").id;
        assert_eq!(change(json!({"catchAll": alias})).await.expect(200).json()["catchAll"], json!(alias));
        assert_eq!(change(json!({})).await.expect(200).json()["catchAll"], json!(alias));
        let foreign = app.alias("Globex", "other").id;
        let gone = app.alias("Acme", "gone").id;
        acme.delete(&format!("/api/v1/aliases/{gone}")).await.expect(204);
        for bad in [json!(foreign), json!(gone), json!("alias_1"), json!("")] {
            let refused = change(json!({"catchAll": bad})).await.expect(400);
            assert_eq!(details(&refused)[0]["field"], "catchAll");
        }
        assert_eq!(change(json!({"catchAll": null})).await.expect(200).json()["catchAll"], json!(null));
        change(json!({"name": "other.test"})).await.expect(400);
        globex.send_json(Method::PATCH, &path, &json!({"catchAll": foreign})).await.expect(404);
    }

    async fn aliases_return_when_a_removed_domain_is_added_again(app: TestApp) {
        let api = api(&app, "Acme");
        let path = added(&api, "acme.test").await;
        let hello = json!({"localPart": "hello", "domain": "acme.test"});
        let alias = api.send_json(Method::POST, "/api/v1/aliases", &hello).await.expect(201);
        assert_eq!(alias.json()["address"], "hello@acme.test");
        let listed = async || api.get("/api/v1/aliases").await.expect(200).json()["pagination"]["total"].clone();
        assert_eq!(listed().await, 1);
        api.delete(&path).await.expect(204);
        api.get(&path).await.expect(404);
        api.delete(&path).await.expect(404);
        assert_eq!((names(&api, "").await, listed().await), (Vec::new(), json!(0)));
        api.send_json(Method::POST, "/api/v1/aliases", &hello).await.expect(400);
        added(&api, "acme.test").await;
        assert_eq!(listed().await, 1);
    }

    async fn domains_are_listed_by_name_in_pages(app: TestApp) {
        let api = api(&app, "Acme");
        for name in ["c.test", "a.test", "b.test"] {
            added(&api, name).await;
        }
        assert_eq!(names(&api, "").await, ["a.test", "b.test", "c.test"]);
        assert_eq!(names(&api, "?limit=2&offset=1").await, ["b.test", "c.test"]);
        assert_eq!(names(&api, "?offset=9223372036854775807").await, [""; 0]);
        let body = api.get("/api/v1/domains?limit=1").await.expect(200).json();
        assert_eq!((&body["pagination"]["total"], &body["pagination"]["hasMore"]), (&json!(3), &json!(true)));
    }

    async fn another_teams_domains_do_not_exist(app: TestApp) {
        let (acme, globex) = (api(&app, "Acme"), api(&app, "Globex"));
        let path = added(&acme, "acme.test").await;
        for path in [path.as_str(), "/api/v1/domains/x", &format!("/api/v1/domains/dom_{}", "0".repeat(32))] {
            assert_eq!(globex.get(path).await.expect(404).error_code(), "NOT_FOUND");
            globex.send_json(Method::PATCH, path, &json!({"catchAll": null})).await.expect(404);
            globex.delete(path).await.expect(404);
        }
        assert_eq!(names(&globex, "").await, [""; 0]);
        let hello = json!({"localPart": "hello", "domain": "acme.test"});
        globex.send_json(Method::POST, "/api/v1/aliases", &hello).await.expect(400);
        // Both teams may add the name, and neither owns it before it is verified.
        let theirs = add(&globex, "acme.test").await.expect(201).json();
        let ours = acme.get(&path).await.expect(200).json();
        assert_ne!(theirs["records"][0]["value"], ours["records"][0]["value"]);
    }
}

#[tokio::test]
async fn a_check_looks_up_the_dns_and_returns_the_result() {
    let dns = Dns::start();
    let settings = [("GATEPOST_DNS", dns.address.as_str()), ("GATEPOST_MAIL_HOST", "mx.gatepost.test")];
    for app in [TestApp::with_settings(&settings).await, TestApp::postgres_with_settings(&settings).await] {
        let (acme, globex) = (api(&app, "Acme"), api(&app, "Globex"));
        let path = added(&acme, "acme.test").await;
        let asked = &acme.get(&path).await.expect(200).json()["records"][1];
        assert_eq!((&asked["type"], &asked["value"]), (&json!("MX"), &json!("10 mx.gatepost.test")));
        let check = async |api: &Api| api.send_json(Method::POST, &format!("{path}/check"), &json!({})).await;
        let states =
            |body: &Value| [body["records"][0]["state"].clone(), body["records"][1]["state"].clone()];
        let body = check(&acme).await.expect(200).json();
        assert_eq!(states(&body), ["missing", "missing"]);
        assert_eq!((&body["verifiedAt"], &body["checkedAt"]), (&json!(null), &json!("2040-01-02T09:00:00Z")));
        let proof = body["records"][0]["value"].as_str().expect("a proof");
        dns.txt("_gatepost.acme.test", proof).mx("acme.test", 10, "elsewhere.test");
        let body = check(&acme).await.expect(200).json();
        assert_eq!(states(&body), ["ok", "wrong"]);
        assert_eq!(body["records"][0]["found"], json!([proof]));
        assert_eq!(body["verifiedAt"], "2040-01-02T09:00:00Z");
        assert_eq!(acme.get(&path).await.expect(200).json(), body);
        let hello = json!({"localPart": "hello", "domain": "acme.test"});
        acme.send_json(Method::POST, "/api/v1/aliases", &hello).await.expect(201);
        app.arrives("bob@customer.test", "hello@acme.test", "Subject: Hi\n\nHi\n");
        check(&globex).await.expect(404);
        dns.remove("_gatepost.acme.test").remove("acme.test");
    }
}
