//! The dashboard's session on the API, accepted only from its own pages and for the owner and admins.

use reqwest::Method;
use serde_json::json;

use crate::support::client::{Response, Visitor, send};
use crate::support::people::Person::{Ada, Bea, Cy};
use crate::support::{TestApp, both_engines};

async fn me_from(visitor: &Visitor, headers: &[(&str, &str)]) -> Response {
    let request = visitor.request(Method::GET, "/api/v1/me");
    send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

both_engines! {
    async fn only_a_page_of_this_site_may_use_the_cookie(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let own = app.base.as_str();
        for headers in [&[("Sec-Fetch-Site", "same-origin")][..], &[("Origin", own)]] {
            me_from(&ada, headers).await.expect(200);
        }
        for headers in [
            &[][..],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Sec-Fetch-Site", "none")],
            &[("Sec-Fetch-Site", "cross-site"), ("Origin", own)],
            &[("Origin", "https://evil.test")],
            &[("Origin", "null")],
            &[("Referer", own)],
        ] {
            let response = me_from(&ada, headers).await.expect(401);
            assert_eq!(response.error_code(), "MISSING_TOKEN", "{headers:?}");
        }
    }

    async fn a_cross_site_request_changes_nothing(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let request = ada.request(Method::POST, "/api/v1/api-keys").header("Sec-Fetch-Site", "cross-site");
        send(request.json(&json!({"name": "evil"}))).await.expect(401);
        assert_eq!(app.database.number("SELECT COUNT(*) AS n FROM tokens"), 0);
    }

    async fn owner_and_admins_have_access_and_members_are_refused(app: TestApp) {
        app.switch_api("Acme", true);
        for person in [Ada, Bea] {
            app.as_(person).await.get("/api/v1/team").await.expect(200);
        }
        let response = app.as_(Cy).await.get("/api/v1/team").await.expect(403);
        assert_eq!(response.error_code(), "FORBIDDEN");
        assert_eq!(
            response.json()["error"]["message"],
            "Only the owner and admins can do this. Ask one of them."
        );
    }

    async fn turning_off_the_api_applies_to_sessions_too(app: TestApp) {
        let ada = app.as_(Ada).await;
        let response = ada.get("/api/v1/me").await.expect(403);
        assert_eq!(response.error_code(), "API_DISABLED");
    }

    async fn an_ended_session_is_refused(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        ada.get("/api/v1/me").await.expect(200);
        assert_eq!(app.database.execute("DELETE FROM sessions"), Ok(1));
        let response = ada.get("/api/v1/me").await.expect(401);
        assert_eq!(response.error_code(), "MISSING_TOKEN");
    }

    async fn a_forged_cookie_is_refused(app: TestApp) {
        app.switch_api("Acme", true);
        let visitor = app.visitor();
        let cookie = [("Sec-Fetch-Site", "same-origin"), ("Cookie", "gatepost=forged")];
        me_from(&visitor, &cookie).await.expect(401);
    }
}
