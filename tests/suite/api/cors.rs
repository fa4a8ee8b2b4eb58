//! CORS: a setting allows scripts of other origins, but never with a cookie.

use crate::support::TestApp;
use crate::support::client::send;
use crate::support::people::Person::Ada;
use crate::support::raw::{RawResponse, exchange};
use reqwest::Method;

const PAGE: &str = "https://app.example";

async fn with_origins(origins: &str) -> (TestApp, String) {
    let app = TestApp::with_settings(&[("GATEPOST_CORS_ORIGINS", origins)]).await;
    app.switch_api("Acme", true);
    let bearer = format!("Authorization: Bearer {}", app.token("Acme", "ci"));
    (app, bearer)
}

fn ask(app: &TestApp, line: &str, origin: &str, more: &[&str]) -> RawResponse {
    let origin = format!("Origin: {origin}");
    let headers: Vec<_> = [origin.as_str()].into_iter().chain(more.iter().copied()).collect();
    exchange(&app.base, line, &headers, "")
}

fn allowed(response: &RawResponse) -> Option<&str> {
    assert_eq!(response.header("access-control-allow-credentials"), None);
    response.header("access-control-allow-origin")
}

const WANTS: &str = "Access-Control-Request-Method: PATCH";

#[tokio::test]
async fn a_preflight_lists_allowed_methods_and_headers() {
    let (app, _) = with_origins(PAGE).await;
    for path in ["/api/v1/me", "/api/v1/aliases/alias_1", "/api/v1/nothing"] {
        let response = ask(&app, &format!("OPTIONS {path}"), PAGE, &[WANTS]);
        assert_eq!((response.status.as_str(), response.body.as_str()), ("HTTP/1.1 204 No Content", ""));
        assert_eq!(allowed(&response), Some(PAGE));
        assert_eq!(response.header("vary"), Some("Origin"));
        assert_eq!(response.header("access-control-max-age"), Some("7200"));
        let list = |name| response.header(name).expect("a list").split(", ").collect::<Vec<_>>();
        for method in ["GET", "HEAD", "POST", "PATCH", "DELETE"] {
            assert!(list("access-control-allow-methods").contains(&method), "{method}");
        }
        for header in
            ["Authorization", "X-API-Key", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"]
        {
            assert!(list("access-control-allow-headers").contains(&header), "{header}");
        }
        assert_eq!(response.header("x-ratelimit-limit"), None);
    }
}

#[tokio::test]
async fn a_script_can_read_responses_and_errors() {
    let (app, bearer) = with_origins(&format!("http://localhost:5173, {PAGE}")).await;
    let spent = format!("Authorization: Bearer {}", app.token("Acme", "spent"));
    app.database.execute("UPDATE tokens SET hourly_cap = 1 WHERE name = 'spent'").expect("a cap");
    app.catch_up();
    for (line, more, status) in [
        ("GET /api/v1/me", vec![bearer.as_str()], "200 OK"),
        ("GET /api/v1/me", vec![&spent], "200 OK"),
        ("GET /api/v1/me", vec![&spent], "429 Too Many Requests"),
        ("GET /api/v1/me", vec![], "401 Unauthorized"),
        ("GET /api/v1/me", vec!["X-API-Key: nonsense"], "401 Unauthorized"),
        ("GET /api/v1/nothing", vec![&bearer], "404 Not Found"),
        ("PUT /api/v1/me", vec![&bearer], "405 Method Not Allowed"),
        ("OPTIONS /api/v1/me", vec![], "204 No Content"),
        ("GET /api/v1/me?a=1", vec![&bearer], "400 Bad Request"),
    ] {
        let response = ask(&app, line, PAGE, &more);
        assert_eq!(response.status, format!("HTTP/1.1 {status}"), "{line}");
        assert_eq!(allowed(&response), Some(PAGE), "{line} {status}");
        assert_eq!(response.header("vary"), Some("Origin"));
        let read: Vec<_> =
            response.header("access-control-expose-headers").expect("a list").split(", ").collect();
        let lower: Vec<_> = read.iter().map(|name| name.to_ascii_lowercase()).collect();
        // Scripts can read all headers about the call.
        for (name, _) in &response.headers {
            let name = name.to_ascii_lowercase();
            let ours =
                ["x-ratelimit", "ratelimit", "retry-after", "x-request-id", "www-authenticate", "allow"];
            if ours.iter().any(|it| name.starts_with(it)) {
                assert!(lower.contains(&name), "{name}");
            }
        }
        assert!(lower.contains(&"etag".into()) && lower.contains(&"idempotency-replayed".into()));
    }
}

#[tokio::test]
async fn other_origins_and_other_paths_are_refused() {
    let (app, bearer) = with_origins(PAGE).await;
    for other in ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null"] {
        for (line, more) in [("GET /api/v1/me", bearer.as_str()), ("OPTIONS /api/v1/me", WANTS)] {
            let response = ask(&app, line, other, &[more]);
            assert_eq!(allowed(&response), None, "{other}");
            // A cache must not serve one origin's response to another.
            assert_eq!(response.header("vary"), Some("Origin"), "{other}");
            assert_eq!(response.header("access-control-allow-methods"), None);
        }
    }
    for path in ["/", "/sign-in", "/healthz", "/static/css/app.css"] {
        assert_eq!(allowed(&ask(&app, &format!("GET {path}"), PAGE, &[])), None, "{path}");
    }
}

#[tokio::test]
async fn cors_is_off_by_default() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let bearer = format!("Authorization: Bearer {}", app.token("Acme", "ci"));
    for (line, more) in [("GET /api/v1/me", bearer.as_str()), ("OPTIONS /api/v1/me", WANTS)] {
        let response = ask(&app, line, PAGE, &[more]);
        assert_eq!((allowed(&response), response.header("vary")), (None, None), "{line}");
        assert!(
            response.headers.iter().all(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control"))
        );
    }
}

#[tokio::test]
async fn an_asterisk_allows_any_origin_without_cookies() {
    let (app, bearer) = with_origins("*").await;
    let response = ask(&app, "GET /api/v1/me", PAGE, &[&bearer]);
    assert_eq!((response.status.as_str(), allowed(&response)), ("HTTP/1.1 200 OK", Some("*")));
    assert_eq!(allowed(&ask(&app, "OPTIONS /api/v1/me", "null", &[WANTS])), Some("*"));
    let ada = app.as_(Ada).await;
    let request = ada.request(Method::GET, "/api/v1/me").header("Origin", PAGE);
    let response = send(request.header("Sec-Fetch-Site", "cross-site")).await.expect(401);
    assert_eq!(response.error_code(), "MISSING_TOKEN");
    assert_eq!(response.header("access-control-allow-origin"), "*");
}
