use gatepost::app::jobs::{registry, run_due};
use gatepost::domain::Error;
use gatepost::domain::jobs;
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::contacts::{self, About, Contact, ContactState, Filter};
use gatepost::domain::mailroom::receive::Outcome;
use gatepost::domain::people::teams::TeamId;
use gatepost::domain::search::Search;
use gatepost::store::columns::MessageState;

use super::steps::letter;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn about(name: &str, state: ContactState) -> About {
    About::parse(name, "", state).expect("valid fields")
}

fn create(app: &TestApp, team: TeamId, address: &str, about: About) -> Result<Contact, Error> {
    let address = contacts::parse_address(address).expect("an address");
    let actor = app.app.operator();
    app.app.write_now(|tx| contacts::create(tx, &actor, team, &address, about))
}

fn found(app: &TestApp, team: TeamId, text: &str) -> Vec<String> {
    let words = contacts::words_of(&Search::parse(text).expect("a search"));
    let filter = Filter { words, state: None };
    let page = app.app.read_now(|tx| contacts::list(tx, team, &filter, Window::first(50))).expect("a list");
    page.rows.into_iter().map(|contact| contact.address).collect()
}

both_engines! {
    async fn mail_of_a_blocked_contact_is_denied(app: TestApp) {
        let (acme, alias) = (app.team("Acme").id, app.alias("Acme", "hello"));
        app.alias("Globex", "theirs");
        let spammer = create(&app, acme, "Spam@Example.com", about("", ContactState::Blocked)).expect("a contact");
        let raw = letter("SPAM@example.COM", "1@x", "Buy", "Now");
        let denied = app.send("x@y.test", HELLO, &raw).await.expect("an outcome");
        assert!(matches!(denied, Outcome::Stored { state: MessageState::Denied, .. }), "{denied:?}");
        assert_eq!(app.count("messages WHERE state = 'denied' AND reason LIKE '%Spam@example.com is blocked%'"), 1);
        assert_eq!(app.count("aliases WHERE denied = 1 AND received = 0"), 1);
        assert_eq!(app.count("conversations"), 0);
        let other = app.send("x@y.test", "theirs@gatepost.localhost", &raw).await.expect("an outcome");
        assert!(matches!(other, Outcome::Stored { state: MessageState::Delivered, .. }), "{other:?}");
        app.operate(|tx, actor| contacts::change(tx, actor, acme, spammer.id, about("", ContactState::Allowed)));
        let raw = letter("spam@example.com", "2@x", "Sorry", "Really");
        let taken = app.send("x@y.test", HELLO, &raw).await.expect("an outcome");
        assert!(matches!(taken, Outcome::Stored { state: MessageState::Delivered, .. }), "{taken:?}");
        assert_eq!(alias.team_id, acme);
    }

    async fn a_contact_has_one_address_and_is_found_by_its_parts(app: TestApp) {
        let acme = app.team("Acme").id;
        create(&app, acme, "bob@example.com", about("Bob  Jones", ContactState::Unset)).expect("a contact");
        create(&app, acme, "eve_1@example.com", about("", ContactState::Unset)).expect("a contact");
        let again = create(&app, acme, "BOB@Example.com", about("", ContactState::Unset));
        assert!(matches!(again, Err(Error::Conflict(_))));
        create(&app, app.team("Globex").id, "bob@example.com", about("", ContactState::Unset)).expect("theirs");
        assert_eq!(found(&app, acme, "BOB J"), ["bob@example.com"]);
        assert_eq!(found(&app, acme, "e_1"), ["eve_1@example.com"]);
        assert_eq!(found(&app, acme, "example").len(), 2);
        assert_eq!(found(&app, acme, "%"), [""; 0]);
        let blocked = Filter { state: Some(ContactState::Blocked), words: Vec::new() };
        assert_eq!(app.operate(|tx, _| contacts::count(tx, acme, &blocked)).0, 0);
    }

    async fn contacts_are_found_by_what_people_mean(app: TestApp) {
        let acme = app.team("Acme").id;
        for (address, name) in [
            ("ines@cafe.test", "Inès Falk"),
            ("jörg@bücher.example", "Jörg Straße"),
            ("lodz@x.test", "ŁÓDŹ Ｔｅａｍ"),
            ("hana@x.test", "山田花子"),
            ("plain@x.test", ""),
        ] {
            create(&app, acme, address, about(name, ContactState::Unset)).expect("a contact");
        }
        let raw = letter("Müller <plain@x.test>", "1@x", "Hi", "Hi");
        app.alias("Acme", "hello");
        app.keep("plain@x.test", HELLO, &raw).await;
        let check = |app: &TestApp| for (search, address) in [
            ("ines", "ines@cafe.test"),
            ("INE\u{300}S", "ines@cafe.test"),
            ("falk inès", "ines@cafe.test"),
            ("falk café", "ines@cafe.test"),
            ("jorg", "jörg@xn--bcher-kva.example"),
            ("STRASSE", "jörg@xn--bcher-kva.example"),
            ("bücher", "jörg@xn--bcher-kva.example"),
            ("xn--bcher", "jörg@xn--bcher-kva.example"),
            ("łódź team", "lodz@x.test"),
            ("田花", "hana@x.test"),
            ("muller", "plain@x.test"),
        ] {
            assert_eq!(found(app, acme, search), [address], "{search}");
        };
        check(&app);
        assert_eq!(found(&app, acme, "ines straße"), [""; 0]);
        assert_eq!(found(&app, acme, "花山"), [""; 0]);

        // As an update to this version leaves them.
        app.database.execute("UPDATE contacts SET search_text = COALESCE(name_key || ' ', '') || address_key").expect("keys");
        app.database.execute("UPDATE instance SET contact_rule = 0").expect("an old rule");
        assert_eq!(found(&app, acme, "falk"), ["ines@cafe.test"]);
        assert_eq!(found(&app, acme, "muller"), [""; 0]);
        app.operate(|tx, actor| jobs::ensure_recurring(tx, actor, &registry().kinds()));
        run_due(&app.app, registry()).await.expect("jobs");
        check(&app);
    }

    async fn a_name_comes_from_mail_until_a_person_sets_one(app: TestApp) {
        let acme = app.team("Acme").id;
        app.alias("Acme", "hello");
        for (number, from) in ["bob@a.test", "Bob <bob@a.test>", "Robert <BOB@a.test>"].into_iter().enumerate() {
            app.keep("bob@a.test", HELLO, &letter(from, &format!("{number}@x"), "Hi", "Hi")).await;
        }
        let page = app.operate(|tx, _| contacts::list(tx, acme, &Filter::default(), Window::first(9)));
        let [bob] = &page.rows[..] else { panic!("{:?}", page.rows) };
        assert_eq!((bob.name.as_deref(), bob.received), (Some("Bob"), 3));
        assert!(bob.first_seen_at.is_some() && bob.last_seen_at == bob.first_seen_at);
        app.operate(|tx, actor| contacts::delete(tx, actor, acme, bob.id));
        assert_eq!(app.count("messages"), 3);
        app.keep("bob@a.test", HELLO, &letter("bob@a.test", "9@x", "Hi", "Hi")).await;
        assert_eq!(app.count("contacts WHERE received = 1"), 1);
    }

    async fn another_teams_contact_does_not_exist(app: TestApp) {
        let (acme, globex, actor) = (app.team("Acme").id, app.team("Globex").id, app.app.operator());
        let theirs = create(&app, globex, "bob@a.test", about("", ContactState::Unset)).expect("a contact");
        assert!(matches!(app.app.read_now(|tx| contacts::find(tx, acme, theirs.id)), Err(Error::NotFound)));
        let change = app.app.write_now(|tx| contacts::change(tx, &actor, acme, theirs.id, about("x", ContactState::Blocked)));
        assert!(matches!(change, Err(Error::NotFound)));
        assert!(matches!(app.app.write_now(|tx| contacts::delete(tx, &actor, acme, theirs.id)), Err(Error::NotFound)));
        assert_eq!(found(&app, acme, "bob"), [""; 0]);
    }
}
