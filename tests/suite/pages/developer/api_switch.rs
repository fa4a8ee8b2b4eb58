//! The switch for API access, which only the owner can use.

use super::{PASSWORD, create, revealed};
use crate::support::people::Person::{Ada, Bea, Cy};
use crate::support::{TestApp, both_engines};
use gatepost::domain::access::plans::Plan;
use std::time::Duration;

const OFF: &[(&str, &str)] = &[("state", "off")];
const ON: &[(&str, &str)] = &[("state", "on")];

both_engines! {
    async fn the_owner_turns_the_api_off_and_on_and_tokens_keep_working(app: TestApp) {
        let ada = app.as_(Ada).await;
        let token = revealed(&create(&ada, "ci").await.expect(200));
        app.api(&token).get("/api/v1/me").await.expect(403);
        ada.post_and_follow("/developer/api", ON).await.expect(200);
        app.api(&token).get("/api/v1/me").await.expect(200);
        let done = ada.post_and_follow("/developer/api", OFF).await.expect(200);
        assert!(done.page().text(".toast").contains("off"));
        let refused = app.api(&token).get("/api/v1/me").await.expect(403);
        assert_eq!(refused.error_code(), "API_DISABLED");
        let again = ada.post("/developer/api", OFF).await.expect(303);
        assert_eq!((again.location(), again.notice().as_str()), ("/developer", "nothing-changed"));
        ada.post("/developer/api", ON).await.expect(303);
        app.api(&token).get("/api/v1/me").await.expect(200);
        ada.post("/developer/api", &[("state", "ajar")]).await.expect(400);
    }

    async fn attempts_by_others_are_refused_and_recorded(app: TestApp) {
        let (bea, cy) = tokio::join!(app.as_(Bea), app.as_(Cy));
        let token = app.token("Acme", "ci");
        app.switch_api("Acme", true);
        for (who, refused) in [(&bea, 1), (&cy, 2)] {
            who.post("/developer/api", OFF).await.expect(403);
            who.get("/developer/api").await.expect(403);
            let recorded = "SELECT count(*) AS n FROM activity WHERE kind = 'api.switch_refused'";
            assert_eq!(app.database.number(recorded), refused);
        }
        app.api(&token).get("/api/v1/me").await.expect(200);
        let page = bea.get("/developer/settings").await.expect(200).page();
        assert!(!page.has("[role=switch]"));
        assert!(page.whole_text().contains("Only the owner, Ada (ada@acme.test), can change this."));
    }

    async fn the_dialog_counts_affected_tokens_and_requests(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        let token = revealed(&create(&ada, "ci").await.expect(200));
        create(&ada, "cd").await.expect(200);
        for _ in 0..3 {
            app.api(&token).get("/api/v1/me").await.expect(200);
        }
        let page = ada.get("/developer/settings").await.expect(200).page();
        assert_eq!(page.attribute("[role=switch]", "aria-checked").as_deref(), Some("true"));
        let dialog = ada.fragment("/developer/api").await.expect(200);
        assert!(!dialog.body.contains("<html"));
        for response in [dialog, ada.get("/developer/api").await.expect(200)] {
            assert_eq!(response.page().texts(".figures dd"), ["2", "3"]);
            assert_eq!(response.page().form("/developer/api").fields["state"], "off");
        }
    }

    async fn turning_the_api_on_asks_for_the_password_after_10_minutes(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(601));
        let asked = ada.post("/developer/api", ON).await.expect(403);
        assert_eq!(asked.page().form("/developer/api").fields["state"], "on");
        ada.post("/developer/api", &[("state", "on"), ("password", "wrong")]).await.expect(403);
        assert!(!app.team("Acme").api_enabled);
        ada.post("/developer/api", &[("state", "on"), ("password", PASSWORD)]).await.expect(303);
        assert!(app.team("Acme").api_enabled);
    }

    async fn the_page_explains_why_requests_are_refused(app: TestApp) {
        let (ada, bea) = tokio::join!(app.as_(Ada), app.as_(Bea));
        let warning = |text: &str| text.contains("until you turn it on");
        let before = ada.get("/developer").await.page();
        assert!(before.text(".empty").contains("Turn on access to create your first token"));
        assert!(before.form("/developer/api").fields["state"] == "on");
        assert!(warning(&create(&ada, "ci").await.expect(200).page().text(".notice")));
        let for_bea = create(&bea, "cd").await.expect(200).page().text(".notice");
        assert!(for_bea.contains("until the owner turns it on"));
        assert!(warning(&ada.get("/developer").await.page().text(".notice")));
        app.switch_api("Acme", true);
        assert!(!ada.get("/developer").await.page().has(".notice"));
        app.set_plan("Acme", Plan::Free);
        let page = ada.get("/developer").await.page();
        assert!(page.text(".notice").starts_with("The free plan doesn't include the API"));
    }
}

#[tokio::test]
async fn the_page_and_the_gate_agree_on_plans_with_an_api() {
    let app = TestApp::with_settings(&[("GATEPOST_PLAN_LIMITS", "free=5,pro=0")]).await;
    app.switch_api("Acme", true);
    let (token, ada) = (app.token("Acme", "ci"), app.as_(Ada).await);
    for (plan, status) in [(Plan::Pro, 403), (Plan::Free, 200)] {
        app.set_plan("Acme", plan);
        app.api(&token).get("/api/v1/me").await.expect(status);
        let page = ada.get("/developer/settings").await.expect(200);
        assert_eq!(page.body.contains("even when API access is on"), status == 403, "{plan}");
    }
}
