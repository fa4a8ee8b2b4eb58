//! Assigning messages to conversations.

use gatepost::domain::mailroom::authentication::{Policy, Verdict};
use gatepost::domain::mailroom::conversations::{self, Conversation, ConversationId};
use gatepost::domain::mailroom::messages::{self, MessageId};
use gatepost::store::columns::ConversationState;

use super::receiving::dmarc;
use super::steps::{letter, stored};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn conversation(app: &TestApp, message: MessageId) -> Conversation {
    let team = app.team("Acme").id;
    app.operate(|tx, _| {
        let id = messages::find(tx, team, message)?.conversation_id.expect("a conversation");
        conversations::find(tx, team, id)
    })
}

fn id(app: &TestApp, message: MessageId) -> ConversationId {
    conversation(app, message).id
}

fn reply(from: &str, id: &str, headers: &str) -> String {
    format!("{headers}\n{}", letter(from, id, "Something else", "Yes."))
}

both_engines! {
    async fn a_reply_joins_its_conversation(app: TestApp) {
        app.alias("Acme", "hello");
        let first = app.keep("bob@a.test", HELLO, &letter("bob@a.test", "1@x", "Hi", "Hi")).await;
        let other = app.keep("bob@a.test", HELLO, &letter("bob@a.test", "2@x", "Other", "Hi")).await;
        assert_ne!(id(&app, first), id(&app, other));
        for (number, headers) in [
            "In-Reply-To: <1@x>",
            "References: <nobody@knows> <1@x> <unknown@y>",
            "References: <2@x> <1@x>",
            "References: <2@x>\nIn-Reply-To: <1@x>",
        ].into_iter().enumerate() {
            let raw = reply("bob@a.test", &format!("r{number}@x"), headers);
            let joined = app.keep("bob@a.test", HELLO, &raw).await;
            assert_eq!(id(&app, joined), id(&app, first), "{headers}");
        }
        assert_eq!(conversation(&app, first).messages, 5);
    }

    async fn a_stranger_joins_only_with_dmarc(app: TestApp) {
        app.alias("Acme", "hello");
        let first = app.keep("bob@a.test", HELLO, &letter("bob@a.test", "1@x", "Hi", "Hi")).await;
        let reply = |id: &str| reply("eve@evil.test", id, "In-Reply-To: <1@x>");
        let alone = app.keep("eve@evil.test", HELLO, &reply("2@x")).await;
        assert_ne!(id(&app, alone), id(&app, first));
        let failed = app.send_as("eve@evil.test", HELLO, &reply("3@x"), dmarc(Verdict::Fail, Policy::None)).await;
        assert_ne!(id(&app, stored(failed)), id(&app, first));
        let passed = app.send_as("eve@evil.test", HELLO, &reply("4@x"), dmarc(Verdict::Pass, Policy::None)).await;
        assert_eq!(id(&app, stored(passed)), id(&app, first));
        let known = app.keep("eve@evil.test", HELLO, &reply("5@x")).await;
        assert_eq!(id(&app, known), id(&app, first), "earlier participants are not strangers");
    }

    async fn replies_join_by_subject_only_for_the_same_contact(app: TestApp) {
        app.alias("Acme", "hello");
        let keep = async |from: &str, number: u8, subject: &str| {
            app.keep(from, HELLO, &letter(from, &format!("{number}@x"), subject, "Hi")).await
        };
        let first = keep("bob@a.test", 1, "Invoice 7").await;
        let same = keep("bob@a.test", 2, "Invoice 7").await;
        assert_ne!(id(&app, same), id(&app, first), "a new message with the same subject");
        let reply = keep("bob@a.test", 3, "RE: invoice  7").await;
        assert_eq!(id(&app, reply), id(&app, same));
        let stranger = keep("eve@evil.test", 4, "Re: Invoice 7").await;
        assert_ne!(id(&app, stranger), id(&app, same));
        app.clock.advance(std::time::Duration::from_secs(31 * 24 * 3600));
        let late = keep("bob@a.test", 5, "Re: Invoice 7").await;
        assert_ne!(id(&app, late), id(&app, same));
    }

    async fn only_people_reopen_a_conversation(app: TestApp) {
        app.alias("Acme", "hello");
        let team = app.team("Acme").id;
        let first = app.keep("bob@a.test", HELLO, &letter("bob@a.test", "1@x", "Hi", "Hi")).await;
        let talk = id(&app, first);
        app.operate(|tx, _| conversations::set_state(tx, team, talk, ConversationState::Resolved));
        let automatic = reply("bob@a.test", "2@x", "Auto-Submitted: auto-replied\nIn-Reply-To: <1@x>");
        app.keep("bob@a.test", HELLO, &automatic).await;
        app.keep("", HELLO, &reply("bob@a.test", "3@x", "In-Reply-To: <1@x>")).await;
        assert_eq!((conversation(&app, first).state, conversation(&app, first).messages), (ConversationState::Resolved, 3));
        app.keep("bob@a.test", HELLO, &reply("bob@a.test", "4@x", "In-Reply-To: <1@x>")).await;
        assert_eq!(conversation(&app, first).state, ConversationState::Open);
    }

    async fn a_reply_does_not_join_another_teams_conversation(app: TestApp) {
        app.alias("Acme", "hello");
        app.alias("Globex", "theirs");
        app.keep("bob@a.test", "theirs@gatepost.localhost", &letter("bob@a.test", "1@x", "Hi", "Hi")).await;
        let pass = dmarc(Verdict::Pass, Policy::None);
        let raw = reply("bob@a.test", "2@x", "In-Reply-To: <1@x>");
        let ours = stored(app.send_as("bob@a.test", HELLO, &raw, pass).await);
        assert_eq!(conversation(&app, ours).messages, 1);
    }
}
