//! Detection of duplicate messages.

use gatepost::domain::mailroom::authentication::{Authentication, Policy, Verdict};
use gatepost::domain::mailroom::contacts::{self, About, ContactState};
use gatepost::domain::mailroom::receive::Outcome;
use gatepost::store::columns::MessageState;

use super::receiving::dmarc;
use super::steps::{letter, stored};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn states(app: &TestApp) -> Vec<String> {
    app.database.texts("SELECT state AS t FROM messages ORDER BY seq")
}

fn set(app: &TestApp, state: ContactState) {
    let team = app.team("Acme").id;
    let id = app.database.texts(&format!("SELECT {} AS t FROM contacts", app.database.hex("id")));
    let id = contacts::ContactId::parse(&format!("con_{}", id[0])).expect("an id");
    app.operate(|tx, actor| contacts::change(tx, actor, team, id, About { name: None, note: None, state }));
}

both_engines! {
    async fn a_rejected_forgery_does_not_block_the_genuine_message(app: TestApp) {
        app.alias("Acme", "hello");
        for id in ["Message-ID: <1@x>\n", ""] {
            let raw = letter("bank@example.com", "1@x", "Hi", id).replace("Message-ID: <1@x>\n", id);
            let forged = || app.send_as("a@b.test", HELLO, &raw, dmarc(Verdict::Fail, Policy::Reject));
            let Ok(Outcome::Rejected { message, reason }) = forged().await else { panic!("the forgery was accepted") };
            let again = forged().await.expect("an outcome");
            assert_eq!(again, Outcome::Rejected { message, reason }, "rejected again, and stored once");
            let genuine = || app.send_as("a@b.test", HELLO, &raw, dmarc(Verdict::Pass, Policy::Reject));
            let first = stored(genuine().await);
            assert_eq!(genuine().await.expect("an outcome"), Outcome::Duplicate { message: first });
        }
        assert_eq!(states(&app), ["rejected", "delivered", "rejected", "delivered"]);
    }

    async fn mail_of_an_unblocked_contact_can_be_sent_again(app: TestApp) {
        app.alias("Acme", "hello");
        app.keep("bob@example.com", HELLO, &letter("bob@example.com", "1@x", "Hi", "Hi")).await;
        set(&app, ContactState::Blocked);
        let raw = letter("bob@example.com", "2@x", "Hi", "Hi again");
        let denied = stored(app.send("bob@example.com", HELLO, &raw).await);
        let again = app.send("bob@example.com", HELLO, &raw).await.expect("an outcome");
        assert_eq!(again, Outcome::Duplicate { message: denied });
        set(&app, ContactState::Allowed);
        let delivered = app.send("bob@example.com", HELLO, &raw).await;
        assert!(matches!(delivered, Ok(Outcome::Stored { state: MessageState::Delivered, .. })), "{delivered:?}");
        assert_eq!(states(&app), ["delivered", "denied", "delivered"]);
    }

    async fn equal_messages_from_different_senders_are_both_stored(app: TestApp) {
        app.alias("Acme", "hello");
        let original = letter("bob@example.com", "1@x", "Invoice", "Pay to 1234.");
        for other in [
            original.replace("From: bob@example.com", "From: Bob <eve@example.net>"),
            original.replace("Subject: Invoice", "Subject: Old invoice"),
            original.replace("Message-ID", "Reply-To: eve@example.net\nMessage-ID"),
            original.clone(),
        ] {
            stored(app.send_as("a@b.test", HELLO, &other, Authentication::default()).await);
        }
        assert_eq!(app.count("messages"), 4);
        let again = app.send("bob@example.com", HELLO, &original).await.expect("an outcome");
        assert!(matches!(again, Outcome::Duplicate { .. }));
    }
}
