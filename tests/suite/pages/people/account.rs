use super::cookie;
use crate::support::client::{Response, Visitor, send};
use crate::support::people::PASSWORD;
use crate::support::people::Person::{Ada, Bea, Cy};
use crate::support::{TestApp, both_engines};
use gatepost::domain::people::sessions;
use reqwest::Method;
use std::time::Duration;

const NEW: &str = "another horse altogether";

async fn request_with_cookie(app: &TestApp, cookie: &str) -> Response {
    send(app.visitor().request(Method::GET, "/account").header("Cookie", cookie)).await
}

async fn revoke_forms(visitor: &Visitor) -> Vec<String> {
    let page = visitor.get("/account").await.expect(200).body;
    let actions = page.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
    actions.filter(|it| it.starts_with("/account/sessions/ses_")).map(str::to_owned).collect()
}

both_engines! {
    async fn single_key_shortcuts_can_be_turned_off_in_a_browser(app: TestApp) {
        let (ada, other) = (app.as_(Ada).await, app.as_(Ada).await);
        let root = |response: &Response| response.page().attribute("html", "data-single-keys");
        let switch = |response: &Response| response.page().attribute("#single-keys", "aria-checked");
        let page = ada.get("/account").await.expect(200);
        assert_eq!((root(&page), switch(&page).as_deref()), (None, Some("true")));
        let off = ada.post("/account/single-keys", &[("state", "off")]).await.expect(303);
        assert_eq!((off.location(), off.notice().as_str()), ("/account", "single-keys-off"));
        let page = ada.get("/account").await.expect(200);
        assert_eq!((root(&page).as_deref(), switch(&page).as_deref()), (Some("off"), Some("false")));
        assert!(!page.page().has("[aria-keyshortcuts='?'], [aria-keyshortcuts$='/']"));
        let keys = ada.get("/shortcuts").await.expect(200).page().whole_text();
        assert!(keys.contains("Single-key shortcuts are off in this browser."), "{keys}");
        assert_eq!(root(&other.get("/account").await.expect(200)), None, "another browser");
        ada.post("/account/single-keys", &[("state", "on")]).await.expect(303);
        assert_eq!(root(&ada.get("/shortcuts").await.expect(200)), None);
        ada.post("/account/single-keys", &[("state", "")]).await.expect(400);
    }

    async fn a_name_can_be_changed(app: TestApp) {
        let ada = app.as_(Ada).await;
        let refused = ada.post("/account/name", &[("name", " ")]).await.expect(422);
        assert!(refused.page().has("#name-error"));
        let page = ada.post_and_follow("/account/name", &[("name", "Ada Lovelace")]).await.expect(200);
        assert_eq!(page.page().attribute("#name", "value").as_deref(), Some("Ada Lovelace"));
        assert_eq!(app.user(Ada).name, "Ada Lovelace");
        let same = ada.post("/account/name", &[("name", "Ada Lovelace ")]).await.expect(303);
        assert_eq!((same.location(), same.notice().as_str()), ("/account", "nothing-changed"));
    }

    async fn a_notice_is_shown_once_and_cannot_be_forged(app: TestApp) {
        let ada = app.as_(Ada).await;
        let shown = |response: &Response| response.page().texts(".toasts .toast > div");
        let changed = ada.post_and_follow("/account/name", &[("name", "Ada Lovelace")]).await.expect(200);
        assert_eq!((shown(&changed), changed.notice().as_str()), (vec!["Name changed.".to_owned()], ""));
        assert_eq!(shown(&ada.get("/account").await.expect(200)), [""; 0]);
        assert_eq!(shown(&ada.get("/account?notice=api-off").await.expect(200)), [""; 0]);
        let own = app.visitor();
        let session = cookie(&own.sign_in(Ada.email(), PASSWORD).await.expect(303));
        let forged = request_with_cookie(&app, &format!("{session}; gatepost-notice=<b>Call 555</b>")).await.expect(200);
        assert_eq!(shown(&forged), [""; 0]);
    }

    async fn changing_the_password_replaces_all_sessions_with_a_new_one(app: TestApp) {
        let here = app.visitor();
        let first = cookie(&here.sign_in(Ada.email(), PASSWORD).await.expect(303));
        let elsewhere = app.as_(Ada).await;
        let bea = app.as_(Bea).await;

        let change = [("current", PASSWORD), ("password", NEW)];
        let changed = here.post("/account/password", &change).await.expect(303);
        assert_eq!((changed.location(), changed.notice().as_str()), ("/account", "password-changed"));
        let second = cookie(&changed);
        assert_ne!(first, second);
        here.get("/account").await.expect(200);
        elsewhere.get("/account").await.expect(303);
        bea.get("/account").await.expect(200);
        request_with_cookie(&app, &first).await.expect(303);
        request_with_cookie(&app, &second).await.expect(200);
        app.visitor().sign_in(Ada.email(), PASSWORD).await.expect(422);
        app.visitor().sign_in(Ada.email(), NEW).await.expect(303);
    }

    async fn changing_the_password_requires_the_current_one(app: TestApp) {
        let (ada, elsewhere) = (app.as_(Ada).await, app.as_(Ada).await);
        let wrong = ada.post("/account/password", &[("current", NEW), ("password", NEW)]).await;
        assert!(wrong.expect(422).page().has("#current-error"));
        let short = ada.post("/account/password", &[("current", PASSWORD), ("password", "short")]).await;
        assert!(short.expect(422).page().has("#password-error"));
        elsewhere.get("/account").await.expect(200);
        for _ in 0..9 {
            ada.post("/account/password", &[("current", "guess"), ("password", NEW)]).await.expect(422);
        }
        ada.post("/account/password", &[("current", PASSWORD), ("password", NEW)]).await.expect(429);
        app.clock.advance(Duration::from_secs(15 * 60));
        app.visitor().sign_in(Ada.email(), PASSWORD).await.expect(303);
    }

    async fn a_revoked_session_ends_at_once(app: TestApp) {
        let (here, there, cy) = (app.as_(Ada).await, app.as_(Ada).await, app.as_(Cy).await);
        let page = here.get("/account").await.expect(200).page();
        let mut browsers = page.texts("section[aria-labelledby=sessions-title] li b");
        browsers.sort();
        assert_eq!(browsers, ["Test browser", "Test browser This device"]);
        let revoke = revoke_forms(&here).await;
        assert_eq!(revoke.len(), 1, "this device has no form");
        cy.post(&revoke[0], &[]).await.expect(404);
        there.get("/account").await.expect(200);
        here.post(&revoke[0], &[]).await.expect(303);
        let gone = there.get("/account").await.expect(303);
        assert_eq!(gone.location(), "/sign-in?next=%2Faccount");
        here.get("/account").await.expect(200);
        here.post(&revoke[0], &[]).await.expect(404);
    }

    async fn all_other_sessions_can_be_signed_out_at_once(app: TestApp) {
        let (here, there, third) = (app.as_(Ada).await, app.as_(Ada).await, app.as_(Ada).await);
        let done = here.post("/account/sessions/revoke-others", &[]).await.expect(303);
        assert_eq!((done.location(), done.notice().as_str()), ("/account", "sessions-revoked"));
        there.get("/account").await.expect(303);
        third.get("/account").await.expect(303);
        here.get("/account").await.expect(200);
        let again = here.post("/account/sessions/revoke-others", &[]).await.expect(303);
        assert_eq!((again.location(), again.notice().as_str()), ("/account", "nothing-changed"));
    }

    async fn a_person_has_at_most_50_sessions(app: TestApp) {
        let (first, bea) = (app.as_(Ada).await, app.as_(Bea).await);
        app.clock.advance(Duration::from_secs(1));
        let (ada, second) = (app.user(Ada).id, app.as_(Ada).await);
        for number in 0..48 {
            app.clock.advance(Duration::from_secs(1));
            app.operate(|tx, actor| sessions::open(tx, actor, ada, None, &format!("key {number}")));
        }
        first.get("/account").await.expect(200);
        app.clock.advance(Duration::from_secs(1));
        app.operate(|tx, actor| sessions::open(tx, actor, ada, None, "one more"));
        first.get("/account").await.expect(303);
        second.get("/account").await.expect(200);
        bea.get("/account").await.expect(200);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM sessions"), 51);
    }

    async fn signing_in_again_starts_a_new_session(app: TestApp) {
        let ada = app.visitor();
        let first = cookie(&ada.sign_in(Ada.email(), PASSWORD).await.expect(303));
        request_with_cookie(&app, &first).await.expect(200);
        let second = cookie(&ada.sign_in(Ada.email(), PASSWORD).await.expect(303));
        assert_ne!(first, second);
        request_with_cookie(&app, &first).await.expect(303);
        request_with_cookie(&app, &second).await.expect(200);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM sessions"), 1);
    }

    async fn signing_out_ends_the_session(app: TestApp) {
        let ada = app.visitor();
        let cookie = cookie(&ada.sign_in(Ada.email(), PASSWORD).await.expect(303));
        ada.post("/sign-out", &[]).await.expect(303);
        request_with_cookie(&app, &cookie).await.expect(303);
        app.visitor().post("/sign-out", &[]).await.expect(303);
    }
}
