//! `ETag`, `If-None-Match` and `If-Match` on every resource.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::access::rows::{self, Row};
use crate::access::{fill, with_body};
use crate::support::client::{Api, Response, Visitor, send};
use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines, raw};
use gatepost::domain::access::scopes::{Scope, Scopes};

async fn with_token() -> (TestApp, Api) {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let api = api(&app);
    (app, api)
}

fn api(app: &TestApp) -> Api {
    app.api(&app.token("Acme", &rows::fresh_name(app)))
}

fn tag(response: &Response) -> String {
    let tag = response.header("etag").to_owned();
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or_default();
    assert!(
        inner.len() == 32 && inner.bytes().all(|it| it.is_ascii_hexdigit()),
        "{tag:?}: {}",
        response.body
    );
    tag
}

fn reads() -> impl Iterator<Item = Row> {
    rows::api().into_iter().filter(|row| row.route.starts_with("GET ") && row.route != "GET /api/v1/me")
}

/// Checks the headers of every response to an admitted call.
fn assert_counted(headers: &HeaderMap) {
    for name in ["x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "ratelimit", "cache-control"] {
        assert!(headers.contains_key(name), "{name} is missing: {headers:#?}");
    }
}

#[tokio::test]
async fn a_current_etag_gets_304() {
    let (app, api) = with_token().await;
    // The list of tokens shows the time of last use, which is written with a delay.
    api.get("/api/v1/me").await.expect(200);
    app.flush().await;
    for row in reads() {
        let (_, path, _) = fill(&app, &row);
        let first = api.get(&path).await.expect(200);
        let tag = tag(&first);
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
            for method in [Method::GET, Method::HEAD] {
                let request = api.request(method, &path).header("If-None-Match", &known);
                let response = send(request).await.expect(304);
                assert_eq!(response.body, "", "{}", row.route);
                assert_eq!(response.header("etag"), tag, "{}", row.route);
                assert_eq!(response.header("content-type"), "", "{}", row.route);
                assert_counted(&response.headers);
            }
        }
        for unknown in ["\"other\"", "nonsense", "", &tag[1..33]] {
            let response =
                send(api.request(Method::GET, &path).header("If-None-Match", unknown)).await.expect(200);
            assert_eq!(
                (response.body.as_str(), response.header("etag")),
                (first.body.as_str(), tag.as_str())
            );
        }
    }
    app.flush().await;
    let query = "SELECT COUNT(*) AS n FROM activity WHERE kind = 'api.request' AND status = 304";
    assert_eq!(app.database.number(query), 8 * reads().count() as i64);
}

#[tokio::test]
async fn an_etag_reveals_nothing_without_the_read_scope() {
    let (app, api) = with_token().await;
    let made =
        api.send_json(Method::POST, "/api/v1/aliases", &json!({"localPart": "hello"})).await.expect(201);
    let known = tag(&made);
    let without = app.api(&app.token_with("Acme", "narrow", Scopes::of(&[Scope::MessagesRead])));
    let globex = {
        app.switch_api("Globex", true);
        app.api(&app.token("Globex", "theirs"))
    };
    for (api, status) in [(without, 403), (globex, 404)] {
        let request = api.request(Method::GET, made.location()).header("If-None-Match", &known);
        send(request).await.expect(status);
    }
    let line = format!("GET {}", made.location());
    let response = raw::exchange(&app.base, &line, &[&format!("If-None-Match: {known}")], "");
    assert_eq!(response.status, "HTTP/1.1 401 Unauthorized");
}

/// Every operation that changes something, with a resource created for it.
fn changes() -> impl Iterator<Item = Row> {
    let is_change = |row: &Row| row.route.starts_with("PATCH ") || row.route.starts_with("DELETE ");
    rows::api().into_iter().filter(is_change)
}

struct Changer {
    ada: Visitor,
    api: Api,
}

impl Changer {
    /// Creates an authorized request: tokens change themselves, people everything else.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        match path {
            "/api/v1/me/token" => self.api.request(method, path),
            _ => self.ada.request(method, path).header("Sec-Fetch-Site", "same-origin"),
        }
    }

    /// Returns the path for reading the changed resource.
    async fn read_at(&self, path: &str) -> String {
        match path {
            "/api/v1/me/token" => {
                let me = self.api.get("/api/v1/me").await.expect(200).json();
                format!("/api/v1/api-keys/{}", me["token"]["id"].as_str().expect("an id"))
            }
            path => path.to_owned(),
        }
    }
}

#[tokio::test]
async fn if_match_prevents_lost_updates() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let mut seen = 0;
    for row in changes() {
        let changer = Changer { ada: app.as_(Ada).await, api: api(&app) };
        let done = if row.route.starts_with("PATCH ") { 200 } else { 204 };
        for right in ["the tag", "any", "one of two"] {
            let (method, path, fields) = fill(&app, &row);
            let read_at = changer.read_at(&path).await;
            app.flush().await;
            let before = changer.ada.get(&read_at).await.expect(200);
            let change = |tag: &str| {
                let request = changer.request(method.clone(), &path).header("If-Match", tag);
                send(with_body(request, &row, fields.clone()))
            };
            for wrong in ["\"other\"", &format!("W/{}", tag(&before)), "nonsense", ""] {
                let refused = change(wrong).await.expect(412);
                assert_eq!(refused.error_code(), "PRECONDITION_FAILED", "{}", row.route);
            }
            app.flush().await;
            assert_eq!(changer.ada.get(&read_at).await.expect(200).body, before.body, "{}", row.route);
            let tag = match right {
                "the tag" => tag(&before),
                "any" => "*".into(),
                _ => format!("\"other\", {}", tag(&before)),
            };
            change(&tag).await.expect(done);
            if path == "/api/v1/me/token" {
                break;
            }
        }
        seen += 1;
    }
    assert!(seen >= 11, "only {seen} changes");
}

#[tokio::test]
async fn if_match_on_a_deleted_resource_gets_404() {
    let (_app, api) = with_token().await;
    let path = format!("/api/v1/contacts/con_{}", "0".repeat(32));
    let request = api.request(Method::DELETE, &path).header("If-Match", "*");
    send(request).await.expect(404);
}

both_engines! {
    async fn a_resource_has_one_tag_in_every_response(app: TestApp) {
        app.switch_api("Acme", true);
        let (ada, name) = (app.as_(Ada).await, rows::fresh_name(&app));
        for (path, new, change) in [
            ("/api/v1/aliases", json!({"localPart": name}), json!({"note": "new"})),
            ("/api/v1/contacts", json!({"address": "bob@customer.test"}), json!({"note": "new"})),
            ("/api/v1/domains", json!({"name": "mail.acme.test"}), json!({"catchAll": null})),
            ("/api/v1/api-keys", json!({"name": name}), json!({"name": "new"})),
        ] {
            let made = ada.send_json(Method::POST, path, &new).await.expect(201);
            let read = ada.get(made.location()).await.expect(200);
            assert_eq!(tag(&made), tag(&read), "{path}");
            let changed = ada.send_json(Method::PATCH, made.location(), &change).await.expect(200);
            let again = ada.get(made.location()).await.expect(200);
            assert_eq!(tag(&changed), tag(&again), "{path}");
            // Clearing the catch-all changed nothing, because there was none.
            assert_eq!(tag(&again) == tag(&read), again.body == read.body, "{path}");
        }
    }

    async fn marking_a_message_changes_its_tag_and_reveals_nothing(app: TestApp) {
        app.switch_api("Acme", true);
        let id = rows::message(&app);
        let path = format!("/api/v1/messages/{id}");
        let (reader, marker) = (
            app.api(&app.token_with("Acme", "reader", Scopes::of(&[Scope::MessagesRead]))),
            app.api(&app.token_with("Acme", "marker", Scopes::of(&[Scope::MessagesWrite]))),
        );
        let unread = reader.get(&path).await.expect(200);
        let marked = marker.send_json(Method::PATCH, &path, &json!({"read": true})).await.expect(200);
        let read = reader.get(&path).await.expect(200);
        assert_ne!(tag(&unread), tag(&read));
        assert_eq!(tag(&marked), tag(&read));
        let mark = |tag: &str| {
            let request = marker.request(Method::PATCH, &path).header("If-Match", tag);
            send(request.json(&json!({"read": false})))
        };
        mark(&tag(&unread)).await.expect(412);
        mark(&tag(&read)).await.expect(200);
        assert_eq!(tag(&reader.get(&path).await.expect(200)), tag(&unread));
    }

    /// Eight clients append to one note, each only to the version it has read. Nothing is lost.
    async fn no_change_is_lost_between_clients(app: TestApp) {
        app.switch_api("Acme", true);
        app.set_plan("Acme", gatepost::domain::access::plans::Plan::Enterprise);
        let api = std::sync::Arc::new(api(&app));
        let new = json!({"address": "bob@customer.test", "note": "start"});
        let made = api.send_json(Method::POST, "/api/v1/contacts", &new).await.expect(201);
        let path = made.location().to_owned();
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let (api, path) = (api.clone(), path.clone());
                tokio::spawn(async move {
                    for number in 0..4 {
                        append(&api, &path, &format!(" {client}.{number}")).await;
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.expect("a client that succeeds");
        }
        let note = api.get(&path).await.expect(200).json()["note"].as_str().expect("a note").to_owned();
        let mut words: Vec<_> = note.split(' ').collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 33, "{note}");
    }

    /// Two clients that change different fields without reading first do not undo each other's change.
    async fn concurrent_changes_of_different_fields_all_apply(app: TestApp) {
        app.switch_api("Acme", true);
        let api = api(&app);
        let new = json!({"address": "bob@customer.test"});
        let made = api.send_json(Method::POST, "/api/v1/contacts", &new).await.expect(201);
        let path = made.location().to_owned();
        for round in 0..20 {
            let (name, note) = (format!("name {round}"), format!("note {round}"));
            let (name_change, note_change) = (json!({"name": name}), json!({"note": note}));
            let both = tokio::join!(
                api.send_json(Method::PATCH, &path, &name_change),
                api.send_json(Method::PATCH, &path, &note_change),
            );
            both.0.expect(200);
            both.1.expect(200);
            let now: Value = api.get(&path).await.expect(200).json();
            assert_eq!((&now["name"], &now["note"]), (&json!(name), &json!(note)));
        }
    }
}

async fn append(api: &Api, path: &str, word: &str) {
    loop {
        let seen = api.get(path).await.expect(200);
        let note = format!("{}{word}", seen.json()["note"].as_str().expect("a note"));
        let request = api.request(Method::PATCH, path).header("If-Match", tag(&seen));
        let response = send(request.json(&json!({"note": note}))).await;
        match response.status {
            412 => {}
            _ => return drop(response.expect(200)),
        }
    }
}

#[tokio::test]
async fn me_has_no_etag() {
    let (_app, api) = with_token().await;
    let me = api.get("/api/v1/me").await.expect(200);
    assert_eq!(me.header("etag"), "");
    send(api.request(Method::GET, "/api/v1/me").header("If-None-Match", "*")).await.expect(200);
}
