//! Rules that apply to all routes.

use std::collections::BTreeSet;

use gatepost::domain::access::plans::Plan;
use gatepost::domain::nouns::Noun;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::details;
use crate::access::rows::{self, Row};
use crate::access::{Fields, fill, with_body};
use crate::support::TestApp;
use crate::support::client::{Response, Visitor, send};
use crate::support::people::Person::Ada;

struct Caller {
    app: TestApp,
    ada: Visitor,
}

impl Caller {
    async fn new() -> Self {
        let app = TestApp::sqlite().await;
        app.switch_api("Acme", true);
        app.set_plan("Acme", Plan::Enterprise);
        let ada = app.as_(Ada).await;
        Self { app, ada }
    }

    /// Creates an authorized request: with a token for its own routes, as a person for all others.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        match path.starts_with("/api/v1/me/token") {
            true => self.app.api(&self.app.token("Acme", &rows::fresh_name(&self.app))).request(method, path),
            false => self.ada.request(method, path).header("Sec-Fetch-Site", "same-origin"),
        }
    }

    /// Every route, with a resource created for it.
    fn routes(&self) -> impl Iterator<Item = (Row, Method, String, Fields)> {
        rows::api().into_iter().map(|row| {
            let (method, path, fields) = fill(&self.app, &row);
            (row, method, path, fields)
        })
    }

    /// The routes that take a body.
    fn writes(&self) -> impl Iterator<Item = (Row, Method, String, Fields)> {
        let takes = |method: &Method| [Method::POST, Method::PATCH].contains(method);
        self.routes().filter(move |(_, method, path, _)| takes(method) && !path.ends_with("/check"))
    }
}

fn is_list(row: &Row) -> bool {
    row.route.starts_with("GET ")
        && !row.route.contains('{')
        && !row.route.ends_with("/me")
        && !row.route.ends_with("/team")
}

fn body_of(fields: &Fields) -> Value {
    Value::Object(fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect())
}

#[track_caller]
fn assert_names(response: &Response, field: &str, about: &str) {
    assert_eq!(response.status, 400, "{about}: {}", response.body);
    assert_eq!(response.error_code(), "INVALID_REQUEST", "{about}");
    assert_eq!(details(response)[0]["field"], field, "{about}: {}", response.body);
}

#[tokio::test]
async fn every_route_refuses_unknown_parameters_by_name() {
    let caller = Caller::new().await;
    for (row, method, path, fields) in caller.routes() {
        let request = caller.request(method.clone(), &format!("{path}?verbose=1"));
        assert_names(&send(with_body(request, &row, fields.clone())).await, "verbose", row.route);
        // The refused request changed nothing, so it can still be sent.
        let again = send(with_body(caller.request(method, &path), &row, fields)).await;
        assert!((200..300).contains(&again.status), "{}: {}", row.route, again.body);
    }
}

#[tokio::test]
async fn a_trailing_slash_is_not_found() {
    let caller = Caller::new().await;
    for (row, method, path, fields) in caller.routes() {
        let request = caller.request(method, &format!("{path}/"));
        let response = send(with_body(request, &row, fields)).await.expect(404);
        assert_eq!(response.error_code(), "NOT_FOUND", "{}", row.route);
    }
}

#[tokio::test]
async fn an_unexpected_body_is_ignored() {
    let caller = Caller::new().await;
    for (row, method, path, _) in caller.routes() {
        let takes_none = [Method::GET, Method::DELETE].contains(&method) || path.ends_with("/check");
        if !takes_none {
            continue;
        }
        let request = caller.request(method, &path).header("Content-Type", "text/plain").body("{");
        let response = send(request).await;
        assert!((200..300).contains(&response.status), "{}: {}", row.route, response.body);
    }
}

#[tokio::test]
async fn every_route_refuses_compressed_bodies_unread() {
    let caller = Caller::new().await;
    for (row, method, path, fields) in caller.routes() {
        for encoding in ["gzip", "br", "identity, gzip", ""] {
            let request = caller.request(method.clone(), &path).header("Content-Encoding", encoding);
            let refused = send(with_body(request, &row, fields.clone())).await.expect(415);
            assert_eq!(refused.error_code(), "UNSUPPORTED_MEDIA_TYPE", "{} {encoding:?}", row.route);
        }
        let plain = caller.request(method, &path).header("Content-Encoding", "Identity");
        let response = send(with_body(plain, &row, fields)).await;
        assert!((200..300).contains(&response.status), "{}: {}", row.route, response.body);
    }
}

#[tokio::test]
async fn every_route_validates_bodies() {
    let caller = Caller::new().await;
    for (row, method, path, fields) in caller.writes() {
        let whole = body_of(&fields).to_string();
        let post = |kind: &str, body: &str| {
            let request = caller.request(method.clone(), &path).header("Content-Type", kind);
            send(request.body(body.to_owned()))
        };
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json", ""] {
            let refused = post(kind, &whole).await.expect(415);
            assert_eq!(refused.error_code(), "UNSUPPORTED_MEDIA_TYPE", "{}", row.route);
        }
        send(caller.request(method.clone(), &path).body(whole.clone())).await.expect(415);
        for body in ["", "{", "[1,", "{} {}", "\u{feff}{}"] {
            let refused = post("application/json", body).await.expect(400);
            assert_eq!(refused.error_code(), "INVALID_REQUEST", "{} {body}", row.route);
        }
        let values: Vec<_> = fields.iter().map(|(_, value)| value).collect();
        for body in ["[]", "null", "7", "\"text\"", &json!(values).to_string()] {
            assert_names(&post("application/json", body).await, "body", row.route);
        }
        let mut odd = body_of(&fields);
        odd["teamId"] = json!("team_1");
        assert_names(&post("application/json", &odd.to_string()).await, "teamId", row.route);
        let large = format!("{}{whole}", " ".repeat(64 * 1024));
        assert_eq!(post("application/json", &large).await.expect(413).error_code(), "PAYLOAD_TOO_LARGE");
        let done = post("APPLICATION/json;charset=UTF-8", &whole).await;
        assert!((200..300).contains(&done.status), "{}: {}", row.route, done.body);
    }
}

/// Returns a resource without the secret, which is shown only once.
fn resource(response: &Response) -> Value {
    let mut resource = response.json();
    resource.as_object_mut().expect("an object").retain(|name, _| name != "token" && name != "notice");
    resource
}

#[tokio::test]
async fn created_resources_are_at_their_location_until_deleted() {
    let caller = Caller::new().await;
    let mut made = 0;
    for (row, method, path, fields) in caller.writes().filter(|(_, method, ..)| *method == Method::POST) {
        let created = send(with_body(caller.request(method, &path), &row, fields)).await.expect(201);
        let location = created.location();
        assert!(location.starts_with(&format!("{path}/")), "{}: {location}", row.route);
        assert_eq!(
            resource(&created),
            resource(&caller.ada.get(location).await.expect(200)),
            "{}",
            row.route
        );
        let changed = send(caller.request(Method::PATCH, location).json(&json!({}))).await.expect(200);
        assert_eq!(
            resource(&changed),
            resource(&created),
            "{}: an empty change must change nothing",
            row.route
        );
        let deleted = send(caller.request(Method::DELETE, location)).await.expect(204);
        assert_eq!((deleted.body.as_str(), deleted.header("content-type")), ("", ""), "{}", row.route);
        let after = caller.ada.get(location).await;
        // Revoked tokens stay in the list.
        match path.as_str() {
            "/api/v1/api-keys" => assert_eq!(after.expect(200).json()["state"], "revoked"),
            _ => drop(after.expect(404)),
        }
        made += 1;
    }
    // Domains, tokens and the plain nouns.
    assert_eq!(made, 2 + Noun::ALL.len());
}

#[tokio::test]
async fn a_change_without_effect_is_not_recorded() {
    let caller = Caller::new().await;
    let records =
        || caller.app.database.number("SELECT COUNT(*) AS n FROM activity WHERE kind NOT LIKE 'api.%'");
    for (row, method, path, _) in caller.writes().filter(|(_, method, ..)| *method == Method::PATCH) {
        let before = records();
        send(caller.request(method, &path).json(&json!({}))).await.expect(200);
        assert_eq!(records(), before, "{}", row.route);
    }
}

#[tokio::test]
async fn every_list_validates_its_parameters() {
    let caller = Caller::new().await;
    let mut seen = 0;
    for (row, _, path, _) in caller.routes().filter(|(row, ..)| is_list(row)) {
        let ask = async |query: &str| caller.ada.get(&format!("{path}?{query}")).await;
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=", "limit"),
            ("limit=x", "limit"),
            ("limit=1&limit=2", "limit"),
            ("limit=1.5", "limit"),
            ("cursor=", "cursor"),
            ("cursor=x", "cursor"),
            ("cursor=at_-1", "cursor"),
            ("cursor=a&cursor=b", "cursor"),
            ("offset=-1", "offset"),
            ("offset=x", "offset"),
            ("LIMIT=1", "LIMIT"),
        ] {
            assert_names(&ask(query).await, field, &format!("{} {query}", row.route));
        }
        let both = details(&ask("limit=0&cursor=x").await.expect(400));
        let named: BTreeSet<_> =
            both.as_array().expect("a list").iter().map(|it| it["field"].clone().to_string()).collect();
        assert_eq!(named.len(), 2, "{}: {both}", row.route);
        ask("limit=100").await.expect(200);
        seen += 1;
    }
    // Messages, domains, people, tokens and the plain nouns.
    assert_eq!(seen, 4 + Noun::ALL.len());
}

/// Follows the cursors of each list, one entry at a time, while nothing changes.
#[tokio::test]
async fn cursors_cover_every_list() {
    let caller = Caller::new().await;
    for _ in 0..2 {
        // Creates at least three resources of every kind.
        caller.routes().for_each(drop);
    }
    caller.app.flush().await;
    for row in rows::api().into_iter().filter(is_list) {
        let path = row.route.trim_start_matches("GET ");
        let whole = caller.ada.get(&format!("{path}?limit=100")).await.expect(200).json();
        let entries = whole["data"].as_array().expect("a list").clone();
        let total = entries.len();
        assert!(total >= 3, "{}: {total}", row.route);
        let all = json!({"limit": 100, "offset": 0, "total": total, "hasMore": false, "nextCursor": null});
        assert_eq!(whole["pagination"], all, "{}", row.route);
        let (mut query, mut walked) = ("limit=1".to_owned(), Vec::new());
        loop {
            let page = caller.ada.get(&format!("{path}?{query}")).await.expect(200).json();
            walked.extend(page["data"].as_array().expect("a list").clone());
            assert_eq!(page["pagination"]["total"], total, "{}", row.route);
            let cursor = page["pagination"]["nextCursor"].clone();
            assert_eq!(page["pagination"]["hasMore"], !cursor.is_null(), "{}", row.route);
            let Some(cursor) = cursor.as_str() else { break };
            let both = caller.ada.get(&format!("{path}?cursor={cursor}&offset=1")).await;
            assert_names(&both, "offset", row.route);
            query = format!("limit=1&cursor={cursor}");
        }
        assert_eq!(walked, entries, "{}", row.route);
    }
}
