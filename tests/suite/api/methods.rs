//! HEAD, OPTIONS and unsupported methods, on every route.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;

use super::{assert_refused, recorded};
use crate::access::rows::{self, Row};
use crate::access::{fill, with_body};
use crate::support::client::{Response, send};
use crate::support::{TestApp, raw};

async fn with_token() -> (TestApp, String) {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let token = app.token("Acme", "caller");
    (app, token)
}

/// Each path and its declared methods.
fn addresses() -> BTreeMap<&'static str, (Row, BTreeSet<&'static str>)> {
    let mut found = BTreeMap::new();
    for row in rows::api() {
        let (method, path) = row.route.split_once(' ').expect("a method and a path");
        found.entry(path).or_insert((row, BTreeSet::new())).1.insert(method);
    }
    found
}

fn allowed(allow: &str) -> BTreeSet<&str> {
    let methods: Vec<_> = allow.split(", ").collect();
    let set: BTreeSet<_> = methods.iter().copied().collect();
    assert_eq!(set.len(), methods.len(), "{allow} names one twice");
    set
}

/// The parts of a response that are equal for two consecutive calls.
fn lasting(response: &Response) -> BTreeMap<String, String> {
    const CHANGING: [&str; 4] = ["date", "x-request-id", "x-ratelimit-remaining", "ratelimit"];
    let lasting = response.headers.iter().filter(|(name, _)| !CHANGING.contains(&name.as_str()));
    lasting.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect()
}

#[tokio::test]
async fn head_is_a_get_without_its_body_and_counts_like_one() {
    let (app, token) = with_token().await;
    let (api, mut seen) = (app.api(&token), 0);
    for row in rows::api().into_iter().filter(|row| row.route.starts_with("GET ")) {
        let (_, path, _) = fill(&app, &row);
        let before = recorded(&app, "Acme");
        let get = api.get(&path).await.expect(200);
        let head = send(api.request(Method::HEAD, &path)).await.expect(200);
        assert_eq!(head.body, "", "{}", row.route);
        assert_eq!(lasting(&head), lasting(&get), "{}", row.route);
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{}", row.route);
        let remaining =
            |response: &Response| response.header("x-ratelimit-remaining").parse::<i64>().expect("a number");
        assert_eq!(remaining(&head), remaining(&get) - 1, "{}", row.route);
        app.flush().await;
        assert_eq!(recorded(&app, "Acme"), before + 2, "{}", row.route);
        seen += 1;
    }
    assert!(seen > 10, "only {seen} routes");
    let heads = "SELECT COUNT(*) AS n FROM activity WHERE method = 'HEAD' AND status = 200";
    assert_eq!(app.database.number(heads), seen);
}

#[tokio::test]
async fn a_refused_head_has_the_headers_of_a_refused_get() {
    let (app, token) = with_token().await;
    for (credential, path, status) in [
        ("X-Other: 1".to_owned(), "/api/v1/me", "HTTP/1.1 401 Unauthorized"),
        (format!("Authorization: Bearer {token}"), "/api/v1/aliases/x", "HTTP/1.1 404 Not Found"),
        (format!("Authorization: Bearer {token}"), "/api/v1/aliases?limit=0", "HTTP/1.1 400 Bad Request"),
    ] {
        let get = raw::exchange(&app.base, &format!("GET {path}"), &[&credential], "");
        let head = raw::exchange(&app.base, &format!("HEAD {path}"), &[&credential], "");
        assert_eq!((head.status.as_str(), head.body.as_str()), (status, ""), "{path}");
        for header in ["content-length", "content-type", "www-authenticate"] {
            assert_eq!(head.header(header), get.header(header), "{path}: {header}");
        }
    }
}

#[tokio::test]
async fn options_needs_no_credential_and_is_not_counted() {
    let (app, token) = with_token().await;
    let bearer = format!("Authorization: Bearer {token}");
    for (_, (row, declared)) in addresses() {
        let (_, path, _) = fill(&app, &row);
        let before = recorded(&app, "Acme");
        let line = format!("OPTIONS {path}");
        for headers in [&[][..], &[bearer.as_str()], &["Authorization: Bearer nonsense"], &["Cookie: a=b"]] {
            let response = raw::exchange(&app.base, &line, headers, "");
            assert_eq!((response.status.as_str(), response.body.as_str()), ("HTTP/1.1 204 No Content", ""));
            let allow = allowed(response.header("allow").expect("an Allow header"));
            let mut expected = declared.clone();
            expected.insert("OPTIONS");
            if declared.contains("GET") {
                expected.insert("HEAD");
            }
            assert_eq!(allow, expected, "{path}");
            assert!(response.header("x-request-id").is_some());
            assert_eq!(response.header("x-ratelimit-limit"), None, "{path}");
            assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
        }
        app.flush().await;
        assert_eq!(recorded(&app, "Acme"), before, "{path}");
    }
    for path in ["/api/v1", "/api/v1/nothing", "/api/v1/me/"] {
        let response = raw::exchange(&app.base, &format!("OPTIONS {path}"), &[], "");
        let message = "Not found. The resource does not exist, or belongs to another team.";
        assert_refused(&response, "404 Not Found", None, "NOT_FOUND", message);
    }
}

#[tokio::test]
async fn an_unsupported_method_gets_allow() {
    let (app, token) = with_token().await;
    let bearer = format!("Authorization: Bearer {token}");
    let others = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"];
    for (_, (row, declared)) in addresses() {
        let (_, path, _) = fill(&app, &row);
        let asked = raw::exchange(&app.base, &format!("OPTIONS {path}"), &[], "");
        let allow = asked.header("allow").expect("an Allow header");
        for method in others.into_iter().filter(|method| !declared.contains(method)) {
            let response = raw::exchange(&app.base, &format!("{method} {path}"), &[&bearer], "");
            let message = format!("This URL supports {allow}.");
            assert_refused(&response, "405 Method Not Allowed", None, "METHOD_NOT_ALLOWED", &message);
            assert_eq!(response.header("allow"), Some(allow), "{method} {path}");
        }
    }
    let response = raw::exchange(&app.base, "PUT /api/v1/aliases", &[&bearer], "");
    assert_eq!(response.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
}

#[tokio::test]
async fn pages_list_their_methods_too() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(crate::support::people::Person::Ada).await;
    for (line, allow) in [
        ("PUT /inbox", "GET, HEAD"),
        ("GET /sign-out", "POST"),
        ("DELETE /aliases", "GET, HEAD, POST"),
        ("POST /healthz", "GET, HEAD"),
        ("POST /static/css/app.css", "GET, HEAD"),
    ] {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let request = ada.request(method.parse().expect("a method"), path);
        let response = send(request.header("Sec-Fetch-Site", "same-origin")).await.expect(405);
        assert_eq!(response.header("allow"), allow, "{line}");
    }
    let page = ada.get("/sign-out").await.expect(405);
    assert!(page.body.contains("be opened directly"), "{}", page.body);
}

/// Monitoring tools request pages with HEAD.
#[tokio::test]
async fn head_works_on_pages() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let ada = app.as_(crate::support::people::Person::Ada).await;
    for row in rows::pages().into_iter().filter(|row| row.route.starts_with("GET ")) {
        let (_, path, fields) = fill(&app, &row);
        let get = send(with_body(ada.request(Method::GET, &path), &row, fields)).await;
        let head = send(ada.request(Method::HEAD, &path)).await;
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{}", row.route);
        assert_eq!(head.location(), get.location(), "{}", row.route);
        assert_eq!(head.header("content-type"), get.header("content-type"), "{}", row.route);
    }
}
