//! Invalid requests get an error that names the fields, in one format.

use reqwest::Method;
use serde_json::json;

use super::{assert_refused, details};
use crate::support::client::{Response, send};
use crate::support::people::Person::Ada;
use crate::support::{TestApp, raw};

async fn with_token() -> (TestApp, String) {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let token = app.token("Acme", "ci");
    (app, token)
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let (app, token) = with_token().await;
    let bearer = format!("Authorization: Bearer {token}");
    let message = "Not found. The resource does not exist, or belongs to another team.";
    for path in ["/api/v1/nothing", "/api/v1", "/api/v1/", "/api/v1/me/", "/api/v1/me/token/x"] {
        let response = raw::exchange(&app.base, &format!("GET {path}"), &[&bearer], "");
        assert_refused(&response, "404 Not Found", None, "NOT_FOUND", message);
    }
}

#[tokio::test]
async fn errors_are_problem_json_on_request() {
    let (app, token) = with_token().await;
    let accept = "Accept: application/json;q=0.5, application/problem+json";
    let response = raw::exchange(&app.base, "GET /api/v1/me", &[accept], "");
    let request = response.header("x-request-id").expect("a request id");
    let expected = json!({
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "No API token was sent. Send it as Authorization: Bearer <token>.",
        "code": "MISSING_TOKEN",
        "requestId": request,
    });
    assert_eq!(response.body, expected.to_string());
    assert_eq!(response.status, "HTTP/1.1 401 Unauthorized");
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(response.header("www-authenticate"), Some(r#"Bearer realm="API", charset="UTF-8""#));
    let bearer = format!("Authorization: Bearer {token}");
    let response = raw::exchange(&app.base, "GET /api/v1/me?a=1", &[accept, &bearer], "");
    assert!(response.body.contains(r#""details":[{"field":"a""#), "{}", response.body);
}

#[tokio::test]
async fn unknown_parameters_are_named() {
    let (app, token) = with_token().await;
    let api = app.api(&token);
    for path in ["/api/v1/me?verbose=1", "/api/v1/team?verbose=1", "/api/v1/api-keys?verbose=1"] {
        let response = api.get(path).await.expect(400);
        assert_eq!(response.error_code(), "INVALID_REQUEST");
        assert_eq!(details(&response)[0]["field"], "verbose", "{}", response.body);
    }
    let response = api.delete("/api/v1/me/token?verbose=1").await.expect(400);
    assert_eq!(details(&response)[0]["field"], "verbose");
    // The request was refused, so nothing was revoked.
    api.get("/api/v1/me").await.expect(200);
}

/// Sends a body that creates a token, as a page of the dashboard does.
async fn create(app: &TestApp, kind: &str, body: impl Into<reqwest::Body>) -> Response {
    let ada = app.as_(Ada).await;
    let request = ada.request(Method::POST, "/api/v1/api-keys").header("Sec-Fetch-Site", "same-origin");
    send(request.header("Content-Type", kind).body(body)).await
}

#[tokio::test]
async fn bodies_are_validated_strictly() {
    let (app, _) = with_token().await;
    for (body, field) in [
        (r#"{"name": "x", "role": "owner"}"#, "role"),
        (r#"{"name": "x", "userId": "usr_1"}"#, "userId"),
        ("{}", "name"),
        (r#"{"name": 7}"#, "name"),
        (r#"{"name": null}"#, "name"),
        (r#"{"name": ""}"#, "name"),
        (r#"{"name": "a\nb"}"#, "name"),
        (r#"{"name": "x", "name": "y"}"#, "name"),
        (r#""ci""#, "body"),
    ] {
        let response = create(&app, "application/json", body).await.expect(400);
        assert_eq!(response.error_code(), "INVALID_REQUEST", "{body}");
        assert_eq!(details(&response)[0]["field"], field, "{body}: {}", response.body);
        assert_eq!(details(&response).as_array().map(Vec::len), Some(1), "{body}");
    }
    for body in ["", "{", r#"{"name": "x"} {}"#, "name=x"] {
        let response = create(&app, "application/json", body).await.expect(400);
        assert_eq!(response.error_code(), "INVALID_REQUEST", "{body}");
    }
}

#[tokio::test]
async fn a_body_of_the_wrong_type_or_size_is_refused() {
    let (app, _) = with_token().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json-patch+json"] {
        let response = create(&app, kind, r#"{"name": "x"}"#).await.expect(415);
        assert_eq!(response.error_code(), "UNSUPPORTED_MEDIA_TYPE", "{kind}");
    }
    let large = format!(r#"{{"name": "{}"}}"#, "x".repeat(70_000));
    let response = create(&app, "application/json", large).await.expect(413);
    assert_eq!(response.error_code(), "PAYLOAD_TOO_LARGE");
    let made = create(&app, "Application/JSON; charset=utf-8", r#"{"name": "x"}"#).await;
    made.expect(201);
}

#[tokio::test]
async fn equivalent_spellings_of_a_path_are_accepted() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let bearer = format!("Authorization: Bearer {}", app.token("Acme", "ci"));
    for path in ["/%61pi/v1/me", "/api/%76%31/me", "/api/v1/%6de", "/%61%70%69/v1/%6D%65"] {
        let line = format!("GET {path}");
        let response = raw::exchange(&app.base, &line, &[&bearer], "");
        assert_eq!(response.status, "HTTP/1.1 200 OK", "{path}: {}", response.body);
        let response = raw::exchange(&app.base, &line, &[], "");
        assert_eq!(response.status, "HTTP/1.1 401 Unauthorized", "{path}: {}", response.body);
        assert_eq!(
            response.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'")
        );
    }
}
