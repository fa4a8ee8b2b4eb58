//! Folders, and actions on several messages.

use std::time::Duration;

use gatepost::domain::Error;
use gatepost::domain::lists::Window;
use gatepost::domain::mailroom::authentication::{Policy, Verdict};
use gatepost::domain::mailroom::chosen::{self, MAX_CHOSEN};
use gatepost::domain::mailroom::contacts::{self, About, ContactState};
use gatepost::domain::mailroom::messages::{self, Filter, Folder, MessageId, Tallies};
use gatepost::domain::people::teams::TeamId;
use gatepost::domain::search::Search;

use super::receiving::dmarc;
use super::steps::letter;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";
const BOB: &str = "bob@a.test";
const EVE: &str = "eve@b.test";

fn within(folder: Folder) -> Filter {
    Filter { folder: Some(folder), ..Filter::default() }
}

fn ids(app: &TestApp, team: TeamId, folder: Folder) -> Vec<MessageId> {
    let page = app.operate(|tx, _| messages::list(tx, team, &within(folder), Window::first(50)));
    page.rows.iter().map(|message| message.id).collect()
}

/// Messages of these senders, a minute apart.
async fn keep(app: &TestApp, senders: &[&str]) -> Vec<MessageId> {
    let mut kept = Vec::new();
    for from in senders {
        app.clock.advance(Duration::from_secs(60));
        let number = app.count("messages");
        kept.push(app.keep(from, HELLO, &letter(from, &format!("{number}@x"), "Hi", "Hi there")).await);
    }
    kept
}

fn block(app: &TestApp, team: TeamId, address: &str, state: ContactState) {
    let filter =
        contacts::Filter { words: contacts::words_of(&Search::parse(address).expect("words")), state: None };
    app.operate(|tx, actor| {
        let found = contacts::list(tx, team, &filter, Window::first(1))?.rows.remove(0);
        contacts::change(tx, actor, team, found.id, About { name: None, note: None, state })
    });
}

fn tallies(app: &TestApp, team: TeamId) -> (i64, i64, i64) {
    let Tallies { inbox, unread, blocked, .. } = app.operate(|tx, _| messages::tallies(tx, team));
    (inbox, unread, blocked)
}

both_engines! {
    async fn refused_mail_is_never_in_the_inbox(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let kept = keep(&app, &[BOB, EVE]).await;
        let forged = letter(BOB, "forged@x", "Hi", "Hi");
        app.send_as(BOB, HELLO, &forged, dmarc(Verdict::Fail, Policy::Reject)).await.expect("a response");
        assert_eq!(ids(&app, team, Folder::Inbox), [kept[1], kept[0]]);
        assert_eq!(ids(&app, team, Folder::Blocked).len(), 1);
        assert_eq!(tallies(&app, team), (2, 2, 1));
        app.operate(|tx, actor| messages::file(tx, actor, team, kept[0], Folder::Archive));
        assert_eq!((ids(&app, team, Folder::Inbox), ids(&app, team, Folder::Archive)), (vec![kept[1]], vec![kept[0]]));
        assert_eq!((tallies(&app, team), app.operate(|tx, _| messages::unread(tx, team)).0), ((1, 1, 1), 1));
        let actor = app.app.operator();
        let rejected = ids(&app, team, Folder::Blocked)[0];
        for (id, folder) in [(rejected, Folder::Inbox), (rejected, Folder::Archive), (kept[1], Folder::Blocked)] {
            let refused = app.app.write_now(|tx| messages::file(tx, &actor, team, id, folder));
            assert!(matches!(refused, Err(Error::Conflict(_))), "{folder}");
        }
    }

    async fn blocking_moves_earlier_mail_and_unblocking_moves_it_back(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let kept = keep(&app, &[EVE, BOB, EVE]).await;
        app.operate(|tx, actor| messages::file(tx, actor, team, kept[0], Folder::Archive));
        block(&app, team, EVE, ContactState::Blocked);
        let denied = keep(&app, &[EVE]).await;
        assert_eq!(ids(&app, team, Folder::Inbox), [kept[1]]);
        assert_eq!(ids(&app, team, Folder::Blocked), [denied[0], kept[2]]);
        assert_eq!(ids(&app, team, Folder::Archive), [kept[0]]);
        block(&app, team, EVE, ContactState::Allowed);
        assert_eq!(ids(&app, team, Folder::Inbox), [kept[2], kept[1]]);
        assert_eq!(ids(&app, team, Folder::Blocked), denied, "denied mail stays blocked");
    }

    async fn an_action_returns_the_changed_messages(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let kept = keep(&app, &[BOB, EVE, BOB]).await;
        let [first, second, third] = kept[..] else { panic!("{kept:?}") };
        assert_eq!(app.operate(|tx, actor| chosen::mark(tx, actor, team, &[first], true)), [first]);
        assert_eq!(app.operate(|tx, actor| chosen::mark(tx, actor, team, &kept, true)), [second, third]);
        assert_eq!(app.operate(|tx, actor| chosen::mark(tx, actor, team, &[second], false)), [second]);
        assert_eq!(tallies(&app, team), (3, 1, 0));
        assert_eq!(app.operate(|tx, actor| chosen::file(tx, actor, team, &[first, second], true)), [first, second]);
        assert_eq!(app.operate(|tx, actor| chosen::file(tx, actor, team, &kept, true)), [third]);
        assert_eq!(app.operate(|tx, actor| chosen::file(tx, actor, team, &[third, second], false)), [second, third]);
        assert_eq!(ids(&app, team, Folder::Inbox), [third, second]);
        assert_eq!(app.operate(|tx, actor| chosen::delete(tx, actor, team, &[first, second])), 2);
        assert_eq!((app.count("messages"), app.count("message_contents")), (1, 1));
        assert_eq!(app.count("activity WHERE kind = 'message.deleted'"), 2);
        assert_eq!(app.operate(|tx, _| messages::usage(tx, team)).messages, 1);
    }

    async fn senders_are_blocked_and_unblocked_again(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let kept = keep(&app, &[BOB, EVE, BOB, EVE]).await;
        block(&app, team, BOB, ContactState::Allowed);
        let blocked = app.operate(|tx, actor| chosen::block_senders(tx, actor, team, &kept[..2]));
        let states: Vec<_> = blocked.iter().map(|(_, before)| *before).collect();
        assert_eq!(states, [ContactState::Allowed, ContactState::Unset]);
        assert_eq!(tallies(&app, team), (0, 0, 4), "earlier mail of the same senders is moved too");
        assert_eq!(app.count("activity WHERE kind = 'contact.changed'"), 3);
        assert_eq!(app.operate(|tx, actor| chosen::block_senders(tx, actor, team, &kept)), []);
        assert_eq!(app.operate(|tx, actor| chosen::unblock(tx, actor, team, &blocked)), 2);
        assert_eq!(tallies(&app, team), (4, 4, 0));
        assert_eq!(app.count("contacts WHERE state = 'allowed'"), 1);
        // Works for a sender whose contact was deleted.
        let eve = blocked[1].0;
        app.operate(|tx, actor| contacts::delete(tx, actor, team, eve));
        app.operate(|tx, actor| chosen::block_senders(tx, actor, team, &kept[1..2]));
        assert_eq!(app.count("contacts WHERE state = 'blocked' AND address = 'eve@b.test'"), 1);
        assert_eq!(ids(&app, team, Folder::Blocked), [kept[1]]);
        // The sender named in forged mail didn't send it.
        let forged = letter(BOB, "forged@x", "Hi", "Hi");
        app.send_as(BOB, HELLO, &forged, dmarc(Verdict::Fail, Policy::Reject)).await.expect("a response");
        let forged = ids(&app, team, Folder::Blocked)[0];
        assert_eq!(app.operate(|tx, actor| chosen::block_senders(tx, actor, team, &[forged])), []);
    }

    async fn actions_ignore_other_teams_messages(app: TestApp) {
        let (acme, globex, actor) = (app.team("Acme").id, app.team("Globex").id, app.app.operator());
        app.alias("Acme", "hello");
        let kept = keep(&app, &[BOB]).await;
        fn not_found<T>(answer: Result<T, Error>) -> bool { matches!(answer, Err(Error::NotFound)) }
        assert!(not_found(app.app.write_now(|tx| chosen::mark(tx, &actor, globex, &kept, true))));
        assert!(not_found(app.app.write_now(|tx| chosen::file(tx, &actor, globex, &kept, true))));
        assert!(not_found(app.app.write_now(|tx| chosen::block_senders(tx, &actor, globex, &kept))));
        assert!(not_found(app.app.write_now(|tx| chosen::delete(tx, &actor, globex, &kept))));
        assert!(not_found(app.app.write_now(|tx| messages::file(tx, &actor, globex, kept[0], Folder::Archive))));
        let blocked = app.operate(|tx, actor| chosen::block_senders(tx, actor, acme, &kept));
        assert!(not_found(app.app.write_now(|tx| chosen::unblock(tx, &actor, globex, &blocked))));
        assert_eq!((tallies(&app, acme), tallies(&app, globex)), ((0, 0, 1), (0, 0, 0)));
        let many = vec![kept[0]; MAX_CHOSEN + 1];
        let refused = app.app.write_now(|tx| chosen::mark(tx, &actor, acme, &many, true));
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }

    async fn neighbors_follow_the_list_and_its_filter(app: TestApp) {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        let kept = keep(&app, &[BOB, EVE, BOB, EVE]).await;
        app.operate(|tx, actor| messages::file(tx, actor, team, kept[1], Folder::Archive));
        let beside = |words: &str, filter: &Filter, at: usize| {
            let words = Search::parse(words).expect("words");
            let found = app.operate(|tx, _| messages::neighbors(tx, team, &words, filter, kept[at]));
            (found.newer, found.older)
        };
        let all = Filter::default();
        assert_eq!(beside("", &all, 1), (Some(kept[2]), Some(kept[0])));
        assert_eq!(beside("", &within(Folder::Inbox), 2), (Some(kept[3]), Some(kept[0])));
        assert_eq!(beside("", &within(Folder::Inbox), 3), (None, Some(kept[2])));
        assert_eq!(beside("", &within(Folder::Inbox), 1), (Some(kept[2]), Some(kept[0])), "the message need not be in the list");
        assert_eq!(beside("bob", &all, 2), (None, Some(kept[0])));
        assert_eq!(beside("there", &within(Folder::Inbox), 0), (Some(kept[2]), None));
        let globex = app.team("Globex").id;
        let none = Search::parse("").expect("no words");
        let theirs = app.operate(|tx, _| messages::neighbors(tx, globex, &none, &all, kept[1]));
        assert_eq!((theirs.newer, theirs.older), (None, None));
    }
}
