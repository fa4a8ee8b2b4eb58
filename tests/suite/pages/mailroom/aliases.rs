use std::time::Duration;

use gatepost::domain::mailroom::aliases::{self, Alias};
use gatepost::domain::mailroom::mail_domains;

use super::assert_only_its_team_finds;
use crate::support::client::Response;
use crate::support::mail::letter_with_file;
use crate::support::people::Person::{Ada, Cy};
use crate::support::{TestApp, both_engines};

const ROWS: &str = "#list tbody th code";

fn addresses(response: &Response) -> Vec<String> {
    response.page().texts(ROWS)
}

fn found(app: &TestApp, alias: &Alias) -> Alias {
    app.operate(|tx, _| aliases::find(tx, alias.team_id, alias.id))
}

fn path(alias: &Alias, what: &str) -> String {
    format!("/aliases/{}{what}", alias.id)
}

both_engines! {
    async fn members_create_aliases_with_chosen_and_random_names(app: TestApp) {
        let cy = app.as_(Cy).await;
        let text = cy.get("/aliases").await.expect(200).page().whole_text();
        assert!(text.contains("No aliases yet") && text.contains("as soon as you create it"), "{text}");
        let sent = [("localPart", "Hello"), ("domain", ""), ("note", "the contact form")];
        let page = cy.post_and_follow("/aliases", &sent).await.expect(200).page();
        assert_eq!(page.text("#alias-address"), "Hello@gatepost.localhost");
        assert_eq!(page.text("textarea[name=note]"), "the contact form");
        assert!(page.has("button[data-copy='#alias-address']"));
        app.clock.advance(Duration::from_secs(1));
        let random = cy.post_and_follow("/aliases", &[("localPart", " ")]).await.expect(200).page();
        let random = random.text("#alias-address");
        assert_eq!(random.find('@'), Some(10), "{random}");
        assert_eq!(addresses(&cy.get("/aliases").await), [random, "Hello@gatepost.localhost".into()]);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM activity WHERE kind = 'alias.created'"), 2);
    }

    async fn errors_appear_beside_their_fields(app: TestApp) {
        let cy = app.as_(Cy).await;
        let long = "x".repeat(1001);
        let response = cy.post("/aliases", &[("localPart", "a b"), ("note", &long)]).await.expect(422);
        let page = response.page();
        assert!(page.text("#localPart-error").contains("letters, digits"));
        assert!(page.text("#note-error").contains("at most 1000"));
        assert_eq!(page.form("/aliases").fields["localPart"], "a b");
        app.alias("Globex", "taken");
        let taken = cy.post("/aliases", &[("localPart", "TAKEN"), ("note", "kept")]).await.expect(409).page();
        assert!(taken.text("#localPart-error").contains("is taken"));
        assert_eq!(taken.form("/aliases").fields["note"], "kept");
        let theirs = cy.post("/aliases", &[("localPart", "a"), ("domain", "other.test")]).await.expect(422);
        assert!(theirs.page().text("#domain-error").contains("isn't one of your team's domains"));
    }

    async fn the_list_is_searched_narrowed_and_paged(app: TestApp) {
        let make = |n| {
            app.clock.advance(Duration::from_millis(1));
            app.alias("Acme", &format!("a{n:02}"))
        };
        let made: Vec<_> = (0..52).map(make).collect();
        app.alias("Globex", "a-theirs");
        let (team, off) = (app.team("Acme").id, made[7].id);
        app.operate(|tx, actor| aliases::change(tx, actor, team, off, None, false));
        let cy = app.as_(Cy).await;
        let first = cy.get("/aliases").await.expect(200);
        assert_eq!((addresses(&first).len(), first.page().text("#list caption")), (50, "52 aliases".into()));
        let second = cy.get(&first.page().link("Next")).await.expect(200);
        assert_eq!(addresses(&second), ["a01@gatepost.localhost", "a00@gatepost.localhost"]);
        let switched_off = cy.get("/aliases?state=off").await.expect(200);
        assert_eq!(addresses(&switched_off), ["a07@gatepost.localhost"]);
        let part = cy.fragment("/aliases?q=A3&state=&domain=shared").await.expect(200);
        assert_eq!(part.header("hx-replace-url"), "/aliases?q=A3&domain=shared");
        assert_eq!((addresses(&part).len(), part.page().has("#filter")), (10, false));
        let nothing = cy.get("/aliases?q=%25").await.expect(200).page();
        assert!(nothing.whole_text().contains("No matches"));
        assert!(cy.get("/aliases?q=%3Cb%3E").await.body.contains("value=\"&#60;b&#62;\""));
        for path in ["/aliases?state=x", "/aliases?domain=x", "/aliases?before=x"] {
            cy.get(path).await.expect(404);
        }
    }

    async fn mail_to_an_alias_that_is_off_is_refused(app: TestApp) {
        let (alias, cy) = (app.alias("Acme", "hello"), app.as_(Cy).await);
        let switch = path(&alias, "/switch");
        let page = cy.get("/aliases").await.expect(200).page();
        assert_eq!((page.texts("tbody .badge").len(), page.form(&switch).fields["state"].clone()), (0, "off".into()));
        let off = cy.post_and_follow(&switch, &[("state", "off")]).await.expect(200).page();
        assert_eq!(off.attribute("button[role=switch]", "aria-checked").as_deref(), Some("false"));
        assert!(off.whole_text().contains("Mail to it is refused"));
        assert!(app.route("hello@gatepost.localhost").await.is_err());
        assert_eq!(cy.get("/aliases").await.page().text("tbody .badge"), "Off");
        cy.post(&switch, &[("state", "on")]).await.expect(303);
        assert!(app.route("hello@gatepost.localhost").await.is_ok());
        cy.post(&switch, &[("state", "sideways")]).await.expect(400);
    }

    async fn several_aliases_are_turned_off_together(app: TestApp) {
        let (one, two, cy) = (app.alias("Acme", "one"), app.alias("Acme", "two"), app.as_(Cy).await);
        let (first, second) = (one.id.to_string(), two.id.to_string());
        let act = |what| [("id", first.as_str()), ("id", second.as_str()), ("do", what)];
        cy.post("/aliases/chosen", &act("off")).await.expect(303);
        assert!(!found(&app, &one).enabled && !found(&app, &two).enabled);
        let theirs = app.alias("Globex", "theirs").id.to_string();
        cy.post("/aliases/chosen", &[("id", first.as_str()), ("id", &theirs), ("do", "on")]).await.expect(404);
        assert!(!found(&app, &one).enabled, "no alias was changed");
        cy.post("/aliases/chosen", &act("sideways")).await.expect(400);
        cy.post("/aliases/chosen", &act("on")).await.expect(303);
        assert!(found(&app, &one).enabled && found(&app, &two).enabled);
    }

    async fn counters_and_the_question_before_deleting_are_correct(app: TestApp) {
        let (alias, cy) = (app.alias("Acme", "hello"), app.as_(Cy).await);
        for id in ["one", "two"] {
            app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter_with_file(id));
        }
        let list = cy.get("/aliases").await.expect(200).page();
        assert_eq!(list.text("tbody td.num"), "2");
        assert!(list.has("tbody .row-time time"));
        let question = cy.get(&path(&alias, "/delete")).await.expect(200).page().whole_text();
        assert!(question.contains("2 messages are kept.") && question.contains("the address can never be reused"), "{question}");
        let part = cy.fragment(&path(&alias, "/delete")).await.expect(200);
        assert!(!part.body.contains("<html"));
        let gone = cy.post_and_follow(&path(&alias, "/delete"), &[]).await.expect(200).page();
        assert!(gone.whole_text().contains("can never be reused") && gone.whole_text().contains("No aliases yet"));
        cy.get(&path(&alias, "")).await.expect(404);
        assert_eq!(app.database.number("SELECT count(*) AS n FROM messages"), 2);
        cy.post("/aliases", &[("localPart", "hello")]).await.expect(409);
    }

    async fn a_note_is_changed_and_an_invalid_one_is_shown_again(app: TestApp) {
        let (alias, cy) = (app.alias("Acme", "hello"), app.as_(Cy).await);
        let note = path(&alias, "/note");
        cy.post(&note, &[("note", " the shop ")]).await.expect(303);
        assert_eq!(found(&app, &alias).note.as_deref(), Some("the shop"));
        let refused = cy.post(&note, &[("note", "a\u{7}b")]).await.expect(422).page();
        assert!(refused.text("#note-error").contains("invisible"));
        assert_eq!(found(&app, &alias).note.as_deref(), Some("the shop"));
        assert_eq!(cy.get("/aliases").await.page().text("th .cell-sub"), "the shop");
        cy.post(&note, &[("note", "")]).await.expect(303);
        assert_eq!(found(&app, &alias).note, None);
    }

    async fn another_teams_alias_does_not_exist(app: TestApp) {
        let (alias, globex) = (app.alias("Acme", "hello"), app.team("Globex").id);
        let reads = ["", "/delete"].map(|what| path(&alias, what));
        let writes: [(String, &[(&str, &str)]); 3] = [
            (path(&alias, "/note"), &[("note", "a\u{7}b")]),
            (path(&alias, "/switch"), &[("state", "off")]),
            (path(&alias, "/delete"), &[]),
        ];
        assert_only_its_team_finds(&app, &reads, &writes).await;
        assert!(found(&app, &alias).enabled && found(&app, &alias).note.is_none());
        let other = format!("/aliases?team={globex}");
        app.as_(Cy).await.post(&other, &[("localPart", "x")]).await.expect(409);
    }

    async fn an_alias_on_an_unverified_domain_explains_why_no_mail_arrives(app: TestApp) {
        let (team, ada) = (app.team("Acme").id, app.as_(Ada).await);
        ada.post("/domains", &[("name", "acme.example")]).await.expect(303);
        let alias = app.alias_on("Acme", "hello", Some("acme.example"));
        let text = ada.get(&path(&alias, "")).await.expect(200).page().whole_text();
        assert!(text.contains("its domain is not verified"), "{text}");
        let id = app.operate(|tx, _| mail_domains::list(tx, team))[0].id;
        app.operate(|tx, actor| mail_domains::set_catch_all(tx, actor, team, id, Some(alias.id)));
        let question = ada.get(&path(&alias, "/delete")).await.expect(200).page().whole_text();
        assert!(question.contains("It's the catch-all of acme.example"), "{question}");
        let choices = ada.get("/aliases/new").await.page().texts("#create select option");
        assert_eq!(choices, ["@gatepost.localhost"], "only domains that receive mail");
    }
}
