//! The inbox: its contents and live updates.

use std::time::Duration;

use super::{alias, letter};
use crate::support::client::Visitor;
use crate::support::html::Page;
use crate::support::people::Person::{Ada, Cy, Dan};
use crate::support::{TestApp, both_engines};

const BOB: &str = "bob@customer.test";
const CAT: &str = "cat@customer.test";
const SUBJECTS: &str = ".mail-open > b";

async fn open(visitor: &Visitor, query: &str) -> Page {
    visitor.get(&format!("/inbox{query}")).await.expect(200).page()
}

/// Returns the URL for polling updates.
fn updates(page: &Page) -> String {
    page.attribute("#messages [data-poll]", "hx-get").expect("an address")
}

both_engines! {
    async fn messages_are_listed_newest_first_in_pages(app: TestApp) {
        let to = alias(&app, "hello").address();
        for number in 1..=53 {
            app.clock.advance(Duration::from_secs(1));
            app.arrives(BOB, &to, &letter("Bob <bob@customer.test>", &format!("letter-{number:02}")));
        }
        let cy = app.as_(Cy).await;
        let page = open(&cy, "").await;
        let seen = page.texts(SUBJECTS);
        assert_eq!((seen.len(), seen[0].as_str()), (50, "letter-53"));
        assert_eq!((&*page.texts(".mail-from")[0], &*page.texts(".mail-mark")[0]), ("Bob", "Unread"));
        assert_eq!(page.texts(".mail-line")[0], "letter-53 — Text of letter-53.");
        assert_eq!(page.texts(".mail-tags")[0], "hello");
        assert_eq!(page.text("#tally-inbox"), "53");
        assert_eq!(page.texts(".nav-count"), ["53 unread", "53 unread"]);
        let older = page.link("Older");
        assert!(older.starts_with("/inbox?before=msg_"), "{older}");
        app.clock.advance(Duration::from_secs(1));
        app.arrives(BOB, &to, &letter(BOB, "meanwhile"));
        let page = cy.get(&older).await.expect(200).page();
        assert_eq!(page.texts(SUBJECTS), ["letter-03", "letter-02", "letter-01"]);
        assert_eq!(page.link("Newest"), "/inbox");
        assert!(!page.has("a[rel=next]"));
    }

    async fn each_filter_narrows_the_list(app: TestApp) {
        let (hello, shop) = (alias(&app, "hello"), alias(&app, "shop"));
        for (from, to, subject) in [(BOB, &hello, "one"), (CAT, &shop, "two"), (BOB, &shop, "three lost")] {
            app.clock.advance(Duration::from_secs(1));
            app.arrives(from, &to.address(), &letter(from, subject));
        }
        let ada = app.as_(Ada).await;
        let page = open(&ada, "").await;
        let option = |menu: &str, text: &str| {
            let options = format!("#{menu} option");
            let at = page.texts(&options).iter().position(|each| each == text).expect(text);
            page.attribute(&format!("{options}:nth-of-type({})", at + 1), "value").expect("a value")
        };
        let shop = option("alias", &shop.address());
        let oldest = page.attribute(".mail-row:last-child a", "href").expect("a link");
        let opened = ada.get(&oldest).await.expect(200).page();
        let bob = opened.attribute(".letter-who a", "href").expect("a contact").replace("/contacts/", "");
        for (query, expected) in [
            ("?view=&alias=&contact=&q=".to_owned(), &["three lost", "two", "one"][..]),
            (format!("?alias={shop}"), &["three lost", "two"]),
            (format!("?contact={bob}"), &["three lost", "one"]),
            (format!("?alias={shop}&contact={bob}"), &["three lost"]),
            ("?view=all".into(), &["three lost", "two", "one"]),
            ("?view=blocked".into(), &[]),
            ("?view=unread".into(), &["three lost", "two"]),
            (format!("?view=unread&contact={bob}"), &["three lost"]),
            ("?q=los".into(), &["three lost"]),
            ("?q=text+tw".into(), &["two"]),
            (format!("?q=text&alias={shop}"), &["three lost", "two"]),
            ("?q=nothing".into(), &[]),
        ] {
            let page = open(&ada, &query).await;
            assert_eq!(page.texts(SUBJECTS), expected, "{query}");
            assert_eq!(page.has(".empty"), expected.is_empty(), "{query}");
        }
        assert_eq!(open(&ada, "?q=los%20%22").await.form("/inbox").fields["q"], "los \"");
        for query in ["?alias=x", "?contact=alias_1", "?view=eaten", "?before=1"] {
            ada.get(&format!("/inbox{query}")).await.expect(404);
        }
    }

    async fn blocked_mail_has_its_own_tab_and_shows_the_reason(app: TestApp) {
        use gatepost::domain::mailroom::contacts::{self, About, ContactState};
        let to = alias(&app, "hello").address();
        let team = app.team("Acme").id;
        let about = About::parse("", "", ContactState::Blocked).expect("a state");
        let address = contacts::parse_address(BOB).expect("an address");
        app.operate(|tx, actor| contacts::create(tx, actor, team, &address, about));
        let id = app.arrives(BOB, &to, &letter(BOB, "unwanted"));
        let ada = app.as_(Ada).await;
        let page = open(&ada, "").await;
        assert_eq!((page.texts(SUBJECTS).len(), &*page.text("#tally-blocked")), (0, "1"));
        let page = open(&ada, "?view=blocked").await;
        assert_eq!(page.texts(SUBJECTS), ["unwanted"]);
        assert!(!page.has(".is-unread") && page.texts(".nav-count").iter().all(String::is_empty));
        assert!(open(&ada, "?view=all").await.text(".mail-tags").starts_with("Blocked"));
        let page = ada.get(&format!("/inbox/{id}?view=blocked")).await.expect(200).page();
        assert!(page.text(".letter-note").contains("is blocked"), "{}", page.text(".letter-note"));
    }

    async fn new_messages_appear_once_and_on_top(app: TestApp) {
        let to = alias(&app, "hello").address();
        app.arrives(BOB, &to, &letter(BOB, "first"));
        let ada = app.as_(Ada).await;
        let poll = updates(&open(&ada, "").await);
        let nothing = ada.fragment(&poll).await.expect(204);
        assert!(nothing.body.is_empty());
        app.clock.advance(Duration::from_secs(1));
        app.arrives(CAT, &to, &letter("Cat <cat@customer.test>", "second"));
        let update = ada.fragment(&poll).await.expect(200);
        let page = update.page();
        assert_eq!(page.texts(SUBJECTS), ["second"]);
        assert!(update.body.contains("hx-swap-oob=\"afterbegin:#rows\""), "{}", update.body);
        assert_eq!(page.text("[hx-swap-oob='innerHTML:#summary']"), "New message from Cat: second");
        assert_eq!(page.text("[hx-swap-oob='innerHTML:.nav-count']"), "2 unread");
        let poll = page.attribute("[data-poll]", "hx-get").expect("an address");
        ada.fragment(&poll).await.expect(204);
        // Marking a message as read elsewhere changes the list.
        let link = open(&app.as_(Cy).await, "").await.attribute(".mail-row:first-child a", "href");
        app.as_(Cy).await.get(&link.expect("a link")).await.expect(200);
        let replaced = ada.fragment(&poll).await.expect(200);
        assert_eq!(replaced.header("hx-retarget"), "#messages");
        assert_eq!(replaced.page().texts(SUBJECTS), ["second", "first"]);
        assert_eq!(replaced.page().text("[hx-swap-oob='innerHTML:.nav-count']"), "1 unread");
        // Without htmx, or for a page of another team, there are no updates.
        assert_eq!(ada.get(&poll).await.expect(303).location(), "/inbox");
        app.as_(Dan).await.fragment(&poll).await.expect(204);
    }

    async fn the_unread_count_stays_correct(app: TestApp) {
        let to = alias(&app, "hello").address();
        let ada = app.as_(Ada).await;
        let page = ada.get("/team").await.expect(200).page();
        assert_eq!(page.texts(".nav-count"), ["", ""]);
        let poll = page.attribute("[data-poll][hx-get^='/inbox']", "hx-get").expect("an address");
        ada.fragment(&poll).await.expect(204);
        let id = app.arrives(BOB, &to, &letter(BOB, "first"));
        let update = ada.fragment(&poll).await.expect(200).page();
        assert_eq!(update.text("[hx-swap-oob]"), "1 unread");
        let opened = ada.get(&format!("/inbox/{id}")).await.expect(200).page();
        assert_eq!(opened.texts(".nav-count"), ["", ""]);
        ada.fragment(&poll).await.expect(204);
    }

    async fn actions_on_selected_messages_can_be_undone(app: TestApp) {
        let to = alias(&app, "hello").address();
        for subject in ["one", "two", "three"] {
            app.clock.advance(Duration::from_secs(1));
            app.arrives(BOB, &to, &letter(BOB, subject));
        }
        let ada = app.as_(Ada).await;
        let form = open(&ada, "").await.form("/inbox/chosen");
        let ids = |page: &Page| -> Vec<String> {
            (1..=page.texts(SUBJECTS).len())
                .map(|at| page.attribute(&format!(".mail-row:nth-of-type({at})"), "id").expect("an id"))
                .collect()
        };
        let chosen = ids(&open(&ada, "").await);
        let act = |action: &'static str| {
            let fields = vec![("do", action), ("id", &*chosen[0]), ("id", &*chosen[1]), ("back", "/inbox?view=unread")];
            (form.action.clone(), fields)
        };
        // Without a script, redirects to the list with a notice.
        let (action, fields) = act("read");
        let response = ada.post(&action, &fields).await.expect(303);
        assert_eq!(response.location(), "/inbox?view=unread");
        assert_eq!(open(&ada, "?view=unread").await.texts(SUBJECTS), ["one"]);
        // With a script, returns the updated list and a toast that can undo the action.
        let (action, fields) = act("archive");
        let part = ada.post_fragment(&action, &fields).await.expect(200).page();
        assert_eq!(part.texts(SUBJECTS), ["one"]);
        assert!(part.text(".toast").contains("2 messages archived."), "{}", part.text(".toast"));
        assert_eq!(open(&ada, "").await.texts(SUBJECTS), ["one"]);
        assert_eq!(open(&ada, "?view=all").await.texts(".mail-tags")[0], "Archived hello");
        let undo = [("do", "inbox"), ("id", &*chosen[0]), ("id", &*chosen[1])];
        assert!(chosen[..2].iter().all(|id| part.has(&format!(".toast input[value='{id}']"))));
        ada.post_fragment(&action, &undo).await.expect(200);
        assert_eq!(open(&ada, "").await.texts(SUBJECTS).len(), 3);
        let part = ada.post_fragment(&action, &[("do", "block"), ("id", &*chosen[0])]).await.expect(200).page();
        let bob = part.attribute(".toast input[name=unset]", "value").expect("a contact");
        assert_eq!((open(&ada, "").await.texts(SUBJECTS).len(), &*part.text("[hx-swap-oob='innerHTML:#tally-blocked']")), (0, "3"));
        ada.post_fragment(&action, &[("do", "unblock"), ("unset", &bob)]).await.expect(200);
        assert_eq!(open(&ada, "").await.texts(SUBJECTS).len(), 3);
        // Deleting asks for confirmation.
        let (action, fields) = act("delete");
        let question = ada.post_fragment(&action, &fields).await.expect(200);
        assert_eq!(question.header("hx-retarget"), "#dialog");
        assert_eq!(question.page().text("h2"), "Delete 2 messages?");
        assert_eq!(open(&ada, "").await.texts(SUBJECTS).len(), 3);
        let page = ada.post(&action, &fields).await.expect(200).page();
        let sure = page.form("/inbox/chosen");
        assert_eq!((&*sure.fields["do"], page.texts("form input[name=id]").len()), ("deleted", 2));
        let (action, fields) = act("deleted");
        ada.post(&action, &fields).await.expect(303);
        assert_eq!(open(&ada, "?view=all").await.texts(SUBJECTS), ["one"]);
        ada.post(&action, &fields).await.expect(404);
        // No message is selected, or none exists.
        assert_eq!(ada.post(&action, &[("do", "archive")]).await.expect(303).location(), "/inbox");
        for wrong in [[("do", "eat"), ("id", &*chosen[2])], [("id", &*chosen[2]), ("id", &*chosen[2])]] {
            ada.post(&action, &wrong).await.expect(400);
        }
        ada.post(&action, &[("do", "archive"), ("id", "x")]).await.expect(404);
        let dan = app.as_(Dan).await;
        dan.post("/inbox/chosen", &[("do", "archive"), ("id", &*chosen[2])]).await.expect(404);
        assert_eq!(open(&ada, "").await.texts(SUBJECTS), ["one"]);
    }

    async fn a_test_message_is_delivered_like_any_other(app: TestApp) {
        let to = alias(&app, "hello").address();
        let ada = app.as_(Ada).await;
        let form = open(&ada, "").await.form("/inbox/test");
        let page = ada.post_and_follow(&form.action, &[]).await.expect(200).page();
        assert_eq!(page.texts(SUBJECTS), ["Test message"]);
        let link = page.attribute(".mail-open", "href").expect("a link");
        let page = ada.get(&link).await.expect(200).page();
        assert!(page.text(".message-text").contains(&to), "{}", page.text(".message-text"));
        assert!(page.text(".verified > summary").contains("Not verified"));
        ada.post("/inbox/test", &[]).await.expect(303);
        assert_eq!(open(&ada, "").await.texts(SUBJECTS).len(), 2, "both are different messages");
        app.as_(Dan).await.post("/inbox/test", &[]).await.expect(404);
    }

    async fn an_empty_inbox_explains_how_to_send_the_first_message(app: TestApp) {
        let cy = app.as_(Cy).await;
        let page = open(&cy, "").await;
        let form = page.form("/inbox/alias");
        let page = cy.post_and_follow(&form.action, &[]).await.expect(200).page();
        let to = "hello@gatepost.localhost";
        for id in ["#by-swaks", "#by-curl"] {
            let line = page.text(id);
            assert!(line.contains(to) && line.contains("127.0.0.1:2525"), "{line}");
        }
        let poll = updates(&page);
        cy.fragment(&poll).await.expect(204);
        app.arrives(BOB, to, &letter(BOB, "first"));
        let replaced = cy.fragment(&poll).await.expect(200);
        assert_eq!(replaced.header("hx-retarget"), "#messages");
        assert_eq!(replaced.page().texts(SUBJECTS), ["first"]);
        // The name is taken for another team, so it gets a random one.
        let dan = app.as_(Dan).await;
        let page = dan.post_and_follow("/inbox/alias", &[]).await.expect(200).page();
        assert!(page.text("#by-swaks").contains("@gatepost.localhost"));
        assert!(!page.text("#by-swaks").contains(to));
        dan.get("/").await.expect(200);
    }
}

#[tokio::test]
async fn htmx_swaps_the_list_and_pushes_a_short_url() {
    let app = TestApp::sqlite().await;
    let to = alias(&app, "hello").address();
    app.arrives(BOB, &to, &letter(BOB, "first"));
    let ada = app.as_(Ada).await;
    let part = ada.fragment("/inbox?q=fir&alias=&view=").await.expect(200);
    assert_eq!(part.header("hx-replace-url"), "/inbox?q=fir");
    assert_eq!(part.page().texts(SUBJECTS), ["first"]);
    assert_eq!(part.page().text("[hx-swap-oob='innerHTML:#summary']"), "1 message");
    assert!(!part.page().has("#q"), "the search field must not be replaced");
}

#[tokio::test]
async fn the_shortcuts_page_lists_every_key_of_the_inbox() {
    let app = TestApp::sqlite().await;
    let page = app.as_(Ada).await.get("/shortcuts").await.expect(200).page();
    let script = include_str!("../../../../static/js/inbox.js");
    let table =
        script.split("const KEYS = {").nth(1).and_then(|rest| rest.split("};").next()).expect("a table");
    let keys: Vec<_> = table
        .lines()
        .filter_map(|line| line.split(": ()").next())
        .map(|key| key.trim().trim_matches('"'))
        .collect();
    let shown = page.texts("dd kbd");
    let missing: Vec<_> =
        keys.iter().filter(|key| !key.is_empty() && !shown.iter().any(|it| it == *key)).collect();
    assert!(keys.len() > 6 && missing.is_empty(), "{missing:?} of {keys:?} in {shown:?}");
}
