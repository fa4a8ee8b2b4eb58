//! The mail quota of a team.

use gatepost::app::App;
use gatepost::domain::mailroom::authentication::{Policy, Verdict};
use gatepost::domain::mailroom::contacts::{self, About, ContactState};
use gatepost::domain::mailroom::messages;
use gatepost::domain::mailroom::quota;
use gatepost::domain::mailroom::receive::Outcome;
use gatepost::domain::mailroom::route::Unroutable;

use super::receiving::dmarc;
use super::steps::{letter, stored};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";
const SETTING: [(&str, &str); 1] = [("GATEPOST_MAIL_QUOTA", "2KiB")];

/// Sends from an allowed contact with DMARC, who can use the whole quota.
async fn send(app: &TestApp, raw: &str) -> Outcome {
    app.send_as("b@a.test", HELLO, raw, dmarc(Verdict::Pass, Policy::None)).await.expect("an outcome")
}

fn allow(app: &TestApp, address: &str) {
    let team = app.team("Acme").id;
    let address = contacts::parse_address(address).expect("an address");
    let about = About { name: None, note: None, state: ContactState::Allowed };
    app.operate(|tx, actor| contacts::create(tx, actor, team, &address, about));
}

#[tokio::test]
async fn mail_to_a_full_team_is_deferred() {
    for app in [TestApp::with_settings(&SETTING).await, TestApp::postgres_with_settings(&SETTING).await] {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        app.alias("Globex", "theirs");
        allow(&app, "b@a.test");
        let body = |size| "x".repeat(size);
        let early = app.route(HELLO).await.expect("room");
        let first = stored(Ok(send(&app, &letter("b@a.test", "1@x", "Hi", &body(1500))).await));
        let too_much = send(&app, &letter("b@a.test", "2@x", "Hi", &body(1500))).await;
        assert_eq!(too_much, Outcome::NotAccepted(Unroutable::Full));
        assert_eq!(app.operate(|tx, _| messages::usage(tx, team)).messages, 1);
        stored(Ok(send(&app, &letter("b@a.test", "3@x", "Hi", &body(100))).await));
        let fill = letter("b@a.test", "4@x", "Hi", "");
        let left = 2048 - app.operate(|tx, _| messages::usage(tx, team)).bytes as usize;
        let fill = letter("b@a.test", "4@x", "Hi", &body(left - fill.len() - fill.lines().count()));
        stored(Ok(send(&app, &fill).await));
        assert_eq!(app.operate(|tx, _| messages::usage(tx, team)).bytes, 2048);
        assert_eq!(app.route(HELLO).await, Err(Unroutable::Full));
        let full = app.operate(|tx, _| quota::full_teams(tx, app.app.mail_settings(), 10));
        assert_eq!(
            full.iter().map(|team| (team.name.as_str(), team.bytes)).collect::<Vec<_>>(),
            [("Acme", 2048)]
        );
        assert!(app.route("theirs@gatepost.localhost").await.is_ok());
        let raw = letter("b@a.test", "5@x", "Hi", "").into_bytes();
        let late = app.app.deliver(Default::default(), raw, Default::default(), vec![early]).await;
        assert!(matches!(late[..], [Ok(Outcome::NotAccepted(Unroutable::Full))]), "{late:?}");
        app.operate(|tx, actor| messages::delete(tx, actor, team, first));
        assert!(app.route(HELLO).await.is_ok());
        assert!(app.operate(|tx, _| quota::full_teams(tx, app.app.mail_settings(), 10)).is_empty());
    }
}

/// The last tenth of a quota is reserved for allowed contacts.
#[tokio::test]
async fn strangers_cannot_fill_a_quota() {
    let setting = [("GATEPOST_MAIL_QUOTA", "20000")];
    for app in [TestApp::with_settings(&setting).await, TestApp::postgres_with_settings(&setting).await] {
        let team = app.team("Acme").id;
        app.alias("Acme", "hello");
        allow(&app, "b@a.test");
        let kept = || app.operate(|tx, _| messages::usage(tx, team)).bytes;
        let mut numbers = 0..;
        let mut from = |from: &str| {
            let number = numbers.next().expect("a number");
            letter(from, &format!("{number}@x"), "Hi", &"x".repeat(900))
        };
        let full = Outcome::NotAccepted(Unroutable::Full);
        while app.send("s@b.test", HELLO, &from("s@b.test")).await.expect("an outcome") != full {}
        assert!((16_900..=18_000).contains(&kept()), "{}", kept());
        let before = kept();
        // Without DMARC, anyone can use the address of an allowed contact.
        assert_eq!(app.send("b@a.test", HELLO, &from("b@a.test")).await.expect("an outcome"), full);
        assert_eq!(kept(), before);
        stored(Ok(send(&app, &from("b@a.test")).await));
        while send(&app, &from("b@a.test")).await != full {}
        assert!(kept() > 18_900 && kept() <= 20_000, "{}", kept());
    }
}

both_engines! {
    async fn two_instances_store_the_same_message_once(app: TestApp) {
        app.alias("Acme", "hello");
        let other = App::open(app.app.config().clone(), app.clock.clone(), app.app.entropy()).expect("another");
        for round in 0..20 {
            let raw = letter("b@a.test", &format!("{round}@x"), "Hi", "Hi").into_bytes();
            let to = vec![app.route(HELLO).await.expect("an alias")];
            let (one, two) = tokio::join!(
                app.app.deliver(Default::default(), raw.clone(), Default::default(), to.clone()),
                other.deliver(Default::default(), raw, Default::default(), to),
            );
            let mut outcomes = [one, two].map(|mut it| it.remove(0).expect("an outcome"));
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
