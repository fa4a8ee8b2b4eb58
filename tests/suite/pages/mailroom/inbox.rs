//! The inbox: what it shows, and how it stays true.

use std::time::Duration;

use super::{alias, letter};
use crate::support::client::Visitor;
use crate::support::html::Page;
use crate::support::people::Person::{Ada, Cy, Dan};
use crate::support::{TestApp, both_engines};

const BOB: &str = "bob@customer.test";
const CAT: &str = "cat@customer.test";
const SUBJECTS: &str = ".message-subject";

async fn open(visitor: &Visitor, query: &str) -> Page {
    visitor.get(&format!("/inbox{query}")).await.expect(200).page()
}

/// The URL for polling updates.
fn updates(page: &Page) -> String {
    page.attribute("#messages [data-poll]", "hx-get").expect("an address")
}

both_engines! {
    async fn messages_come_newest_first_in_pages(app: TestApp) {
        let to = alias(&app, "hello").address();
        for number in 1..=53 {
            app.clock.advance(Duration::from_secs(1));
            app.arrives(BOB, &to, &letter("Bob <bob@customer.test>", &format!("letter-{number:02}")));
        }
        let cy = app.as_(Cy).await;
        let page = open(&cy, "").await;
        let seen = page.texts(SUBJECTS);
        assert_eq!((seen.len(), seen[0].as_str()), (50, "letter-53"));
        assert_eq!(page.texts(".message-from")[0], "Bob Unread");
        assert_eq!(page.texts(".message-preview")[0], "Text of letter-53.");
        assert!(page.texts(".message-facts")[0].ends_with(&format!("to {to}")));
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

    async fn each_filter_narrows(app: TestApp) {
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
        let (shop, bob) = (option("alias", &shop.address()), option("contact", BOB));
        let oldest = page.attribute(".message:last-child a", "href").expect("a link");
        ada.get(&oldest).await.expect(200);
        for (query, expected) in [
            ("?alias=&contact=&state=&q=".to_owned(), &["three lost", "two", "one"][..]),
            (format!("?alias={shop}"), &["three lost", "two"]),
            (format!("?contact={bob}"), &["three lost", "one"]),
            (format!("?alias={shop}&contact={bob}"), &["three lost"]),
            ("?state=delivered".into(), &["three lost", "two", "one"]),
            ("?state=denied".into(), &[]),
            ("?unread=yes".into(), &["three lost", "two"]),
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
        for query in ["?alias=x", "?contact=alias_1", "?state=eaten", "?before=1"] {
            ada.get(&format!("/inbox{query}")).await.expect(404);
        }
    }

    async fn undelivered_messages_show_the_reason(app: TestApp) {
        use gatepost::domain::mailroom::contacts::{self, About, ContactState};
        let to = alias(&app, "hello").address();
        let team = app.team("Acme").id;
        let about = About::parse("", "", ContactState::Blocked).expect("a state");
        let address = contacts::parse_address(BOB).expect("an address");
        app.operate(|tx, actor| contacts::create(tx, actor, team, &address, about));
        app.arrives(BOB, &to, &letter(BOB, "unwanted"));
        let ada = app.as_(Ada).await;
        let page = open(&ada, "?state=denied").await;
        assert!(page.text(".message-facts").contains("Blocked"), "{}", page.text(".message-facts"));
        assert!(page.text(".message-facts").contains("blocked"), "{}", page.text(".message-facts"));
        assert!(!page.has(".message-unread") && page.texts(".nav-count") == ["", ""]);
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
        // Read elsewhere: the list itself changes.
        let link = open(&app.as_(Cy).await, "").await.attribute(".message:first-child a", "href");
        app.as_(Cy).await.get(&link.expect("a link")).await.expect(200);
        let replaced = ada.fragment(&poll).await.expect(200);
        assert_eq!(replaced.header("hx-retarget"), "#messages");
        assert_eq!(replaced.page().texts(SUBJECTS), ["second", "first"]);
        assert_eq!(replaced.page().text("[hx-swap-oob='innerHTML:.nav-count']"), "1 unread");
        // Without htmx, and for a page of another team, there is nothing to tell.
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

    async fn an_empty_inbox_says_how_to_send_the_first_message(app: TestApp) {
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
        // Another team finds that address taken, and gets one all the same.
        let dan = app.as_(Dan).await;
        let page = dan.post_and_follow("/inbox/alias", &[]).await.expect(200).page();
        assert!(page.text("#by-swaks").contains("@gatepost.localhost"));
        assert!(!page.text("#by-swaks").contains(to));
        assert_eq!(dan.get("/").await.expect(303).location(), "/inbox");
    }
}

#[tokio::test]
async fn htmx_swaps_the_list_and_shows_a_tidy_address() {
    let app = TestApp::sqlite().await;
    let to = alias(&app, "hello").address();
    app.arrives(BOB, &to, &letter(BOB, "first"));
    let ada = app.as_(Ada).await;
    let part = ada.fragment("/inbox?q=fir&alias=&state=").await.expect(200);
    assert_eq!(part.header("hx-replace-url"), "/inbox?q=fir");
    assert_eq!(part.page().texts(SUBJECTS), ["first"]);
    assert_eq!(part.page().text("[hx-swap-oob='innerHTML:#summary']"), "1 message");
    assert!(!part.page().has("form"), "what is being typed is not replaced");
}
