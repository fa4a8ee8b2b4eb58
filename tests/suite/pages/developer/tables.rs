//! The token lists, and the settings of the instance.

use super::{PASSWORD, create, revealed};
use crate::support::client::send;
use crate::support::people::Person::{Ada, Bea};
use crate::support::{TestApp, both_engines};
use std::time::Duration;

both_engines! {
    async fn long_lists_are_paged(app: TestApp) {
        let ada = app.as_(Ada).await;
        for number in 1..=51 {
            app.clock.advance(Duration::from_millis(1));
            app.token("Acme", &format!("token {number}"));
        }
        let newest = ada.get("/developer").await.expect(200).page();
        assert_eq!(newest.texts("#tokens tbody tr").len(), 50);
        assert_eq!((newest.text("#tokens-count"), newest.text(".table-foot")), ("51".into(), "51 tokens Next".into()));
        let older = newest.link("Next");
        let rest = ada.get(&older).await.expect(200).page();
        assert_eq!(rest.texts("#tokens .cell-name"), ["token 1"]);
        let refresh = rest.attribute("#list", "hx-get").expect("an address");
        let part = ada.fragment(&refresh).await.expect(200).page();
        assert_eq!(part.texts(".cell-name"), ["token 1"]);
        assert_eq!(rest.link("First page"), "/developer");
        ada.get("/developer?before=tok_1").await.expect(404);
    }

    async fn revoked_tokens_are_paged_separately(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.switch_api("Acme", true);
        for _ in 1..=51 {
            app.clock.advance(Duration::from_millis(1));
            let token = app.token("Acme", "ci");
            app.api(&token).delete("/api/v1/me/token").await.expect(204);
        }
        app.token("Acme", "the last");
        let active = ada.get("/developer").await.expect(200).page();
        assert_eq!(active.texts("#tokens .cell-name"), ["the last"]);
        let newest = ada.get(&active.link("Revoked 51")).await.expect(200).page();
        assert_eq!(newest.texts("#revoked tbody tr").len(), 50);
        let rest = ada.get(&newest.link("Next")).await.expect(200).page();
        assert_eq!(rest.texts("#revoked tbody tr").len(), 1);
    }

    async fn tokens_are_searched_and_sorted(app: TestApp) {
        let (ada, bea) = (app.as_(Ada).await, app.as_(Bea).await);
        app.switch_api("Acme", true);
        for (visitor, name) in [(&ada, "zapier"), (&bea, "backup"), (&ada, "ci")] {
            app.clock.advance(Duration::from_millis(1));
            create(visitor, name).await.expect(200);
        }
        let names = async |query: &str| {
            let path = format!("/developer?{query}");
            ada.get(&path).await.expect(200).page().texts(".cell-name")
        };
        assert_eq!(names("").await, ["ci", "backup", "zapier"]);
        assert_eq!(names("sort=name").await, ["backup", "ci", "zapier"]);
        let token = revealed(&create(&ada, "a used one").await.expect(200));
        app.api(&token).get("/api/v1/me").await.expect(200);
        app.flush().await;
        create(&ada, "last").await.expect(200);
        assert_eq!(names("sort=used").await[0], "a used one");
        assert_eq!(names("q=BACK").await, ["backup"]);
        assert_eq!(names("q=bea%40acme").await, ["backup"]);
        let none = ada.get("/developer?q=%3Ci%3E").await.expect(200);
        assert!(none.page().text(".empty").contains("No matches") && !none.body.contains("<i>"));
        let head = ada.get("/developer?q=c&sort=name").await.expect(200).page();
        assert!(head.has("th[aria-sort=ascending] a[href='/developer?q=c&sort=-name']"));
        for wrong in ["sort=color", "state=paused", "color=red", "before=tok_1"] {
            let status = ada.get(&format!("/developer?{wrong}")).await.status;
            assert!([400, 404].contains(&status), "{wrong}: {status}");
        }
    }

    async fn the_list_is_a_fragment_for_htmx_alone(app: TestApp) {
        let ada = app.as_(Ada).await;
        create(&ada, "ci").await.expect(200);
        let part = ada.fragment("/developer/tokens").await.expect(200);
        assert!(part.body.trim_start().starts_with("<section") && part.page().has("#tokens"));
        assert_eq!((part.header("vary"), part.header("cache-control")), ("HX-Request", "no-store"));
        assert_eq!(ada.get("/developer/tokens").await.expect(303).location(), "/developer");
        assert_eq!(ada.get("/settings/api").await.expect(308).location(), "/developer");
    }
}

#[tokio::test]
async fn the_page_shows_the_settings_of_this_instance() {
    let app = TestApp::with_settings(&[
        ("GATEPOST_TOKEN_PREFIX", "si_live"),
        ("GATEPOST_PUBLIC_URL", "https://gate.test"),
        ("GATEPOST_MAIL_DOMAIN", "mail.gate.test"),
    ])
    .await;
    // The cookie is Secure, so a browser would not send it over plain HTTP.
    let signed_in = app.visitor().sign_in(Ada.email(), PASSWORD).await.expect(303);
    let session = format!("__Host-gatepost={}", signed_in.cookie("__Host-gatepost"));
    let get = async |path| {
        let request = app.visitor().request(reqwest::Method::GET, path).header("Cookie", &session);
        send(request).await.expect(200).page()
    };
    let page = get("/developer/settings").await;
    assert_eq!(page.text("#pattern"), r"\bsi_live_[0-9A-Za-z]{50}\b");
    assert!(page.text("#gitleaks").contains("si_live_"));
    assert!(page.text("#reference").contains("https://gate.test/api/v1"));
    assert_eq!(page.link("Open the API reference"), "/developer/docs");
    let docs = get("/developer/docs/all").await;
    let first = "curl \"https://gate.test/api/v1/me\" \\\n  -H \"Authorization: Bearer $GATEPOST_TOKEN\"";
    assert_eq!(docs.verbatim("#first-call-curl")[0].1, first);
    let text = docs.whole_text();
    assert!(text.contains("hello@mail.gate.test") && !text.contains("gatepost.localhost"));
    assert!(text.contains("si_live_1a2b3c4d") && !text.contains("gp_"));
}
