//! Authentication by RFC 6750 and RFC 9110: checks every byte of the response to a bad credential.

use gatepost::domain::access::plans::Plan;

use super::{assert_refused, public_id};
use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines, raw};

const CHALLENGE: &str = r#"Bearer realm="API", charset="UTF-8""#;
const INVALID_TOKEN: &str = r#"Bearer realm="API", charset="UTF-8", error="invalid_token""#;
const INVALID_REQUEST: &str = r#"Bearer realm="API", charset="UTF-8", error="invalid_request""#;

const MISSING: &str = "No API token was sent. Send it as Authorization: Bearer <token>.";
const ONE: &str = "Send one credential: Authorization: Bearer or X-API-Key, once.";

#[track_caller]
fn me(app: &TestApp, headers: &[&str]) -> raw::RawResponse {
    raw::exchange(&app.base, "GET /api/v1/me", headers, "")
}

#[track_caller]
fn assert_unknown(response: &raw::RawResponse) {
    assert_refused(
        response,
        "401 Unauthorized",
        Some(INVALID_TOKEN),
        "INVALID_API_TOKEN",
        "The API token is not valid.",
    );
}

both_engines! {
    async fn a_request_without_a_token_is_challenged(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let query = format!("GET /api/v1/me?access_token={token}&token={token}&api_key={token}");
        for (line, headers) in [
            ("GET /api/v1/me", &[][..]),
            ("GET /api/v1/me", &["Authorization:"]),
            ("GET /api/v1/me", &["Authorization: Bearer"]),
            ("GET /api/v1/me", &["Authorization: Bearer   "]),
            ("GET /api/v1/me", &["X-API-Key:"]),
            ("GET /api/v1/me", &["Authorization: Basic YWRhOnNlY3JldA=="]),
            ("GET /api/v1/me", &["Authorization: Digest username=\"ada\""]),
            // A token in the URL is ignored.
            (&query, &[]),
            // Credentials are checked before the path and the method.
            ("GET /api/v1/nothing", &[]),
            ("POST /api/v1/me", &[]),
        ] {
            let response = raw::exchange(&app.base, line, headers, "");
            assert_refused(&response, "401 Unauthorized", Some(CHALLENGE), "MISSING_TOKEN", MISSING);
        }
        let bare = format!("Authorization: {token}");
        assert_refused(&me(&app, &[&bare]), "401 Unauthorized", Some(CHALLENGE), "MISSING_TOKEN", MISSING);
    }

    async fn either_header_authenticates_in_any_case_of_the_scheme(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        for header in ["Authorization: Bearer", "authorization: bearer", "AUTHORIZATION: BEARER ", "X-API-Key:"] {
            let response = me(&app, &[&format!("{header} {token}")]);
            assert_eq!(response.status, "HTTP/1.1 200 OK", "{header}: {}", response.body);
        }
    }

    async fn two_credentials_are_refused_even_when_both_are_good(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let (bearer, key) = (format!("Authorization: Bearer {token}"), format!("X-API-Key: {token}"));
        for headers in [
            [bearer.as_str(), bearer.as_str()],
            [&key, &key],
            [&bearer, &key],
            [&key, "Authorization: Basic YWRhOnNlY3JldA=="],
            [&bearer, "X-API-Key:"],
        ] {
            let response = me(&app, &headers);
            assert_refused(&response, "400 Bad Request", Some(INVALID_REQUEST), "INVALID_REQUEST", ONE);
        }
    }

    async fn invalid_tokens_get_the_same_response(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        let mistyped = token.replace(&token[10..12], if &token[10..12] == "xy" { "yx" } else { "xy" });
        for odd in ["x", "gp_", "gp_1234", mistyped.as_str(), "a b", "t\u{f6}ken", &"x".repeat(4000)] {
            assert_unknown(&me(&app, &[&format!("Authorization: Bearer {odd}")]));
            assert_unknown(&me(&app, &[&format!("X-API-Key: {odd}")]));
        }
    }

    async fn an_unknown_id_and_a_wrong_secret_get_the_same_response(app: TestApp) {
        app.switch_api("Acme", true);
        let (token, other) = (app.token("Acme", "ci"), app.token("Acme", "deploy"));
        let sql = format!("DELETE FROM tokens WHERE public_id = '{}'", public_id(&other));
        assert_eq!(app.database.execute(&sql), Ok(1));
        assert_unknown(&me(&app, &[&format!("Authorization: Bearer {other}")]));
        // The same public id with another secret, as in a guess.
        let sql = format!(
            "UPDATE tokens SET public_id = '{}' WHERE public_id = '{}'",
            public_id(&other),
            public_id(&token)
        );
        assert_eq!(app.database.execute(&sql), Ok(1));
        assert_unknown(&me(&app, &[&format!("Authorization: Bearer {other}")]));
    }

    async fn an_inactive_token_with_the_correct_secret_gets_the_reason(app: TestApp) {
        app.switch_api("Acme", true);
        let (revoked, expired) = (app.token("Acme", "old"), app.token("Acme", "brief"));
        app.api(&revoked).delete("/api/v1/me/token").await.expect(204);
        let now = app.app.now().micros();
        let expires = |at: i64| {
            let id = public_id(&expired);
            let done = app.database.execute(&format!("UPDATE tokens SET expires_at = {at} WHERE public_id = '{id}'"));
            app.catch_up();
            done
        };
        let (revoked, bearer) = (format!("Authorization: Bearer {revoked}"), format!("Authorization: Bearer {expired}"));
        let invalid = |response: &raw::RawResponse, message: &str| {
            assert_refused(response, "401 Unauthorized", Some(INVALID_TOKEN), "INVALID_API_TOKEN", message);
        };
        invalid(&me(&app, &[&revoked]), "The API token has been revoked.");
        assert_eq!(expires(now + 1), Ok(1));
        assert_eq!(me(&app, &[&bearer]).status, "HTTP/1.1 200 OK");
        assert_eq!(expires(now), Ok(1));
        invalid(&me(&app, &[&bearer]), "The API token has expired.");
    }

    async fn the_switch_is_checked_before_the_plan(app: TestApp) {
        let bearer = format!("Authorization: Bearer {}", app.token("Acme", "ci"));
        app.set_plan("Acme", Plan::Free);
        let forbidden = |code, message| {
            assert_refused(&me(&app, &[&bearer]), "403 Forbidden", None, code, message);
        };
        let off = "API access is off for this team. The owner can turn it on.";
        forbidden("API_DISABLED", off);
        app.switch_api("Acme", true);
        forbidden("PLAN_REQUIRED", "API access not available on your subscription plan");
        app.set_plan("Acme", Plan::Enterprise);
        assert_eq!(me(&app, &[&bearer]).status, "HTTP/1.1 200 OK");
        app.switch_api("Acme", false);
        forbidden("API_DISABLED", off);
        // After the API is turned on again, the same token works.
        app.switch_api("Acme", true);
        assert_eq!(me(&app, &[&bearer]).status, "HTTP/1.1 200 OK");
    }

    async fn a_revoked_token_does_not_reveal_switch_or_plan(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        app.api(&token).delete("/api/v1/me/token").await.expect(204);
        app.switch_api("Acme", false);
        app.api(&token).get("/api/v1/me").await.expect(401);
    }

    async fn a_wrong_credential_never_falls_back_to_the_cookie(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let same_origin = |path| ada.request(reqwest::Method::GET, path).header("Sec-Fetch-Site", "same-origin");
        let send = crate::support::client::send;
        send(same_origin("/api/v1/me")).await.expect(200);
        for (name, value) in [
            ("Authorization", "Bearer gp_wrong"),
            ("Authorization", "Basic YWRhOnNlY3JldA=="),
            ("Authorization", ""),
            ("X-API-Key", "gp_wrong"),
            ("X-API-Key", ""),
        ] {
            send(same_origin("/api/v1/me").header(name, value)).await.expect(401);
        }
    }
}

#[tokio::test]
async fn errors_have_the_headers_of_all_responses() {
    let app = TestApp::sqlite().await;
    let response = me(&app, &[]);
    let mut head: Vec<_> =
        response.head_without(&["date", "x-request-id"]).lines().map(str::to_owned).collect();
    head.sort();
    let expected = [
        "HTTP/1.1 401 Unauthorized",
        "cache-control: no-store",
        "connection: close",
        "content-length: 178",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        "content-type: application/json",
        "www-authenticate: Bearer realm=\"API\", charset=\"UTF-8\"",
        "x-content-type-options: nosniff",
    ];
    assert_eq!(head, expected);
}
