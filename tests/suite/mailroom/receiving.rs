//! Processing of incoming messages.

use gatepost::domain::mailroom::aliases;
use gatepost::domain::mailroom::authentication::{Authentication, Dmarc, Policy, Verdict};
use gatepost::domain::mailroom::receive::Outcome;
use gatepost::domain::mailroom::route::Unroutable;
use gatepost::store::columns::MessageState;

use super::steps::{letter, stored};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

pub fn dmarc(result: Verdict, policy: Policy) -> Authentication {
    let dmarc = Dmarc { result, policy: Some(policy), domain: Some("example.com".into()), detail: None };
    Authentication { dmarc, ..Authentication::default() }
}

both_engines! {
    async fn a_message_and_its_contact_are_stored(app: TestApp) {
        app.alias("Acme", "hello");
        let raw = letter("Bob <Bob@Example.com>", "1@x", "Hi", "How are you?");
        let kept = app.send("bounce@example.com", HELLO, &raw).await;
        assert!(matches!(kept, Ok(Outcome::Stored { state: MessageState::Delivered, .. })), "{kept:?}");
        for (table, count) in [("messages", 1), ("message_contents", 1), ("contacts", 1), ("conversations", 1)] {
            assert_eq!(app.count(table), count, "{table}");
        }
        assert_eq!(app.count("contacts WHERE address_key = 'bob@example.com' AND received = 1"), 1);
        assert_eq!(app.count("aliases WHERE received = 1 AND denied = 0"), 1);
    }

    async fn the_same_message_to_the_same_alias_is_stored_once(app: TestApp) {
        app.alias("Acme", "hello");
        app.alias("Acme", "sales");
        let raw = letter("bob@example.com", "1@x", "Hi", "How are you?");
        let first = stored(app.send("bob@example.com", HELLO, &raw).await);
        let traced = format!("Received: from b by c\n{raw}");
        let again = app.send("bob@example.com", HELLO, &traced).await.expect("an outcome");
        assert_eq!(again, Outcome::Duplicate { message: first });
        stored(app.send("bob@example.com", "sales@gatepost.localhost", &raw).await);
        assert_eq!((app.count("messages"), app.count("conversations")), (2, 2));
        assert_eq!(app.count("contacts WHERE received = 2"), 1);
        assert_eq!(app.count("mail_stores WHERE messages = 2"), 1);
    }

    async fn forged_mail_is_rejected_if_its_domain_asks_for_it(app: TestApp) {
        app.alias("Acme", "hello");
        let raw = letter("ceo@example.com", "1@x", "Urgent", "Pay this.");
        let fail = dmarc(Verdict::Fail, Policy::Reject);
        let rejected = app.send_as("a@b.test", HELLO, &raw, fail).await.expect("an outcome");
        assert!(matches!(&rejected, Outcome::Rejected { reason, .. } if reason.contains("example.com")), "{rejected:?}");
        assert_eq!((app.count("contacts"), app.count("conversations")), (0, 0));
        assert_eq!(app.count("messages WHERE state = 'rejected' AND dmarc = 'fail'"), 1);
        assert_eq!(app.count("aliases WHERE received = 0 AND denied = 1"), 1);
        for (number, milder) in [dmarc(Verdict::Fail, Policy::Quarantine), dmarc(Verdict::TempError, Policy::Reject)]
            .into_iter().enumerate()
        {
            let raw = letter("ceo@example.com", &format!("more{number}@x"), "Urgent", "Pay this.");
            stored(app.send_as("a@b.test", HELLO, &raw, milder).await);
        }
    }

    async fn an_alias_deleted_after_rcpt_gets_no_mail(app: TestApp) {
        let (team, alias) = (app.team("Acme").id, app.alias("Acme", "hello"));
        let recipient = app.route(HELLO).await.expect("an alias");
        app.operate(|tx, actor| aliases::delete(tx, actor, team, alias.id));
        let raw = letter("bob@example.com", "1@x", "Hi", "Hi").into_bytes();
        let outcomes =
            app.app.deliver(Default::default(), raw, Authentication::default(), vec![recipient]).await;
        assert!(matches!(outcomes[..], [Ok(Outcome::NotAccepted(Unroutable::Deleted))]), "{outcomes:?}");
        assert_eq!(app.count("messages"), 0);
    }

    async fn a_mail_loop_is_refused(app: TestApp) {
        app.alias("Acme", "hello");
        let raw = "Received: from a by b\n".repeat(51) + &letter("bob@example.com", "1@x", "Hi", "Hi");
        let refused = app.send("bob@example.com", HELLO, &raw).await.expect("an outcome");
        assert_eq!(refused, Outcome::NotAccepted(Unroutable::Loop));
        stored(app.send("bob@example.com", HELLO, raw.split_once('\n').expect("lines").1).await);
    }
}
