//! The page of a message, and its isolation from the message's HTML.

use super::{alias, letter};
use crate::support::client::{Visitor, send};
use crate::support::mail::letter_with_file;
use crate::support::people::Person::{Ada, Cy, Dan};
use crate::support::{TestApp, both_engines};
use gatepost::domain::mailroom::contacts::{self, About, ContactState};
use reqwest::Method;

const BOB: &str = "bob@customer.test";

async fn unread(visitor: &Visitor) -> String {
    visitor.get("/team").await.expect(200).page().texts(".nav-count").swap_remove(0)
}

both_engines! {
    async fn a_message_page_shows_the_whole_message(app: TestApp) {
        let to = alias(&app, "hello").address();
        let id = app.arrives(BOB, "hello+shop@gatepost.localhost", &letter_with_file("1"));
        let cy = app.as_(Cy).await;
        let page = cy.get(&format!("/inbox/{id}")).await.expect(200).page();
        assert_eq!(page.text("h2"), "Where is my order?");
        assert!(page.has("iframe") && page.has(".mail-row[aria-current]"), "shows HTML by default, beside the list");
        assert_eq!(page.text(".letter-to"), "to Hello <hello@gatepost.localhost>, cy@acme.test");
        assert_eq!(page.text(".file"), "März.html Code · 25 bytes");
        let text = page.whole_text();
        for part in ["Bob", BOB, &to, "hello+shop@gatepost.localhost", "cy@acme.test", "SPF", "DKIM", "DMARC", "März.html"] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        let as_text = cy.get(&page.link("Show as text")).await.expect(200).page();
        assert_eq!((as_text.text(".message-text"), as_text.has("iframe")), ("Nothing has come.".into(), false));
        assert!(page.link(BOB).starts_with("/contacts/con_"));
        assert!(page.link(&to).starts_with("/aliases/alias_"));
        let source = cy.get(&page.link("View source")).await.expect(200).page();
        assert!(source.text("pre").contains("Message-ID: <1@customer.test>"));
        let raw = cy.get(&page.link("Download")).await.expect(200);
        assert_eq!(raw.body, letter_with_file("1").replace('\n', "\r\n"));
        assert!(raw.header("content-disposition").starts_with("attachment;"));
    }

    async fn recipients_and_copies_are_shown_with_their_names(app: TestApp) {
        let to = alias(&app, "hello").address();
        let cc = "=?utf-8?q?J=C3=B6rg?= <jorg@acme.test>,\n ines@acme.test, Team: \"<b>Bo</b>\" <bo@acme.test>;";
        let raw = format!("From: {BOB}\nTo: {to}\nCc: {cc}\nMessage-ID: <cc@customer.test>\nSubject: Copies\n\nHi");
        let id = app.arrives(BOB, &to, &raw);
        let cy = app.as_(Cy).await;
        let page = cy.get(&format!("/inbox/{id}")).await.expect(200).page();
        let shown = format!("to {to}, cc Jörg <jorg@acme.test>, ines@acme.test, <b>Bo</b> <bo@acme.test>");
        assert_eq!(page.text(".letter-to"), shown);
        // A long list is folded.
        let many: Vec<_> = (1..=90).map(|number| format!("guest{number}@acme.test")).collect();
        let raw = format!("From: {BOB}\nTo: {}\nMessage-ID: <many@customer.test>\nSubject: All\n\nHi", many.join(",\n "));
        let id = app.arrives(BOB, &to, &raw);
        let page = cy.get(&format!("/inbox/{id}")).await.expect(200).page();
        assert_eq!(page.text(".letter-to summary"), "and 85 more");
        assert!(page.text(".letter-to").starts_with("to guest1@acme.test, guest2@acme.test"));
        assert!(page.text(".letter-to details").ends_with("guest90@acme.test"));
        // A blind copy names the alias in neither field.
        let raw = format!("From: {BOB}\nCc: ines@acme.test\nMessage-ID: <bcc@customer.test>\nSubject: Copy\n\nHi");
        let id = app.arrives(BOB, &to, &raw);
        let page = cy.get(&format!("/inbox/{id}")).await.expect(200).page();
        assert_eq!(page.text(".letter-to"), format!("to {to}, cc ines@acme.test"));
    }

    async fn all_authors_are_shown_and_a_misleading_name_is_not(app: TestApp) {
        let to = alias(&app, "hello").address();
        let from = "Ada <ada@one.test>, =?utf-8?q?J=C3=B6rg?= <jorg@two.test>";
        let raw = format!("From: {from}\nSender: ada@one.test\nMessage-ID: <two@one.test>\nSubject: Both\n\nHi");
        let id = app.arrives(BOB, &to, &raw);
        let cy = app.as_(Cy).await;
        let page = cy.get(&format!("/inbox/{id}")).await.expect(200).page();
        assert_eq!(page.texts(".letter-to"), ["with Jörg <jorg@two.test>".to_owned(), format!("to {to}")]);
        assert!(!page.has(".letter-note"));
        let raw = format!("From: \"The Bank <ceo@bank.test>\" <{BOB}>\nMessage-ID: <bank@x>\nSubject: Pay\n\nHi");
        let id = app.arrives(BOB, &to, &raw);
        let page = cy.get(&format!("/inbox/{id}")).await.expect(200).page();
        let says = format!("The sender's name is “The Bank <ceo@bank.test>”, but the message is from {BOB}.");
        assert_eq!(page.text(".letter-note"), says);
        assert_eq!(page.text(".letter-who > p"), BOB);
    }

    async fn opening_marks_read_and_prefetching_does_not(app: TestApp) {
        let to = alias(&app, "hello").address();
        let path = format!("/inbox/{}", app.arrives(BOB, &to, &letter(BOB, "first")));
        let cy = app.as_(Cy).await;
        for (name, value) in [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch")] {
            send(cy.request(Method::GET, &path).header(name, value)).await.expect(503);
        }
        send(cy.request(Method::GET, &path).header("Sec-Fetch-Dest", "iframe")).await.expect(200);
        assert_eq!(unread(&cy).await, "1 unread");
        send(cy.request(Method::GET, &path).header("Sec-Fetch-Dest", "document")).await.expect(200);
        assert_eq!(unread(&cy).await, "");
        let id = path.replace("/inbox/", "");
        let page = cy.post_and_follow("/inbox/chosen", &[("do", "unread"), ("id", &id)]).await.expect(200).page();
        assert!(page.has(".is-unread"));
        let part = cy.fragment(&path).await.expect(200).page();
        assert_eq!((part.text("h2"), part.has(".mail-row")), ("first".into(), false), "htmx gets only the message");
        assert_eq!(unread(&cy).await, "");
        cy.post("/inbox/chosen", &[("do", "unread"), ("id", &id)]).await.expect(303);
        assert_eq!(unread(&cy).await, "1 unread");
    }

    async fn html_is_confined_to_its_frame(app: TestApp) {
        let to = alias(&app, "hello").address();
        let path = format!("/inbox/{}", app.arrives(BOB, &to, &letter_with_file("1")));
        let cy = app.as_(Cy).await;
        let response = cy.get(&path).await.expect(200);
        assert!(response.header("content-security-policy").contains("frame-src 'self'"));
        let page = response.page();
        let sandbox = page.attribute("iframe", "sandbox").expect("a sandbox");
        assert!(!sandbox.contains("scripts") && !sandbox.contains("forms"), "{sandbox}");
        let frame = cy.get(&page.attribute("iframe", "src").expect("an address")).await.expect(200);
        assert!(frame.body.contains("Nothing has <b>come</b>."), "{}", frame.body);
        for bad in ["<script", "onclick", "alert", "tracker.test"] {
            assert!(!frame.body.contains(bad), "{bad} is in {}", frame.body);
        }
        let policy = frame.header("content-security-policy");
        assert!(policy.starts_with(&format!("sandbox {sandbox};")) && policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("allow-scripts"), "{policy}");
        assert!(policy.ends_with("img-src data:") && !policy.contains("script-src"), "{policy}");
        assert_eq!(frame.header("x-frame-options"), "SAMEORIGIN");
        // Remote images are loaded only on request.
        let page = cy.get(&page.link("Load images")).await.expect(200).page();
        let frame = cy.get(&page.attribute("iframe", "src").expect("an address")).await.expect(200);
        assert!(frame.body.contains("https://tracker.test/x.png") && !frame.body.contains("<script"));
        assert!(frame.header("content-security-policy").ends_with("img-src data: https: http:"));
        // A message without HTML shows no frame.
        let plain = app.arrives(BOB, &to, &letter(BOB, "plain"));
        assert!(!cy.get(&format!("/inbox/{plain}")).await.expect(200).page().has("iframe"));
        cy.get(&format!("/inbox/{plain}/html")).await.expect(404);
    }

    async fn the_sender_is_verified_in_one_line(app: TestApp) {
        use crate::mailroom::receiving::dmarc;
        use gatepost::domain::mailroom::authentication::{Policy, Verdict};
        let to = alias(&app, "hello").address();
        let cy = app.as_(Cy).await;
        for (verdict, says) in [(Verdict::Pass, "Verified: SPF or DKIM confirms that it's from example.com."), (Verdict::Fail, "Not verified: neither a signature (DKIM) nor"), (Verdict::None, "Not verified: example.com has no DMARC record")] {
            let raw = letter(BOB, verdict.as_str());
            app.send_as(BOB, &to, &raw, dmarc(verdict, Policy::None)).await.expect("a response");
            let list = cy.get("/inbox").await.expect(200).page();
            let page = cy.get(&list.attribute(".mail-row:first-child .mail-open", "href").expect("a link")).await.expect(200).page();
            let summary = page.text(".verified > summary");
            assert!(summary.starts_with(says), "{summary}");
            assert_eq!(page.texts(".verified dt"), ["SPF", "DKIM", "DMARC"]);
        }
    }

    async fn links_to_neighbors_keep_the_list(app: TestApp) {
        let to = alias(&app, "hello").address();
        let cy = app.as_(Cy).await;
        for subject in ["tea one", "coffee", "tea two"] {
            app.clock.advance(std::time::Duration::from_secs(1));
            app.arrives(BOB, &to, &letter(BOB, subject));
        }
        let list = cy.get("/inbox?view=all&q=tea").await.expect(200).page();
        let newest = list.attribute(".mail-row:first-child .mail-open", "href").expect("a link");
        assert!(newest.ends_with("?view=all&q=tea"), "{newest}");
        let page = cy.get(&newest).await.expect(200).page();
        assert!(!page.has("#pane-newer"));
        let page = cy.get(&page.attribute("#pane-older", "href").expect("a link")).await.expect(200).page();
        assert_eq!((page.text("h2"), page.texts(".mail-open")), ("tea one".into(), vec!["tea two".into(), "tea one".into()]));
        assert_eq!(page.attribute(".pane-back", "href").as_deref(), Some("/inbox?view=all&q=tea"));
        assert_eq!(page.attribute("#pane-newer", "href"), Some(newest));
        cy.get("/inbox/x?view=all").await.expect(404);
        cy.get(&format!("{}?color=red", page.attribute("#pane-newer", "href").expect("a link").split('?').next().expect("a path"))).await.expect(404);
    }

    async fn inline_images_are_embedded(app: TestApp) {
        let to = alias(&app, "hello").address();
        let picture = "Content-Type: image/png\nContent-ID: <logo@customer.test>\nContent-Disposition: inline\n\
                       Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n";
        let raw = format!(
            "From: {BOB}\nSubject: With a logo\nMessage-ID: <logo@customer.test>\nMIME-Version: 1.0\n\
             Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n\
             <p>Look: <img alt=\"Logo\" src=\"cid:logo@customer.test\"> <img src=\"cid:none\"></p>\n--b\n{picture}--b--\n"
        );
        let path = format!("/inbox/{}", app.arrives(BOB, &to, &raw));
        let frame = app.as_(Cy).await.get(&format!("{path}/html")).await.expect(200);
        assert!(frame.body.contains("src=\"data:image/png;base64,iVBORw0KGgo=\""), "{}", frame.body);
        assert!(!frame.body.contains("cid:"));
        assert!(frame.header("content-security-policy").ends_with("img-src data:"));
    }

    async fn a_truncated_message_is_marked(app: TestApp) {
        let (team, to) = (app.team("Acme").id, alias(&app, "hello").address());
        let bob = contacts::parse_address(BOB).expect("an address");
        let about = About { name: None, note: None, state: ContactState::Blocked };
        app.operate(|tx, actor| contacts::create(tx, actor, team, &bob, about));
        let long = |from: &str| letter(from, "long") + &"Nothing new. ".repeat(20_000);
        let (denied, whole) = (app.arrives(BOB, &to, &long(BOB)), app.arrives("b@a.test", &to, &long("b@a.test")));
        let cy = app.as_(Cy).await;
        let says = "Only the beginning is stored";
        assert!(cy.get(&format!("/inbox/{denied}")).await.expect(200).body.contains(says));
        assert!(!cy.get(&format!("/inbox/{whole}")).await.expect(200).body.contains(says));
    }

    async fn attachments_with_odd_names_can_be_downloaded(app: TestApp) {
        let to = alias(&app, "hello").address();
        let cy = app.as_(Cy).await;
        for (number, (name, header)) in [
            ("M%C3%A4rz.html", "attachment; filename=\"M_rz.html\"; filename*=UTF-8''M%C3%A4rz.html"),
            ("a%22%3Cb%3E.html", "attachment; filename=\"a__b_.html\"; filename*=UTF-8''a%22%3Cb%3E.html"),
        ].into_iter().enumerate() {
            let raw = letter_with_file(&number.to_string()).replace("M%C3%A4rz.html", name);
            let id = app.arrives(BOB, &to, &raw);
            let response = cy.get(&format!("/inbox/{id}")).await.expect(200);
            assert!(!response.body.contains("a\"<b>.html"), "names are escaped");
            let file = cy.get(&response.page().attribute(".files a", "href").expect("a link")).await.expect(200);
            assert_eq!(file.header("content-disposition"), header);
            assert_eq!(file.header("x-content-type-options"), "nosniff");
            assert!(file.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
            assert_eq!(file.body, "<script>alert(1)</script>");
        }
    }

    async fn deleting_asks_for_confirmation(app: TestApp) {
        let to = alias(&app, "hello").address();
        let path = format!("/inbox/{}", app.arrives(BOB, &to, &letter_with_file("1")));
        let cy = app.as_(Cy).await;
        let question = cy.get(&format!("{path}/delete")).await.expect(200).page();
        assert!(question.text("main").contains("can't be undone"));
        let part = cy.fragment(&format!("{path}/delete")).await.expect(200);
        assert!(part.body.trim_start().starts_with("<div class=\"dialog-content"), "{}", part.body);
        let after = cy.post_and_follow(&question.form(&format!("{path}/delete")).action, &[]).await.expect(200);
        assert!(after.page().whole_text().contains("Deleted."));
        cy.get(&path).await.expect(404);
    }

    async fn another_teams_message_does_not_exist(app: TestApp) {
        let to = alias(&app, "hello").address();
        let path = format!("/inbox/{}", app.arrives(BOB, &to, &letter_with_file("1")));
        let page = app.as_(Ada).await.get(&path).await.expect(200).page();
        let file = page.attribute(".files a", "href").expect("a link");
        let dan = app.as_(Dan).await;
        for part in ["", "/delete", "/html", "/source", "/raw"] {
            dan.get(&format!("{path}{part}")).await.expect(404);
        }
        dan.get(&file).await.expect(404);
        dan.post(&format!("{path}/delete"), &[]).await.expect(404);
        dan.fragment(&path).await.expect(404);
        assert!(dan.get("/inbox?view=all").await.expect(200).page().texts(".mail-row").is_empty());
        for wrong in ["/inbox/x", "/inbox/x/raw", &format!("{path}/attachments/x")] {
            app.as_(Ada).await.get(wrong).await.expect(404);
        }
    }
}
