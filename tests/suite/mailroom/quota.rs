//! How much a team may keep, and instances that share a store.

use gatepost::app::App;
use gatepost::domain::mailroom::messages;
use gatepost::domain::mailroom::receive::{Outcome, Unroutable};

use super::steps::letter;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";
const SETTING: [(&str, &str); 1] = [("GATEPOST_MAIL_QUOTA", "2KiB")];

#[tokio::test]
async fn a_full_team_is_asked_to_wait() {
    for app in [TestApp::with_settings(&SETTING).await, TestApp::postgres_with_settings(&SETTING).await] {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        app.alias("Globex", "theirs");
        let body = |size| "x".repeat(size);
        let early = app.route(HELLO).await.expect("room");
        let first = app.keep("b@a.test", HELLO, &letter("b@a.test", "1@x", "Hi", &body(1500))).await;
        let too_much = app.send("b@a.test", HELLO, &letter("b@a.test", "2@x", "Hi", &body(1500))).await;
        assert_eq!(too_much.expect("an answer"), Outcome::Refused(Unroutable::Full));
        assert_eq!(app.operate(|tx, _| messages::kept(tx, team)).messages, 1);
        app.keep("b@a.test", HELLO, &letter("b@a.test", "3@x", "Hi", &body(100))).await;
        let fill = letter("b@a.test", "4@x", "Hi", "");
        let left = 2048 - app.operate(|tx, _| messages::kept(tx, team)).bytes as usize;
        let fill = letter("b@a.test", "4@x", "Hi", &body(left - fill.len() - fill.lines().count()));
        app.keep("b@a.test", HELLO, &fill).await;
        assert_eq!(app.operate(|tx, _| messages::kept(tx, team)).bytes, 2048);
        assert_eq!(app.route(HELLO).await, Err(Unroutable::Full));
        assert!(app.route("theirs@gatepost.localhost").await.is_ok());
        let raw = letter("b@a.test", "5@x", "Hi", "").into_bytes();
        let late = app.app.deliver(Default::default(), raw, Default::default(), vec![early]).await;
        assert!(matches!(late[..], [Ok(Outcome::Refused(Unroutable::Full))]), "{late:?}");
        app.operate(|tx, by| messages::delete(tx, by, team, first));
        assert!(app.route(HELLO).await.is_ok());
    }
}

both_engines! {
    async fn two_instances_keep_the_same_message_once(app: TestApp) {
        app.alias("Acme", "hello");
        let other = App::open(app.app.config().clone(), app.clock.clone(), app.app.entropy()).expect("another");
        for round in 0..20 {
            let raw = letter("b@a.test", &format!("{round}@x"), "Hi", "Hi").into_bytes();
            let to = vec![app.route(HELLO).await.expect("an alias")];
            let (one, two) = tokio::join!(
                app.app.deliver(Default::default(), raw.clone(), Default::default(), to.clone()),
                other.deliver(Default::default(), raw, Default::default(), to),
            );
            let mut outcomes = [one, two].map(|mut it| it.remove(0).expect("an answer"));
            outcomes.sort_by_key(|it| matches!(it, Outcome::Duplicate { .. }));
            let [Outcome::Stored { message: kept, .. }, Outcome::Duplicate { message: same }] = outcomes else {
                panic!("{outcomes:?}")
            };
            assert_eq!(kept, same);
        }
        assert_eq!(app.count("messages"), 20);
        assert_eq!(app.count("contacts WHERE received = 20"), 1);
        assert_eq!(app.count("mail_stores WHERE messages = 20"), 1);
        assert_eq!(app.count("conversations"), 20);
    }
}
