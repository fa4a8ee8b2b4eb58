//! Domains with the test's own DNS server.

use std::time::Duration;

use gatepost::app::jobs::{registry, run_due};
use gatepost::domain::mailroom::address::DomainName;
use gatepost::domain::mailroom::domain_checks;
use gatepost::domain::mailroom::mail_domains::{self, Domain};

use crate::support::TestApp;
use crate::support::dns::Dns;
use crate::support::mail_server::{self, Talk, letter};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn with_dns(dns: &Dns) -> [TestApp; 2] {
    let settings = [("GATEPOST_DNS", dns.address.as_str()), ("GATEPOST_MAIL_HOST", "mx.acme.test")];
    [TestApp::with_settings(&settings).await, TestApp::postgres_with_settings(&settings).await]
}

fn add(app: &TestApp, team: &str, name: &str) -> Domain {
    let (team, name) = (app.team(team).id, DomainName::parse(name).expect("a domain"));
    app.operate(|tx, actor| mail_domains::add(tx, actor, team, "gatepost.localhost", &name))
}

async fn check(app: &TestApp, domain: &Domain) -> Domain {
    app.app.check_domain(app.app.operator(), domain.team_id, domain.id).await.expect("a check")
}

fn states(domain: &Domain) -> [&'static str; 2] {
    let states: Vec<_> = domain.records("mx.acme.test").iter().map(|record| record.state.as_str()).collect();
    states.try_into().expect("two records")
}

/// Runs a round of checks and returns their number.
async fn due_checks(app: &TestApp) -> usize {
    app.operate(domain_checks::enqueue_due);
    run_due(&app.app, registry()).await.expect("jobs")
}

#[tokio::test]
async fn a_domain_receives_once_it_is_verified() {
    let dns = Dns::start();
    for app in with_dns(&dns).await {
        let domain = add(&app, "Acme", "acme.test");
        app.alias_on("Acme", "ada", Some("acme.test"));
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        talk.say("MAIL FROM:<bob@example.test>").expect("250");
        talk.say("RCPT TO:<ada@acme.test>").expect("550 5.1.1");
        let checked = check(&app, &domain).await;
        assert_eq!((states(&checked), checked.is_active()), (["missing", "missing"], false));
        dns.txt("_gatepost.acme.test", "gatepost-verify=somebody-else").mx(
            "acme.test",
            5,
            "mx.elsewhere.test",
        );
        assert_eq!(states(&check(&app, &domain).await), ["wrong", "wrong"]);
        dns.txt("_gatepost.acme.test", &domain.proof_value()).mx("acme.test", 10, "MX.Acme.test");
        let checked = check(&app, &domain).await;
        assert_eq!((states(&checked), checked.is_active()), (["ok", "ok"], true));
        assert_eq!(checked.records("mx.acme.test")[1].found, ["mx.elsewhere.test", "mx.acme.test"]);
        talk.say("RCPT TO:<ada@acme.test>").expect("250");
        talk.data(letter("own domain")).expect("250");
        dns.remove("_gatepost.acme.test").fail("_gatepost.acme.test");
        let checked = check(&app, &domain).await;
        assert_eq!((states(&checked), checked.is_active()), (["unknown", "ok"], true));
        dns.remove("_gatepost.acme.test").remove("acme.test");
    }
}

#[tokio::test]
async fn domains_are_checked_and_suspended_without_their_proof() {
    let dns = Dns::start();
    for app in with_dns(&dns).await {
        let domain = add(&app, "Acme", "acme.test");
        app.alias_on("Acme", "ada", Some("acme.test"));
        let due = || due_checks(&app);
        assert_eq!(due().await, 1, "a new domain is checked at once");
        assert_eq!(due().await, 0);
        dns.txt("_gatepost.acme.test", &domain.proof_value());
        app.clock.advance(DAY / 24 + Duration::from_secs(1));
        assert_eq!(due().await, 1, "an unverified domain is checked hourly");
        assert!(app.route("ada@acme.test").await.is_ok());
        app.clock.advance(DAY / 2);
        assert_eq!(due().await, 0, "proved: once a day");
        dns.remove("_gatepost.acme.test");
        for day in 1..=7 {
            assert!(app.route("ada@acme.test").await.is_ok(), "day {day}");
            app.clock.advance(DAY + Duration::from_secs(1));
            assert_eq!(due().await, 1);
        }
        assert!(app.route("ada@acme.test").await.is_err(), "suspended after a week without its proof");
        dns.txt("_gatepost.acme.test", &domain.proof_value());
        app.clock.advance(DAY + Duration::from_secs(1));
        assert_eq!(due().await, 1);
        assert!(app.route("ada@acme.test").await.is_ok(), "receives again with its proof");
        dns.remove("_gatepost.acme.test");
    }
}
