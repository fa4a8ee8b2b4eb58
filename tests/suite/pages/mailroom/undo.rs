//! Toasts describe the result of an action, and their Undo reverts it.

use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::aliases;
use gatepost::domain::mailroom::contacts::{self, ContactState};

use super::{alias, letter};
use crate::support::client::{Response, Visitor};
use crate::support::people::Person::Cy;
use crate::support::{TestApp, both_engines};

/// The states of Acme's contacts, by address.
fn states(app: &TestApp) -> Vec<(String, ContactState)> {
    let team = app.team("Acme").id;
    let page = app.operate(|tx, _| contacts::list(tx, team, &contacts::Filter::default(), Window::first(9)));
    let mut all: Vec<_> = page.rows.into_iter().map(|contact| (contact.address, contact.state)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

async fn subjects(visitor: &Visitor, view: &str) -> Vec<String> {
    let page = visitor.get(&format!("/inbox?view={view}")).await.expect(200).page();
    let mut all = page.texts(".mail-open > b");
    all.sort();
    all
}

fn toast(shown: &Response) -> String {
    shown.page().text("#notices .toast > div")
}

/// Presses Undo in the toast of this page.
async fn undo(visitor: &Visitor, shown: &Response, path: &str) -> Response {
    let page = shown.page();
    assert_eq!(page.texts("#notices form button"), ["Undo"]);
    let fields = page.verbatim("#notices form input[type=hidden]");
    let fields: Vec<_> = fields.iter().map(|(field, _)| (&*field["name"], &*field["value"])).collect();
    visitor.post_and_follow(path, &fields).await.expect(200)
}

both_engines! {
    async fn contacts_blocked_in_the_list_are_unblocked_with_their_mail(app: TestApp) {
        let (cy, to) = (app.as_(Cy).await, alias(&app, "hello").address());
        for (from, subject) in [("bob@a.test", "one"), ("eve@b.test", "two"), ("ann@c.test", "three")] {
            app.arrives(from, &to, &letter(from, subject));
        }
        let list = cy.get("/contacts?sort=contact").await.expect(200).page();
        let ids: Vec<_> = list.verbatim("#list tbody tr").into_iter().map(|(row, _)| row["id"].clone()).collect();
        let act = |to: &'static str, ids: &'static [usize], all: &[String]| {
            let chosen = ids.iter().map(|&at| ("id".to_owned(), all[at].clone()));
            let more = [("do".to_owned(), to.to_owned()), ("back".into(), "/contacts?sort=contact".into())];
            chosen.chain(more).collect::<Vec<_>>()
        };
        let press = async |fields: Vec<(String, String)>| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let answer = cy.post("/contacts/chosen", &fields).await.expect(303);
            assert_eq!(answer.location(), "/contacts?sort=contact", "back to the same list");
            cy.get(answer.location()).await.expect(200)
        };
        let allowed = press(act("allowed", &[1], &ids)).await;
        assert_eq!(toast(&allowed), "Allowed. Their mail is delivered.");
        let before = states(&app);
        let blocked = press(act("blocked", &[1, 2], &ids)).await;
        assert_eq!(toast(&blocked), "Blocked. Their earlier mail moved to Blocked, and new mail goes there.");
        assert_eq!((subjects(&cy, "").await, subjects(&cy, "blocked").await),
            (vec!["three".to_owned()], vec!["one".to_owned(), "two".into()]));
        let undone = undo(&cy, &blocked, "/contacts/chosen").await;
        assert_eq!(toast(&undone), "Undone.");
        assert_eq!(states(&app), before, "each has the state that it had");
        assert_eq!(subjects(&cy, "").await, ["one", "three", "two"]);
        press(act("blocked", &[0], &ids)).await;
        let unblocked = press(act("unset", &[0], &ids)).await;
        assert_eq!(toast(&unblocked), "Unblocked. Their mail is back in the inbox, and new mail is delivered.");
        let again = press(act("unset", &[0], &ids)).await;
        assert_eq!(toast(&again), "No changes to save.");
        assert!(!again.page().has("#notices form"));
    }

    async fn saving_a_contact_shows_what_changed(app: TestApp) {
        let (cy, to) = (app.as_(Cy).await, alias(&app, "hello").address());
        app.arrives("bob@a.test", &to, &letter("bob@a.test", "one"));
        let path = cy.get("/contacts").await.expect(200).page().link("bob@a.test");
        for (name, state, says) in [
            ("Bob", "unset", "Contact updated."),
            ("Bob", "unset", "No changes to save."),
            ("Bob", "blocked", "Blocked. Their earlier mail moved to Blocked, and new mail goes there."),
            ("Bob", "allowed", "Unblocked. Their mail is back in the inbox, and new mail is delivered."),
            ("Bob", "unset", "Contact updated."),
        ] {
            let shown = cy.post_and_follow(&path, &[("name", name), ("state", state)]).await.expect(200);
            assert_eq!(toast(&shown), says);
        }
        let blocked = cy.post_and_follow(&path, &[("name", "Bob"), ("state", "blocked")]).await.expect(200);
        let undone = undo(&cy, &blocked, "/contacts/chosen").await;
        assert_eq!((toast(&undone), undone.page().has("#contact-address")), ("Undone.".into(), true));
        assert_eq!(subjects(&cy, "").await, ["one"]);
    }

    async fn an_alias_turned_off_is_turned_on_again(app: TestApp) {
        let (cy, hello) = (app.as_(Cy).await, alias(&app, "hello"));
        let enabled = || app.operate(|tx, _| aliases::find(tx, hello.team_id, hello.id)).enabled;
        let page = format!("/aliases/{}", hello.id);
        let off = cy.post_and_follow(&format!("{page}/switch"), &[("state", "off")]).await.expect(200);
        assert_eq!((toast(&off), enabled()), ("Alias turned off. Mail to it is refused.".into(), false));
        let undone = undo(&cy, &off, "/aliases/chosen").await;
        assert_eq!((toast(&undone), enabled()), ("Alias turned on. It receives mail.".into(), true));
        assert!(undone.page().has("#alias-switch"), "it returns to the page of the alias");
        let row = cy.post_fragment(&format!("{page}/switch"), &[("state", "off")]).await.expect(200);
        assert!(row.body.contains("hx-swap-oob=\"beforeend:#notices\"") && row.body.contains(">Undo<"), "{}", row.body);
        let id = hello.id.to_string();
        let all = [("id", &*id), ("do", "off"), ("back", "https://elsewhere.test/")];
        let same = cy.post_and_follow("/aliases/chosen", &all).await.expect(200);
        assert_eq!(toast(&same), "No changes to save.");
    }

    async fn messages_moved_without_a_script_move_back(app: TestApp) {
        let (cy, to) = (app.as_(Cy).await, alias(&app, "hello").address());
        let id = app.arrives("bob@a.test", &to, &letter("bob@a.test", "one")).to_string();
        for (action, says) in
            [("archive", "Archived. Find it under All."), ("block", "Sender blocked. Their mail is under Blocked.")]
        {
            let done = cy.post_and_follow("/inbox/chosen", &[("id", &*id), ("do", action)]).await.expect(200);
            assert_eq!((toast(&done), subjects(&cy, "").await), (says.into(), Vec::new()));
            undo(&cy, &done, "/inbox/chosen").await;
            assert_eq!(subjects(&cy, "").await, ["one"], "{action}");
        }
    }
}
