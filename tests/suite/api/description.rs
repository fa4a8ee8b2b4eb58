//! Checks that `/api/v1/openapi.json` matches the API.

use std::collections::BTreeSet;

use gatepost::domain::access::scopes::Need;
use gatepost::web::api::{self, openapi};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::client::{Response, send};
use crate::support::contract;
use crate::support::people::Person::Ada;

const ADDRESS: &str = "/api/v1/openapi.json";

#[tokio::test]
async fn the_description_is_the_same_for_everyone() {
    let app = TestApp::sqlite().await;
    let visitor = app.visitor().get(ADDRESS).await.expect(200);
    assert_eq!(visitor.header("content-type"), "application/json");
    assert_eq!(visitor.json()["openapi"], "3.1.0");
    assert_eq!(visitor.json()["servers"][0]["url"], app.base);
    assert_eq!(visitor.json()["paths"], openapi::description()["paths"]);
    for response in [
        app.as_(Ada).await.get(ADDRESS).await,
        app.api("no token at all").get(ADDRESS).await,
        app.api(&app.token("Acme", "ci")).get(ADDRESS).await,
    ] {
        assert_eq!(response.expect(200).body, visitor.body);
    }
}

#[tokio::test]
async fn the_description_can_be_cached_and_revalidated() {
    let app = TestApp::with_settings(&[("GATEPOST_PUBLIC_URL", "https://mail.acme.test")]).await;
    let first = app.visitor().get(ADDRESS).await.expect(200);
    assert_eq!(first.json()["servers"][0]["url"], "https://mail.acme.test");
    assert_eq!(first.header("cache-control"), "public, max-age=300");
    let ask = |method, tag: &str| send(app.visitor().request(method, ADDRESS).header("If-None-Match", tag));
    let again = ask(Method::GET, first.header("etag")).await.expect(304);
    assert_eq!((again.body.as_str(), again.header("etag")), ("", first.header("etag")));
    ask(Method::GET, "\"another\"").await.expect(200);
    let head = ask(Method::HEAD, "\"another\"").await.expect(200);
    assert_eq!((head.body.as_str(), head.header("etag")), ("", first.header("etag")));
    let refused = ask(Method::POST, "").await.expect(405);
    assert_eq!(
        (refused.header("allow"), refused.error_code().as_str()),
        ("GET, HEAD, OPTIONS", "METHOD_NOT_ALLOWED")
    );
    assert_eq!(refused.json()["error"]["requestId"], refused.header("x-request-id"));
    assert_eq!(ask(Method::OPTIONS, "").await.expect(204).header("allow"), "GET, HEAD, OPTIONS");
}

/// Method, path and operation.
fn operations() -> impl Iterator<Item = (String, String, &'static Value)> {
    let paths = openapi::description()["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.iter().map(|(method, operation)| (method.to_uppercase(), path.clone(), operation))
    })
}

#[test]
fn exactly_the_routes_are_described_with_their_scopes() {
    let described: BTreeSet<_> = operations()
        .map(|(method, path, it)| format!("{method} {path} {} {}", it["x-required-scopes"], it["security"]))
        .collect();
    let route = |(path, method, op): (String, _, api::Op)| {
        let (scopes, security) = match op.need {
            Need::Scope(scope) => (json!([scope.as_str()]), json!([{"bearer": []}, {"apiKey": []}])),
            Need::AnyToken => (json!([]), json!([{"bearer": []}, {"apiKey": []}])),
            Need::Person => (json!([]), json!([{"session": []}])),
        };
        format!("{method} {path} {scopes} {security}")
    };
    assert_eq!(described, api::operations().map(route).collect());
}

#[test]
fn operation_ids_are_unique() {
    let names: BTreeSet<_> =
        operations().map(|(.., it)| it["operationId"].as_str().expect("a name")).collect();
    assert_eq!(names.len(), operations().count());
}

#[test]
fn every_example_matches_its_schema() {
    let mut seen = 0;
    let mut check = |place: &str, content: &Value| {
        let several = content["examples"].as_object().into_iter().flatten().map(|(_, it)| &it["value"]);
        let examples: Vec<_> = content.get("example").into_iter().chain(several).collect();
        assert!(!examples.is_empty(), "{place} has no example");
        for example in examples {
            let wrong = contract::misfits(&format!("{place}/schema"), example, "example");
            assert!(wrong.is_empty(), "{place}: {wrong:#?}\n{example:#}");
            seen += 1;
        }
    };
    let api = openapi::description();
    for (method, path, operation) in operations() {
        let place = format!("/paths/{}/{}", path.replace('/', "~1"), method.to_lowercase());
        if let Some(content) = operation.pointer("/requestBody/content/application~1json") {
            check(&format!("{place}/requestBody/content/application~1json"), content);
        }
        for (status, response) in operation["responses"].as_object().expect("responses") {
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                let kind = kind.replace('/', "~1");
                check(&format!("{place}/responses/{status}/content/{kind}"), content);
            }
        }
    }
    for (name, response) in api["components"]["responses"].as_object().expect("responses") {
        for (kind, content) in response["content"].as_object().into_iter().flatten() {
            check(&format!("/components/responses/{name}/content/{}", kind.replace('/', "~1")), content);
        }
    }
    for (name, header) in api["components"]["headers"].as_object().expect("headers") {
        check(&format!("/components/headers/{name}"), header);
    }
    assert!(seen > 60, "{seen}");
}

/// A response that the server never sends.
fn invented(status: u16, kind: &str, body: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(kind).expect("a header"));
    for name in ["x-request-id", "ratelimit", "ratelimit-policy", "www-authenticate", "allow"] {
        headers.insert(name, HeaderValue::from_static("it"));
    }
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        headers.insert(name, HeaderValue::from_static("7"));
    }
    Response { status, headers, body: body.to_owned() }
}

#[test]
fn an_undescribed_response_is_detected() {
    const ME: &str =
        r#"{"team": {"id": "team_1", "name": "Acme"}, "token": null, "plan": "pro", "scopes": []}"#;
    const ERROR: &str = r#"{"success": false, "error": {"code": "A", "message": "B", "requestId": "req_1"}}"#;
    let faults = |method: &str, path: &str, response: &Response| contract::faults(method, path, response);
    let (json, me) = ("application/json", "/api/v1/me");
    let none: Vec<String> = Vec::new();
    assert_eq!(faults("GET", me, &invented(200, json, ME)), none);
    assert_eq!(faults("HEAD", me, &invented(200, json, "")), none);
    assert_eq!(faults("GET", me, &invented(401, json, ERROR)), none);
    assert_eq!(faults("PUT", me, &invented(405, json, ERROR)), none);
    assert_eq!(faults("GET", "/api/v1/nowhere", &invented(404, json, ERROR)), none);
    let missing = Response { headers: HeaderMap::new(), ..invented(204, json, "") };
    for (method, path, response) in [
        ("GET", me, invented(418, json, ERROR)),
        ("GET", me, invented(404, json, ERROR)),
        ("GET", me, invented(200, "text/html", ME)),
        ("GET", me, invented(200, json, "{}")),
        ("GET", me, invented(200, json, "{")),
        ("GET", me, invented(401, json, ME)),
        ("PUT", me, invented(200, json, ME)),
        ("DELETE", "/api/v1/me/token", invented(204, json, ME)),
        ("DELETE", "/api/v1/me/token", missing),
        ("GET", "/api/v1/nowhere", invented(200, json, "{}")),
    ] {
        assert_ne!(faults(method, path, &response), none, "{method} {path} {response:?}");
    }
}
