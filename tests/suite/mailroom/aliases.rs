//! Aliases: creating, finding, turning off and deleting them, without reuse of addresses.

use gatepost::domain::Error;
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::address::LocalPart;
use gatepost::domain::mailroom::aliases::{self, Alias, Filter, NewAlias};
use gatepost::domain::people::teams::TeamId;
use gatepost::domain::search::Search;

use crate::support::{TestApp, both_engines};

const SHARED: &str = "gatepost.localhost";

fn create(app: &TestApp, team: TeamId, local: Option<&str>, domain: Option<&str>) -> Result<Alias, Error> {
    let local = local.map(|local| LocalPart::parse(local).expect("a local part"));
    let new = NewAlias { local, domain: domain.map(str::to_owned), note: Some("why".into()) };
    let actor = app.app.operator();
    app.app.write_now(|tx| aliases::create(tx, &actor, team, SHARED, &new))
}

fn field_of(refused: Result<Alias, Error>) -> String {
    match refused.expect_err("a refusal") {
        Error::Conflict(field) => field.field.into_owned(),
        Error::Invalid(fields) => fields[0].field.clone().into_owned(),
        other => panic!("{other:?}"),
    }
}

fn listed(app: &TestApp, team: TeamId, filter: &Filter) -> Vec<String> {
    let page = app.app.read_now(|tx| aliases::list(tx, team, filter, Window::first(50))).expect("a list");
    page.rows.iter().map(Alias::address).collect()
}

both_engines! {
    async fn an_address_belongs_to_one_team_forever(app: TestApp) {
        let (acme, globex) = (app.team("Acme").id, app.team("Globex").id);
        let alias = create(&app, acme, Some("Sales"), None).expect("an alias");
        assert_eq!((alias.address().as_str(), alias.note.as_deref()), ("Sales@gatepost.localhost", Some("why")));
        for team in [acme, globex] {
            assert_eq!(field_of(create(&app, team, Some("sALES"), Some(" GatePost.Localhost "))), "localPart");
        }
        app.operate(|tx, actor| aliases::delete(tx, actor, acme, alias.id));
        for team in [acme, globex] {
            assert_eq!(field_of(create(&app, team, Some("sales"), None)), "localPart");
        }
        assert_eq!(listed(&app, acme, &Filter::default()), [""; 0]);
    }

    async fn random_addresses_are_unpredictable(app: TestApp) {
        let acme = app.team("Acme").id;
        let made: std::collections::BTreeSet<_> =
            (0..50).map(|_| create(&app, acme, None, None).expect("an alias").local).collect();
        assert_eq!(made.len(), 50);
        assert!(made.iter().all(|local| local.len() == 10), "{made:?}");
    }

    async fn some_names_are_reserved(app: TestApp) {
        for local in ["postmaster", "Abuse", "hostmaster"] {
            assert_eq!(field_of(create(&app, app.team("Globex").id, Some(local), None)), "localPart");
        }
        assert_eq!(field_of(create(&app, app.team("Acme").id, Some("a"), Some("elsewhere.test"))), "domain");
    }

    async fn postmaster_cannot_be_disabled_or_deleted(app: TestApp) {
        let found = app.route("postmaster@gatepost.localhost").await.expect("a postmaster");
        let (acme, actor) = (app.team("Acme").id, app.app.operator());
        let off = app.app.write_now(|tx| aliases::change(tx, &actor, acme, found.alias, None, false));
        let gone = app.app.write_now(|tx| aliases::delete(tx, &actor, acme, found.alias));
        assert!(matches!((off, gone), (Err(Error::Conflict(_)), Err(Error::Conflict(_)))));
        app.operate(|tx, actor| aliases::change(tx, actor, acme, found.alias, Some("ours"), true));
    }

    async fn lists_show_one_team_and_can_be_filtered(app: TestApp) {
        let (acme, globex) = (app.team("Acme").id, app.team("Globex").id);
        for local in ["hello", "sales", "100%_off"] {
            let local = local.replace('%', "-");
            create(&app, acme, Some(&local), None).expect("an alias");
        }
        let other = create(&app, globex, Some("theirs"), None).expect("an alias");
        let text = |text: &str| Filter { text: Search::parse(text).expect("a search").key(), ..Filter::default() };
        assert_eq!(listed(&app, acme, &Filter::default()).len(), 3);
        assert_eq!(listed(&app, acme, &text(" SAL ")), ["sales@gatepost.localhost"]);
        assert_eq!(listed(&app, acme, &text("ales@gate")), ["sales@gatepost.localhost"]);
        assert_eq!(listed(&app, acme, &text("-_o")), ["100-_off@gatepost.localhost"]);
        assert_eq!(listed(&app, acme, &text("_a")), [""; 0]);
        assert_eq!(listed(&app, acme, &text("localhost")).len(), 3);
        let off = Filter { enabled: Some(false), domain: Some(None), text: None };
        assert_eq!(listed(&app, acme, &off), [""; 0]);

        let first = app.app.read_now(|tx| aliases::list(tx, acme, &Filter::default(), Window::first(2)));
        let first = first.expect("a page");
        let next = Window::below(first.next, 2);
        let second = app.app.read_now(|tx| aliases::list(tx, acme, &Filter::default(), next)).expect("a page");
        assert_eq!((first.rows.len(), second.rows.len(), second.next), (2, 1, None));
        let all = app.app.read_now(|tx| aliases::count(tx, acme, &Filter::default())).expect("a count");
        assert_eq!(all.0, 3);

        let actor = app.app.operator();
        assert!(matches!(app.app.read_now(|tx| aliases::find(tx, acme, other.id)), Err(Error::NotFound)));
        assert!(matches!(app.app.write_now(|tx| aliases::delete(tx, &actor, acme, other.id)), Err(Error::NotFound)));
        let change = app.app.write_now(|tx| aliases::change(tx, &actor, acme, other.id, None, false));
        assert!(matches!(change, Err(Error::NotFound)));
    }
}
