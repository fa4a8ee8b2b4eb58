//! Concurrent deliveries, including a message that can't be stored.

use futures_util::future::join_all;
use gatepost::domain::mailroom::receive::Outcome;

use super::steps::letter;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn is_sqlite(app: &TestApp) -> bool {
    app.database.url().starts_with("sqlite")
}

/// Makes the store refuse messages with this subject.
fn poison(app: &TestApp, subject: &str) {
    if is_sqlite(app) {
        let sql = format!(
            "CREATE TRIGGER poison BEFORE INSERT ON messages WHEN NEW.subject = '{subject}'
             BEGIN SELECT RAISE(ABORT, 'poison'); END"
        );
        app.database.execute(&sql).expect("a trigger");
        return;
    }
    let function = "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'poison'; END $$";
    app.database.execute(function).expect("a function");
    let sql = format!(
        "CREATE TRIGGER poison BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.subject = '{subject}')
         EXECUTE FUNCTION poison()"
    );
    app.database.execute(&sql).expect("a trigger");
}

both_engines! {
    async fn concurrent_messages_are_stored_once_each(app: TestApp) {
        for team in ["Acme", "Globex"] {
            for number in 0..5 {
                app.alias(team, &format!("{team}{number}"));
            }
        }
        let send = |number: usize| {
            // Every tenth message is sent twice, at the same time.
            let id = if number % 10 == 9 { number - 1 } else { number };
            let to = format!("{}{}@gatepost.localhost", ["Acme", "Globex"][id % 2], id % 5);
            let from = format!("sender{}@example.com", id % 7);
            let raw = letter(&from, &format!("{id}@x"), &format!("Message {id}"), "Hello there");
            let app = &app;
            async move { app.send(&from, &to, &raw).await }
        };
        let outcomes = join_all((0..200).map(send)).await;
        let kept = outcomes.iter().filter(|it| matches!(it, Ok(Outcome::Stored { .. }))).count();
        let same = outcomes.iter().filter(|it| matches!(it, Ok(Outcome::Duplicate { .. }))).count();
        assert_eq!((kept, same), (180, 20));
        assert_eq!(app.count("messages"), 180);
        assert_eq!(app.count("message_contents"), 180);
        assert_eq!(app.database.number("SELECT CAST(SUM(received) AS BIGINT) AS n FROM aliases"), 180);
        assert_eq!(app.database.number("SELECT CAST(SUM(messages) AS BIGINT) AS n FROM mail_stores"), 180);
        assert_eq!(app.count("contacts"), 14);
    }

    async fn a_message_that_cannot_be_stored_fails_alone(app: TestApp) {
        app.alias("Acme", "hello");
        poison(&app, "Poison");
        let send = |number: usize| {
            let subject = if number == 17 { "Poison" } else { "Food" };
            let raw = letter("bob@example.com", &format!("{number}@x"), subject, "Hello there");
            let app = &app;
            async move { app.send("bob@example.com", HELLO, &raw).await }
        };
        let outcomes = join_all((0..40).map(send)).await;
        for (number, outcome) in outcomes.iter().enumerate() {
            assert_eq!(outcome.is_err(), number == 17, "{number}: {outcome:?}");
        }
        assert_eq!(app.count("messages"), 39);
        assert_eq!(app.count("contacts WHERE received = 39"), 1);
    }

    async fn a_message_is_stored_for_each_recipient(app: TestApp) {
        let names = ["Acme", "Globex"];
        for name in names {
            app.alias(name, name);
        }
        let mut to = Vec::new();
        for name in names {
            to.push(app.route(&format!("{name}@gatepost.localhost")).await.expect("an alias"));
        }
        let raw = letter("bob@example.com", "1@x", "To both", "Hello").into_bytes();
        let outcomes = app.app.deliver(Default::default(), raw, Default::default(), to).await;
        assert!(outcomes.iter().all(|it| matches!(it, Ok(Outcome::Stored { .. }))), "{outcomes:?}");
        assert_eq!(app.count("messages"), 2);
    }
}
