//! Messages: listing, opening, marking and deleting them.

use std::time::Duration;

use gatepost::domain::Error;
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::authentication::{Policy, Verdict};
use gatepost::domain::mailroom::downloads::{self, Pieces};
use gatepost::domain::mailroom::messages::{self, Filter, MessageId, MessageState};
use gatepost::domain::people::teams::TeamId;
use gatepost::store::Tx;

use super::receiving::dmarc;
use super::steps::{letter, stored};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn ids(app: &TestApp, team: TeamId, filter: &Filter) -> Vec<MessageId> {
    let page = app.operate(|tx, _| messages::list(tx, team, filter, Window::first(50)));
    page.rows.iter().map(|message| message.id).collect()
}

const ATTACHED: &str = "From: bob@a.test\nTo: Hello <hello@gatepost.localhost>, c@c.test\nSubject: Pictures\n\
    Message-ID: <1@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
    --b\nContent-Type: text/html\n\n<p>Look<script>alert(1)</script></p>\n--b\n\
    Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\
    Content-Disposition: inline\nContent-ID: <pic@x>\n\niVBORw0KGgo=\n--b\n\
    Content-Type: application/x-raw\nContent-Disposition: attachment; filename=\"b\\\\c.bin\"\n\n\
    one\ntwo message/rfc822\n--b--\n";

/// Reads all pieces of a file.
fn whole(tx: &mut Tx<'_>, open: impl FnOnce(&mut Tx<'_>) -> Result<Pieces, Error>) -> Result<Vec<u8>, Error> {
    let (mut pieces, mut whole) = (open(tx)?, Vec::new());
    while let Some(piece) = pieces.next(tx)? {
        whole.extend(piece);
    }
    assert_eq!(pieces.length, whole.len() as u64);
    Ok(whole)
}

both_engines! {
    async fn lists_can_be_filtered(app: TestApp) {
        let team = app.team("Acme").id;
        let (hello, sales) = (app.alias("Acme", "hello"), app.alias("Acme", "sales"));
        let mut kept = Vec::new();
        for number in 0..6 {
            app.clock.advance(Duration::from_secs(60));
            let to = if number % 2 == 0 { HELLO } else { "sales@gatepost.localhost" };
            let from = format!("s{}@a.test", number % 3);
            kept.push(app.keep(&from, to, &letter(&from, &format!("{number}@x"), "Hi", "Hi")).await);
        }
        let raw = letter("s0@a.test", "r@x", "Hi", "Hi");
        app.send_as("s0@a.test", HELLO, &raw, dmarc(Verdict::Fail, Policy::Reject)).await.expect("an outcome");
        let first = app.operate(|tx, _| messages::find(tx, team, kept[0]));
        app.operate(|tx, actor| messages::mark(tx, actor, team, kept[5], true));
        let none = Filter::default;
        for (what, filter, expected) in [
            ("all", none(), 7),
            ("an alias", Filter { alias: Some(hello.id), ..none() }, 4),
            ("the other", Filter { alias: Some(sales.id), ..none() }, 3),
            ("a contact", Filter { contact: first.contact_id, ..none() }, 2),
            ("a conversation", Filter { conversation: first.conversation_id, ..none() }, 1),
            ("rejected", Filter { state: Some(MessageState::Rejected), ..none() }, 1),
            ("unread", Filter { unread: true, ..none() }, 5),
            ("since", Filter { from: Some(first.received_at.plus(time::Duration::SECOND)), ..none() }, 6),
            ("until", Filter { until: Some(first.received_at.plus(time::Duration::SECOND)), ..none() }, 1),
            ("both", Filter { alias: Some(hello.id), contact: first.contact_id, ..none() }, 1),
        ] {
            assert_eq!(ids(&app, team, &filter).len(), expected, "{what}");
            assert_eq!(app.operate(|tx, _| messages::count(tx, team, &filter)).0, expected as i64, "{what}");
        }
        assert_eq!(ids(&app, team, &none())[1..], kept.iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(ids(&app, app.team("Globex").id, &Filter { alias: Some(hello.id), ..none() }), []);
    }

    async fn pages_neither_skip_nor_repeat_messages(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        for number in 0..7 {
            app.keep("b@a.test", HELLO, &letter("b@a.test", &format!("{number}@x"), "Hi", "Hi")).await;
        }
        let (mut walked, mut before) = (Vec::new(), None);
        loop {
            let page = app.operate(|tx, _| messages::list(tx, team, &Filter::default(), Window::below(before, 3)));
            walked.extend(page.rows.iter().map(|message| message.id));
            before = page.next;
            if before.is_none() { break }
        }
        assert_eq!(walked, ids(&app, team, &Filter::default()));
        assert_eq!(walked.len(), 7);
        let window = Window { before: None, offset: 5, limit: 3 };
        let page = app.operate(|tx, _| messages::list(tx, team, &Filter::default(), window));
        assert_eq!((page.rows.len(), page.next), (2, None));
    }

    async fn a_message_opens_with_its_attachments(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let id = stored(app.send_as("bob@a.test", HELLO, ATTACHED, dmarc(Verdict::Pass, Policy::None)).await);
        let opened = app.operate(|tx, _| messages::open(tx, team, id));
        assert_eq!(opened.text.trim(), "Look");
        assert!(opened.html.as_deref().is_some_and(|html| html.contains("<script>")), "as it was sent");
        let to = &opened.to;
        assert_eq!((to.len(), to[0].name.as_deref()), (2, Some("Hello")));
        assert_eq!((opened.authentication.dmarc.result, opened.message.dmarc.as_str()), (Verdict::Pass, "pass"));
        assert_eq!(opened.alias.address(), HELLO);
        assert_eq!(opened.headers[2], ("Subject".into(), "Pictures".into()));
        let [picture, file] = &opened.attachments[..] else { panic!("{:?}", opened.attachments) };
        assert_eq!((picture.name.as_deref(), picture.inline, picture.content_id.as_deref()), (Some("a.png"), true, Some("pic@x")));
        assert_eq!(file.name.as_deref(), Some("c.bin"));
        let bytes = |of| app.operate(move |tx, _| whole(tx, |tx| Ok(downloads::attachment(tx, team, id, of)?.1)));
        assert_eq!(bytes(picture.id), b"\x89PNG\r\n\x1a\n");
        assert_eq!(bytes(file.id), b"one\r\ntwo message/rfc822");
        let raw = app.operate(|tx, _| whole(tx, |tx| downloads::raw(tx, team, id)));
        assert_eq!(raw, ATTACHED.replace('\n', "\r\n").into_bytes());
    }

    async fn an_unparsable_message_is_stored_raw(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        for (number, raw) in [&b"\0\xff\xfe\0"[..], b"", b"\r\n\r\n\0", b"Subject: a\0b\r\nFrom: \xff\0@\r\n\r\n\0"].into_iter().enumerate() {
            let to = vec![app.route(HELLO).await.expect("an alias")];
            let outcomes = app.app.deliver(Default::default(), raw.to_vec(), Default::default(), to).await;
            let id = stored(outcomes.into_iter().next().expect("an outcome"));
            assert_eq!(app.operate(|tx, _| whole(tx, |tx| downloads::raw(tx, team, id))), raw, "{number}");
            app.operate(|tx, _| messages::open(tx, team, id));
        }
    }

    async fn marking_a_message_again_keeps_the_first_time(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let id = app.keep("b@a.test", HELLO, &letter("b@a.test", "1@x", "Hi", "Hi")).await;
        let unread = |app: &TestApp| app.operate(|tx, _| messages::unread(tx, team)).0;
        assert_eq!(unread(&app), 1);
        let first = app.operate(|tx, actor| messages::mark(tx, actor, team, id, true)).read_at;
        app.clock.advance(Duration::from_secs(60));
        assert_eq!(app.operate(|tx, actor| messages::mark(tx, actor, team, id, true)).read_at, first);
        assert_eq!(unread(&app), 0);
        assert_eq!(app.operate(|tx, actor| messages::mark(tx, actor, team, id, false)).read_at, None);
        assert_eq!(unread(&app), 1);
    }

    async fn deleting_a_message_removes_all_its_data(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let id = app.keep("bob@a.test", HELLO, ATTACHED).await;
        app.operate(|tx, actor| messages::delete(tx, actor, team, id));
        for table in ["messages", "message_contents", "attachments", "conversations"] {
            assert_eq!(app.count(table), 0, "{table}");
        }
        let found = app.operate(|tx, _| messages::search(tx, team, "pictures", &Filter::default(), None, 10));
        assert!(found.rows.is_empty());
        assert_eq!(app.operate(|tx, _| messages::usage(tx, team)), messages::MailUsage::default());
        assert_eq!(app.count("activity WHERE kind = 'message.deleted'"), 1);
        let actor = app.app.operator();
        assert!(matches!(app.app.write_now(|tx| messages::delete(tx, &actor, team, id)), Err(Error::NotFound)));
        assert_eq!(app.operate(|tx, _| messages::usage(tx, team)).messages, 0, "a failed deletion must not change the usage");
        app.keep("bob@a.test", HELLO, ATTACHED).await;
    }

    async fn another_teams_message_does_not_exist(app: TestApp) {
        let (acme, actor) = (app.team("Acme").id, app.app.operator());
        app.alias("Globex", "theirs");
        let id = app.keep("bob@a.test", "theirs@gatepost.localhost", ATTACHED).await;
        let globex = app.team("Globex").id;
        let part = app.operate(|tx, _| messages::open(tx, globex, id)).attachments[0].id;
        fn not_found<T>(reply: Result<T, Error>) -> bool { matches!(reply, Err(Error::NotFound)) }
        assert!(not_found(app.app.read_now(|tx| messages::find(tx, acme, id))));
        assert!(not_found(app.app.read_now(|tx| messages::open(tx, acme, id))));
        assert!(not_found(app.app.read_now(|tx| downloads::raw(tx, acme, id))));
        assert!(not_found(app.app.read_now(|tx| downloads::attachment(tx, acme, id, part))));
        assert!(not_found(app.app.write_now(|tx| messages::mark(tx, &actor, acme, id, true))));
        assert!(not_found(app.app.write_now(|tx| messages::delete(tx, &actor, acme, id))));
        app.operate(|tx, _| downloads::attachment(tx, globex, id, part));
    }
}
