//! Domains: adding, verifying, losing and taking over domains.

use std::time::Duration;

use gatepost::domain::Error;
use gatepost::domain::mailroom::address::DomainName;
use gatepost::domain::mailroom::aliases;
use gatepost::domain::mailroom::mail_domains::{self, Answer, Domain, Observation, RecordState};
use gatepost::domain::mailroom::route::{MatchedBy, Unroutable};

use crate::support::{TestApp, both_engines};

const HOST: &str = "mx.gatepost.test";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn add(app: &TestApp, team: &str, name: &str) -> Domain {
    let (team, name) = (app.team(team).id, DomainName::parse(name).expect("a name"));
    app.operate(|tx, actor| mail_domains::add(tx, actor, team, "gatepost.localhost", &name))
}

/// Records a check that finds these texts and the right MX.
fn check(app: &TestApp, domain: &Domain, texts: &[String]) -> Domain {
    let proof = if texts.is_empty() { Answer::Nothing } else { Answer::Found(texts.to_vec()) };
    observe(app, domain, proof)
}

fn observe(app: &TestApp, domain: &Domain, proof: Answer) -> Domain {
    let seen = Observation { proof, mx: Answer::Found(vec![format!("{}.", HOST.to_uppercase())]) };
    app.operate(|tx, actor| mail_domains::record_check(tx, actor, domain.team_id, domain.id, HOST, &seen))
}

fn prove(app: &TestApp, domain: &Domain) -> Domain {
    check(app, domain, &["v=spf1 -all".into(), domain.proof_value()])
}

fn activity(app: &TestApp, kind: &str) -> i64 {
    app.count(&format!("activity WHERE kind = '{kind}'"))
}

both_engines! {
    async fn a_domain_receives_once_it_is_verified(app: TestApp) {
        let domain = add(&app, "Acme", "Acme.Example");
        assert!(domain.records(HOST).iter().all(|record| record.state == RecordState::Unchecked));
        assert_eq!(domain.records(HOST)[0].name, "_gatepost.acme.example");
        app.alias_on("Acme", "hello", Some("ACME.example"));
        assert_eq!(app.route("hello@acme.example").await, Err(Unroutable::Unknown));
        let wrong = check(&app, &domain, &["gatepost-verify=somebody-else".into()]);
        let states: Vec<_> = wrong.records(HOST).into_iter().map(|record| record.state).collect();
        assert_eq!(states, [RecordState::Wrong, RecordState::Ok]);
        assert_eq!(app.route("hello@acme.example").await, Err(Unroutable::Unknown));
        assert!(prove(&app, &domain).is_active());
        assert!(app.route("HELLO+x@Acme.Example").await.is_ok());
        assert_eq!((activity(&app, "domain.added"), activity(&app, "domain.verified")), (1, 1));
        prove(&app, &domain);
        assert_eq!(activity(&app, "domain.verified"), 1);
    }

    async fn a_catch_all_gets_mail_to_unknown_addresses(app: TestApp) {
        let domain = prove(&app, &add(&app, "Acme", "acme.example"));
        let (acme, sink) = (domain.team_id, app.alias("Acme", "sink"));
        let gone = app.alias_on("Acme", "gone", Some("acme.example"));
        app.operate(|tx, actor| aliases::delete(tx, actor, acme, gone.id));
        app.operate(|tx, actor| mail_domains::set_catch_all(tx, actor, acme, domain.id, Some(sink.id)));
        let found = app.route("anybody@acme.example").await.expect("the catch-all");
        assert_eq!((found.alias, found.matched_by), (sink.id, MatchedBy::CatchAll));
        assert_eq!(app.route("gone@acme.example").await, Err(Unroutable::Deleted));
        assert_eq!(app.route("postmaster@acme.example").await.expect("the postmaster").matched_by, MatchedBy::Postmaster);
        app.operate(|tx, actor| aliases::change(tx, actor, acme, sink.id, None, false));
        assert_eq!(app.route("anybody@acme.example").await, Err(Unroutable::Unknown));
        let theirs = app.alias("Globex", "theirs");
        let actor = app.app.operator();
        let refused = app.app.write_now(|tx| mail_domains::set_catch_all(tx, &actor, acme, domain.id, Some(theirs.id)));
        assert!(matches!(refused, Err(Error::NotFound)));
    }

    async fn a_domain_is_suspended_after_a_week_without_its_proof(app: TestApp) {
        let domain = prove(&app, &add(&app, "Acme", "acme.example"));
        app.alias_on("Acme", "hello", Some("acme.example"));
        app.clock.advance(6 * DAY);
        let lost = check(&app, &domain, &[]);
        assert!(lost.is_active() && lost.suspension_due().is_some());
        app.clock.advance(2 * DAY);
        let unasked = observe(&app, &domain, Answer::Failed("no DNS server responded".into()));
        assert!(unasked.is_active(), "a failed lookup must not suspend the domain");
        assert!(!check(&app, &domain, &[]).is_active());
        assert_eq!(app.route("hello@acme.example").await, Err(Unroutable::Suspended));
        assert_eq!(activity(&app, "domain.suspended"), 1);
        assert!(prove(&app, &domain).is_active());
        assert!(app.route("hello@acme.example").await.is_ok());
    }

    async fn a_domain_belongs_to_one_team_at_a_time(app: TestApp) {
        let ours = prove(&app, &add(&app, "Acme", "acme.example"));
        let theirs = add(&app, "Globex", "acme.example");
        app.alias_on("Acme", "hello", Some("acme.example"));
        app.alias_on("Globex", "hello", Some("acme.example"));
        let both = [ours.proof_value(), theirs.proof_value()];
        let held = check(&app, &theirs, &both);
        assert!(!held.is_active() && held.is_verified_by_another());
        assert_eq!(app.route("hello@acme.example").await.expect("ours").team, ours.team_id);
        assert!(prove(&app, &theirs).is_active(), "the other team's proof is no longer published");
        assert_eq!(app.route("hello@acme.example").await.expect("theirs").team, theirs.team_id);
        let back = check(&app, &ours, &both);
        assert!(!back.is_active() && back.is_verified_by_another());
    }

    async fn a_domain_added_again_has_its_aliases(app: TestApp) {
        let domain = prove(&app, &add(&app, "Acme", "acme.example"));
        let team = domain.team_id;
        app.alias_on("Acme", "hello", Some("acme.example"));
        app.operate(|tx, actor| mail_domains::remove(tx, actor, team, domain.id));
        assert_eq!(app.route("hello@acme.example").await, Err(Unroutable::Unknown));
        let shown = |app: &TestApp| app.operate(|tx, _| aliases::count(tx, team, &aliases::Filter::default())).0;
        assert_eq!((shown(&app), app.operate(|tx, _| mail_domains::list(tx, team)).len()), (0, 0));
        let again = add(&app, "Acme", "acme.example");
        assert_ne!(again.proof, domain.proof);
        assert!(!check(&app, &again, &[domain.proof_value()]).is_active(), "the old proof must not verify it");
        prove(&app, &again);
        assert!(app.route("hello@acme.example").await.is_ok());
        assert_eq!(shown(&app), 1);
    }

    async fn another_teams_domain_does_not_exist(app: TestApp) {
        let theirs = prove(&app, &add(&app, "Globex", "globex.example"));
        let (acme, actor) = (app.team("Acme").id, app.app.operator());
        assert!(matches!(app.app.read_now(|tx| mail_domains::find(tx, acme, theirs.id)), Err(Error::NotFound)));
        assert!(matches!(app.app.write_now(|tx| mail_domains::remove(tx, &actor, acme, theirs.id)), Err(Error::NotFound)));
        for name in ["globex.example", "gatepost.localhost"] {
            let name = DomainName::parse(name).expect("a name");
            let again = app.app.write_now(|tx| mail_domains::add(tx, &actor, theirs.team_id, "gatepost.localhost", &name));
            assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        }
    }

    async fn domains_are_checked_regularly(app: TestApp) {
        let proved = prove(&app, &add(&app, "Acme", "a.example"));
        let hopeful = add(&app, "Acme", "b.example");
        let due = |app: &TestApp| {
            let now = app.app.now();
            let due = app.operate(|tx, _| mail_domains::due(tx, now, 10));
            due.into_iter().map(|domain| domain.id).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(due(&app), [hopeful.id].into());
        app.clock.advance(2 * DAY);
        assert_eq!(due(&app), [proved.id, hopeful.id].into());
        app.clock.advance(7 * DAY);
        assert_eq!(due(&app), [proved.id].into());
    }
}
