//! The team key: opt-in, and revealed again to the owner and admins.

use super::{PASSWORD, revealed};
use crate::support::people::Person::{Ada, Bea, Cy};
use crate::support::{TestApp, both_engines};
use std::time::Duration;

const KEY: &str = "/developer/team-key";
const SHOW: &str = "/developer/team-key/show";
const REGENERATE: &str = "/developer/team-key/regenerate";
const DISABLE: &str = "/developer/team-key/disable";

fn recorded(app: &TestApp, kind: &str) -> i64 {
    app.database.number(&format!("SELECT count(*) AS n FROM activity WHERE kind = '{kind}'"))
}

both_engines! {
    async fn the_key_can_be_revealed_again_and_regenerated(app: TestApp) {
        let (ada, bea) = tokio::join!(app.as_(Ada), app.as_(Bea));
        app.switch_api("Acme", true);
        let first = ada.post(KEY, &[]).await.expect(200);
        assert_eq!(first.header("cache-control"), "no-store");
        let key = revealed(&first);
        app.api(&key).get("/api/v1/me").await.expect(200);
        assert_eq!(revealed(&bea.post(SHOW, &[]).await.expect(200)), key);
        let page = bea.get("/developer/settings").await.expect(200);
        let section = page.page().text("#team-key");
        assert!(section.contains(&format!("{}…", &key[..11])), "{section}");
        assert!(section.contains("to bea@acme.test, 2040-01-02 09:00:00 UTC"), "{section}");
        assert!(!page.body.contains(&key[11..]) && !app.database.holds(&key[15..]));
        let question = bea.fragment(REGENERATE).await.expect(200).page();
        assert_eq!(question.texts(".figures dd"), ["1"]);
        let next = revealed(&bea.post(REGENERATE, &[]).await.expect(200));
        assert_ne!(next, key);
        app.api(&next).get("/api/v1/me").await.expect(200);
        app.api(&key).get("/api/v1/me").await.expect(401);
        assert_eq!(revealed(&ada.post(SHOW, &[]).await.expect(200)), next);
        let kinds = ["team_key.enabled", "team_key.shown", "team_key.regenerated"];
        assert_eq!(kinds.map(|kind| recorded(&app, kind)), [1, 2, 1]);
        let old = ada.get("/developer?state=revoked").await.page().text("#revoked tbody tr");
        assert!(old.contains("Team key") && old.contains("regenerated"), "{old}");
    }

    async fn only_the_owner_turns_it_on_and_off(app: TestApp) {
        let (ada, bea) = tokio::join!(app.as_(Ada), app.as_(Bea));
        let cy = app.as_(Cy).await;
        app.switch_api("Acme", true);
        bea.post(KEY, &[]).await.expect(403);
        bea.post(SHOW, &[]).await.expect(404);
        let key = revealed(&ada.post(KEY, &[]).await.expect(200));
        ada.post(KEY, &[]).await.expect(409);
        for path in [SHOW, REGENERATE, DISABLE] {
            cy.post(path, &[]).await.expect(403);
        }
        bea.post(DISABLE, &[]).await.expect(403);
        bea.get(DISABLE).await.expect(403);
        let page = bea.get("/developer/settings").await.page().link("View requests");
        bea.post(&format!("{page}/revoke"), &[]).await.expect(403);
        app.api(&key).get("/api/v1/me").await.expect(200);
        ada.get(DISABLE).await.expect(200);
        ada.post_and_follow(DISABLE, &[]).await.expect(200);
        app.api(&key).get("/api/v1/me").await.expect(401);
        assert_eq!(recorded(&app, "team_key.disabled"), 1);
        let again = ada.post(DISABLE, &[]).await.expect(303);
        assert_eq!((again.location(), again.notice().as_str()), ("/developer", "nothing-changed"));
        assert!(!ada.get("/developer/settings").await.page().has("#team-key .facts"));
    }

    async fn every_reveal_asks_for_the_password_after_10_minutes(app: TestApp) {
        let ada = app.as_(Ada).await;
        for path in [KEY, SHOW, REGENERATE] {
            app.clock.advance(Duration::from_secs(601));
            let asked = ada.post(path, &[]).await.expect(403);
            assert_eq!(asked.page().form(path).method, "post");
            let refused = ada.post(path, &[("password", "not it at all")]).await.expect(403);
            assert!(refused.page().has("#password-error") && !refused.page().has("#token-value"));
            ada.post(path, &[("password", PASSWORD)]).await.expect(200);
        }
        let kinds = ["team_key.enabled", "team_key.shown", "team_key.regenerated"];
        assert_eq!(kinds.map(|kind| recorded(&app, kind)), [1, 1, 1]);
    }
}
