//! Mail to names with a `+` on the shared domain.

use std::sync::Barrier;
use std::thread;

use gatepost::domain::Error;
use gatepost::domain::mailroom::address::LocalPart;
use gatepost::domain::mailroom::aliases::{self, Alias, NewAlias};
use gatepost::domain::mailroom::route::{MatchedBy, Unroutable};

use crate::support::database::Database;
use crate::support::process::Gatepost;
use crate::support::{TestApp, both_engines};

const SHARED: &str = "gatepost.localhost";

fn create(app: &TestApp, team: &str, local: &str) -> Result<Alias, Error> {
    let (team, actor) = (app.team(team).id, app.app.operator());
    let new = NewAlias { local: LocalPart::parse(local).ok(), domain: None, note: None };
    app.app.write_now(|tx| aliases::create(tx, &actor, team, SHARED, &new))
}

#[track_caller]
fn refusal(app: &TestApp, team: &str, local: &str) -> String {
    match create(app, team, local) {
        Err(Error::Conflict(field)) if field.field == "localPart" => field.message.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// Creates an alias without the checks of names with a `+`, as earlier versions did.
fn create_unchecked(app: &TestApp, team: &str, local: &str) -> Alias {
    let alias = create(app, team, "formerly").expect("an alias");
    let renamed =
        format!("UPDATE aliases SET local = '{local}', local_key = '{local}' WHERE local_key = 'formerly'");
    assert_eq!(app.database.execute(&renamed), Ok(1));
    alias
}

both_engines! {
    async fn plus_addressing_delivers_to_the_alias_before_the_plus(app: TestApp) {
        let ada = create(&app, "Acme", "ada").expect("an alias");
        assert!(refusal(&app, "Globex", "Ada+Bank").contains("another team has ada@gatepost.localhost"));
        assert!(refusal(&app, "Globex", "eve+x").contains("Create eve@gatepost.localhost first"));
        for reserved in ["postmaster+x", "abuse+x", "Admin+a+b"] {
            assert!(refusal(&app, "Globex", reserved).ends_with("is reserved."));
        }
        let bank = create(&app, "Acme", "ada+bank").expect("an alias");
        let team = app.team("Acme").id;
        app.operate(|tx, actor| aliases::delete(tx, actor, team, ada.id));
        assert!(refusal(&app, "Globex", "ada+x").contains("another team has"));
        create(&app, "Acme", "ada+later").expect("its own tag, even after the name was deleted");
        assert_eq!(app.route("ada+bank@gatepost.localhost").await.expect("an alias").alias, bank.id);
        assert_eq!(app.route("ada+other@gatepost.localhost").await, Err(Unroutable::Deleted));
    }

    async fn mail_with_plus_addressing_goes_to_the_team_of_the_alias(app: TestApp) {
        let bank = create_unchecked(&app, "Globex", "ada+bank");
        let to = "Ada+Bank@gatepost.localhost";
        assert_eq!(app.route(to).await.expect("the name is free").alias, bank.id);
        // Existing aliases still receive mail.
        assert!(refusal(&app, "Acme", "ada").contains("another team has addresses that start with ada+."));
        let globex = app.team("Globex").id;
        app.operate(|tx, actor| aliases::delete(tx, actor, globex, bank.id));
        refusal(&app, "Acme", "Ada");
        let base = create(&app, "Globex", "ada").expect("its own tag");

        create_unchecked(&app, "Acme", "ada+shop");
        let found = app.route("ada+shop@gatepost.localhost").await.expect("an alias");
        assert_eq!((found.alias, found.matched_by), (base.id, MatchedBy::Tag));
        app.operate(|tx, actor| aliases::delete(tx, actor, globex, base.id));
        assert_eq!(app.route("ada+shop@gatepost.localhost").await, Err(Unroutable::Deleted));
        create_unchecked(&app, "Globex", "abuse+x");
        assert_eq!(app.route("abuse+x@gatepost.localhost").await, Err(Unroutable::Unknown));
        let shadowed = app.operate(|tx, _| aliases::shadowed_aliases(tx, 10));
        let shadowed: Vec<_> = shadowed.iter().map(|it| (it.address.as_str(), it.team.as_str())).collect();
        assert_eq!(shadowed, [("abuse+x@gatepost.localhost", "Globex"), ("ada+shop@gatepost.localhost", "Acme")]);
    }

    async fn concurrent_teams_cannot_split_a_name_and_its_tag(app: TestApp) {
        for round in 0..20 {
            let (name, start) = (format!("n{round}"), Barrier::new(4));
            let create = |team: &'static str, local: String| {
                start.wait();
                let _ = create(&app, team, &local);
            };
            thread::scope(|scope| {
                for team in ["Acme", "Globex"] {
                    scope.spawn(|| create(team, name.clone()));
                    scope.spawn(|| create(team, format!("{name}+x")));
                }
            });
            let teams = format!("aliases WHERE local_key IN ('{name}', '{name}+x')");
            let teams = format!("SELECT COUNT(DISTINCT team_id) AS n FROM {teams}");
            assert_eq!(app.database.number(&teams), 1);
        }
    }

    async fn a_domain_that_changes_teams_loses_its_aliases(app: TestApp) {
        use gatepost::domain::mailroom::address::DomainName;
        use gatepost::domain::mailroom::mail_domains::{self, Answer, Observation};
        let name = DomainName::parse("shop.example").expect("a name");
        let prove = |team: &str| {
            let team = app.team(team).id;
            let domain = app.operate(|tx, actor| mail_domains::add(tx, actor, team, SHARED, &name));
            let proof = Answer::Found(vec![domain.proof_value()]);
            let seen = Observation { proof, mx: Answer::Nothing };
            app.operate(|tx, actor| mail_domains::record_check(tx, actor, team, domain.id, "mx.test", &seen));
        };
        prove("Globex");
        // The team has the whole domain, so a tag needs no alias before it.
        let theirs = app.alias_on("Globex", "ada+bank", Some("shop.example"));
        assert_eq!(app.route("ada+bank@shop.example").await.expect("an alias").alias, theirs.id);
        prove("Acme");
        assert_eq!(app.route("ada+bank@shop.example").await, Err(Unroutable::Unknown));
        let ours = app.alias_on("Acme", "ada", Some("shop.example"));
        assert_eq!(app.route("ada+bank@shop.example").await.expect("an alias").alias, ours.id);
    }
}

#[test]
fn the_log_lists_aliases_that_get_no_mail() {
    let gatepost = Gatepost::new();
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery");
    let row = "INSERT INTO aliases (id, team_id, domain_name, local, local_key, enabled, created_at,
            created_by_label, received, denied)
        SELECT randomblob(16), id, 'gatepost.localhost', 'abuse+x', 'abuse+x', TRUE, 0, 'Ada', 0, 0 FROM teams";
    assert_eq!(Database::sqlite(gatepost.data.path()).execute(row), Ok(1));
    let ended = gatepost.serve().terminate();
    let line = ended.stderr.lines().find(|line| line.contains("abuse+x@gatepost.localhost"));
    assert!(line.is_some_and(|line| line.contains("WARN") && line.contains("Acme")), "{}", ended.stderr);
}
