use std::time::Duration;

use gatepost::domain::mailroom::mail_domains::{self, Answer, Domain, Observation};

use super::assert_only_its_team_finds;
use crate::support::dns::Dns;
use crate::support::people::Person::{Ada, Bea, Cy};
use crate::support::{TestApp, both_engines};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn only(app: &TestApp) -> Domain {
    let team = app.team("Acme").id;
    let all = app.operate(|tx, _| mail_domains::list(tx, team));
    assert_eq!(all.len(), 1);
    all[0].clone()
}

fn observe(app: &TestApp, proof: Answer) {
    let (domain, host) = (only(app), app.app.mail_host());
    let seen = Observation { proof, mx: Answer::Found(vec![host.clone()]) };
    app.operate(|tx, actor| mail_domains::record_check(tx, actor, domain.team_id, domain.id, &host, &seen));
}

/// Adds a domain as Ada, and returns the path of its page.
async fn added(app: &TestApp) -> String {
    let response = app.as_(Ada).await.post("/domains", &[("name", " Acme.Example ")]).await.expect(303);
    response.location().split('?').next().expect("a path").to_owned()
}

/// Returns the state of each record, as the page shows it.
fn states(page: &crate::support::html::Page) -> Vec<String> {
    page.texts(".record > .badge")
}

/// Checks DNS with the button, and compares the record states on the page.
async fn check_asks(app: TestApp, dns: &Dns) {
    let (ada, path) = (app.as_(Ada).await, added(&app).await);
    let page = ada.get(&path).await.expect(200).page();
    let (domain, host) = (only(&app), app.app.mail_host());
    assert_eq!(page.text("#txt-name"), "_gatepost.acme.example");
    assert_eq!(page.text("#txt-value"), domain.proof_value());
    assert_eq!(
        (page.text("#mx-name"), page.text("#mx-value")),
        ("acme.example".into(), format!("10 {host}"))
    );
    assert_eq!(states(&page), ["Not checked yet", "Not checked yet"]);
    assert!(page.has("button[data-copy='#txt-value']") && page.has("button[data-copy='#mx-value']"));

    dns.mx("acme.example", 5, "mail.elsewhere.test");
    let check = format!("{path}/check");
    let page = ada.post_and_follow(&check, &[]).await.expect(200).page();
    assert_eq!(states(&page), ["Missing", "Wrong value"]);
    assert!(page.whole_text().contains("mail.elsewhere.test"), "the values found are shown");
    assert_eq!(page.text("h1 .badge"), "Not verified");

    let row = async || {
        let page = ada.get("/domains").await.expect(200).page();
        (page.text(".domain-finding"), page.texts("tbody .row-end"))
    };
    let fix = vec!["Fix the records of acme.example".to_owned()];
    let (found, action) = row().await;
    assert_eq!(found, format!("TXT: nothing found, wants {}", domain.proof_value()));
    assert_eq!(action, fix);
    dns.txt("_gatepost.acme.example", &domain.proof_value());
    ada.post(&check, &[]).await.expect(303);
    assert_eq!(row().await, (format!("MX: found mail.elsewhere.test, wants {host}"), fix));

    dns.remove("acme.example").mx("acme.example", 10, &host);
    let page = ada.post_and_follow(&check, &[]).await.expect(200).page();
    assert_eq!(states(&page), ["Correct", "Correct"]);
    assert_eq!(page.text("h1 .badge"), "Verified");
    let action = vec!["Check now the records of acme.example".to_owned()];
    assert_eq!(row().await, ("TXT and MX are correct".into(), action));
    assert!(!ada.get("/domains").await.page().has("tbody .badge"), "nothing to say");
    let choices = ada.get("/aliases/new").await.page().texts("#create select option");
    assert_eq!(choices, ["@gatepost.localhost", "@acme.example"]);
}

#[tokio::test]
async fn a_check_shows_the_records_found() {
    let dns = Dns::start();
    let settings = [("GATEPOST_DNS", dns.address.as_str()), ("GATEPOST_MAIL_HOST", "mx.gatepost.test")];
    check_asks(TestApp::with_settings(&settings).await, &dns).await;
    let dns = Dns::start();
    let settings = [("GATEPOST_DNS", dns.address.as_str()), ("GATEPOST_MAIL_HOST", "mx.gatepost.test")];
    check_asks(TestApp::postgres_with_settings(&settings).await, &dns).await;
}

both_engines! {
    async fn no_mx_record_is_requested_for_an_unreachable_host(app: TestApp) {
        let (ada, path) = (app.as_(Ada).await, added(&app).await);
        let page = ada.get(&path).await.expect(200).page();
        assert!(page.has("#txt-value") && !page.has("#mx-value"));
        assert!(page.whole_text().contains("can't reach this Gatepost") && page.whole_text().contains("GATEPOST_MAIL_HOST"));
    }

    async fn the_empty_list_explains_the_shared_domain_and_the_first_step(app: TestApp) {
        let text = app.as_(Ada).await.get("/domains").await.expect(200).page().whole_text();
        assert!(text.contains("Shared domain: gatepost.localhost"), "{text}");
        assert!(text.contains("No domains yet") && text.contains("Add the domain to get both records"), "{text}");
    }

    async fn admins_add_domains_and_members_see_who_can(app: TestApp) {
        let (bea, cy) = (app.as_(Bea).await, app.as_(Cy).await);
        let path = added(&app).await;
        assert_eq!(cy.get("/domains").await.expect(200).page().texts("tbody .cell-name"), ["acme.example"]);
        for page in [cy.get("/domains").await.expect(200).page(), cy.get(&path).await.expect(200).page()] {
            assert!(page.whole_text().contains("Only the owner and admins of Acme"));
            assert_eq!(page.texts("main form").len(), 0);
        }
        for what in ["/check", "/catch-all", "/remove"] {
            let refused = cy.post(&format!("{path}{what}"), &[]).await.expect(403);
            assert!(refused.body.contains("owner and admins can do this"), "{}", refused.body);
        }
        cy.post("/domains", &[("name", "b.example")]).await.expect(403);
        let again = bea.post("/domains", &[("name", "acme.example")]).await.expect(409).page();
        assert!(again.text("#name-error").contains("already been added"));
        let shared = bea.post("/domains", &[("name", "gatepost.localhost")]).await.expect(409).page();
        assert!(shared.text("#name-error").contains("already available"));
        let wrong = bea.post("/domains", &[("name", "not a domain")]).await.expect(422).page();
        assert!(wrong.text("#name-error").contains("Enter a domain"));
        assert_eq!(wrong.form("/domains").fields["name"], "not a domain");
    }

    async fn a_lost_proof_warns_and_then_suspends(app: TestApp) {
        let path = added(&app).await;
        observe(&app, Answer::Found(vec![only(&app).proof_value()]));
        app.clock.advance(DAY);
        observe(&app, Answer::Nothing);
        let page = app.as_(Ada).await.get(&path).await.expect(200).page();
        assert_eq!(page.text("h1 .badge"), "TXT record missing");
        assert!(page.whole_text().contains("The domain still receives mail"));
        app.clock.advance(7 * DAY);
        observe(&app, Answer::Nothing);
        let ada = app.as_(Ada).await;
        let page = ada.get(&path).await.expect(200).page();
        assert_eq!(page.text("h1 .badge"), "Suspended");
        let text = page.whole_text();
        assert!(text.contains("had been missing for 7 days") && text.contains("check again"), "{text}");
        assert!(ada.get("/domains").await.page().text("tbody .badge") == "Suspended");
    }

    async fn a_verified_domain_with_a_wrong_mx_record_is_not_receiving(app: TestApp) {
        let path = added(&app).await;
        let (domain, host) = (only(&app), app.app.mail_host());
        let seen = Observation {
            proof: Answer::Found(vec![domain.proof_value()]),
            mx: Answer::Found(vec!["mail.elsewhere.test".into()]),
        };
        app.operate(|tx, actor| mail_domains::record_check(tx, actor, domain.team_id, domain.id, &host, &seen));
        let ada = app.as_(Ada).await;
        assert_eq!(ada.get(&path).await.expect(200).page().text("h1 .badge"), "Not receiving");
        let list = ada.get("/domains").await.page();
        assert_eq!(list.text("tbody .badge"), "Not receiving");
    }

    async fn a_catch_all_is_set_and_cleared(app: TestApp) {
        let (ada, path) = (app.as_(Ada).await, added(&app).await);
        let (sink, theirs) = (app.alias("Acme", "sink"), app.alias("Globex", "theirs"));
        let catch_all = format!("{path}/catch-all");
        let page = ada.post_and_follow(&catch_all, &[("alias", &sink.id.to_string())]).await.expect(200).page();
        assert_eq!(page.form(&catch_all).fields["alias"], sink.id.to_string());
        assert_eq!(only(&app).catch_all_id, Some(sink.id));
        for wrong in [theirs.id.to_string(), "x".into()] {
            let refused = ada.post(&catch_all, &[("alias", &wrong)]).await.expect(422).page();
            assert!(refused.text("#alias-error").contains("Choose another"));
        }
        ada.post(&catch_all, &[("alias", "")]).await.expect(303);
        assert_eq!(only(&app).catch_all_id, None);
    }

    async fn the_question_before_removal_counts_aliases(app: TestApp) {
        let (ada, path) = (app.as_(Ada).await, added(&app).await);
        let remove = format!("{path}/remove");
        for local in ["a", "b"] {
            app.alias_on("Acme", local, Some("acme.example"));
        }
        let question = ada.get(&remove).await.expect(200).page().whole_text();
        assert!(question.contains("Its 2 aliases stop receiving"), "{question}");
        let page = ada.post_and_follow(&remove, &[]).await.expect(200).page();
        assert!(page.whole_text().contains("Domain removed"));
        ada.get(&path).await.expect(404);
    }

    async fn another_teams_domain_does_not_exist(app: TestApp) {
        let path = added(&app).await;
        let reads = [path.clone(), format!("{path}/remove")];
        let writes = ["/check", "/catch-all", "/remove"].map(|what| (format!("{path}{what}"), &[][..]));
        assert_only_its_team_finds(&app, &reads, &writes).await;
        assert!(only(&app).removed_at.is_none());
    }
}
