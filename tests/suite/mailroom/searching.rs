//! Full-text search within a team.

use gatepost::app::jobs::{registry, run_due};
use gatepost::domain::jobs;
use gatepost::domain::mailroom::messages::{self, Filter, MessageId};

use super::steps::letter;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn find(app: &TestApp, team: &str, query: &str) -> Vec<String> {
    let team = app.team(team).id;
    let page = app.operate(|tx, _| messages::search(tx, team, query, &Filter::default(), None, 50));
    page.rows.iter().map(|message| message.subject.clone()).collect()
}

async fn fill(app: &TestApp) {
    app.alias("Acme", "hello");
    app.alias("Globex", "theirs");
    for (number, (from, to, subject, body)) in [
        ("Bob Jones <bob@a.test>", HELLO, "Invoice 4711", "Please pay until Friday."),
        ("eve@b.test", HELLO, "Grüße aus Köln", "Das Wetter ist schön; pay no attention."),
        ("eve@b.test", HELLO, "Offer", "A secret offer AND more, col:value (a OR b) 100% \"quoted\"."),
        ("bob@a.test", "theirs@gatepost.localhost", "Secret plans", "Invoice of Globex. Pay!"),
    ]
    .into_iter()
    .enumerate()
    {
        app.keep("x@y.test", to, &letter(from, &format!("{number}@x"), subject, body)).await;
    }
}

both_engines! {
    async fn a_search_finds_only_messages_of_the_team(app: TestApp) {
        fill(&app).await;
        for (query, expected) in [
            ("invoice", &["Invoice 4711"][..]),
            ("INVOICE friday", &["Invoice 4711"]),
            ("inv", &["Invoice 4711"]),
            ("inv friday", &[]),
            ("pay", &["Grüße aus Köln", "Invoice 4711"]),
            ("jones", &["Invoice 4711"]),
            ("bob@a.test", &["Invoice 4711"]),
            ("eve@b.test", &["Offer", "Grüße aus Köln"]),
            ("grüße köln", &["Grüße aus Köln"]),
            ("GRÜSSE", &["Grüße aus Köln"]),
            ("grusse koln", &["Grüße aus Köln"]),
            ("4711", &["Invoice 4711"]),
            ("globex", &[]),
            ("secret plans", &[]),
            ("nothing", &[]),
        ] {
            assert_eq!(find(&app, "Acme", query), expected, "{query}");
        }
        assert_eq!(find(&app, "Globex", "invoice"), ["Secret plans"]);
    }

    async fn stored_messages_are_reindexed_after_a_rule_change(app: TestApp) {
        fill(&app).await;
        app.database.execute("DELETE FROM message_words").expect("no words");
        app.database.execute("UPDATE instance SET word_rule = 0").expect("an old rule");
        assert_eq!(find(&app, "Acme", "invoice"), Vec::<String>::new());
        app.operate(|tx, actor| jobs::ensure_recurring(tx, actor, &registry().kinds()));
        run_due(&app.app, registry()).await.expect("jobs");
        assert_eq!(find(&app, "Acme", "invoice"), ["Invoice 4711"]);
        assert_eq!(find(&app, "Acme", "koln"), ["Grüße aus Köln"]);
        assert_eq!(find(&app, "Globex", "invoice"), ["Secret plans"]);
    }

    async fn a_prefix_finds_words(app: TestApp) {
        app.alias("Acme", "hello");
        for number in 0..40 {
            let raw = letter("bob@a.test", &format!("{number}@x"), &format!("Delta{number}"), "Numbered words.");
            app.keep("x@y.test", HELLO, &raw).await;
        }
        let named = |numbers: &mut dyn Iterator<Item = u32>| -> Vec<String> {
            numbers.map(|number| format!("Delta{number}")).collect()
        };
        for query in ["d", "de", "del", "delt", "delta", "numbered delta", "words numb"] {
            assert_eq!(find(&app, "Acme", query), named(&mut (0..40).rev()), "{query}");
        }
        for query in ["delta3", "numbered delta3"] {
            assert_eq!(find(&app, "Acme", query), named(&mut (30..40).rev().chain([3])), "{query}");
        }
        for (query, found) in [("delta39", "Delta39"), ("delta39 numb", "Delta39"), ("delta3 numb", "Delta3")] {
            assert_eq!(find(&app, "Acme", query), [found], "{query}");
        }
        for query in ["delta40", "numb delta3"] {
            assert_eq!(find(&app, "Acme", query), [""; 0], "{query}");
        }
    }

    async fn messages_older_than_a_thousand_others_are_found(app: TestApp) {
        fill(&app).await;
        if app.database.url().starts_with("postgres") {
            let newer = "INSERT INTO message_words (seq, team_id, words)
                SELECT 1000 + i, (SELECT id FROM teams WHERE name = 'Acme'), array_to_tsvector('{x}')
                FROM generate_series(1, 1500) AS i";
            assert_eq!(app.database.execute(newer), Ok(1500));
        } else {
            let newer = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
                INSERT INTO message_words (rowid, words) SELECT 1000 + i, 'x' FROM n";
            assert_eq!(app.database.execute(newer), Ok(1500));
        }
        assert_eq!(find(&app, "Acme", "invoice"), ["Invoice 4711"]);
    }

    async fn search_text_contains_no_operators(app: TestApp) {
        fill(&app).await;
        for query in ["", "   ", "\"", "*", "(", "&", "|", "!", ":*", "''", "\\", "\0", "--", "^", "%", "🙂"] {
            assert_eq!(find(&app, "Acme", query), [""; 0], "{query:?}");
        }
        for (query, expected) in [
            ("friday OR offer", &[][..]),
            ("offer AND secret", &["Offer"]),
            ("NOT offer", &[]),
            ("offer -secret", &["Offer"]),
            ("invoice*", &["Invoice 4711"]),
            ("words:invoice", &[]),
            ("col:value", &["Offer"]),
            ("\"a OR b\"", &["Offer"]),
            ("inv'oice", &[]),
            ("invoice & !friday", &["Invoice 4711"]),
            ("NEAR(invoice friday)", &[]),
        ] {
            assert_eq!(find(&app, "Acme", query), expected, "{query}");
        }
        let long = "x".repeat(100_000);
        assert_eq!(find(&app, "Acme", &long), [""; 0]);
        assert_eq!(find(&app, "Acme", &"a ".repeat(100_000)), ["Offer", "Invoice 4711"]);
    }

    async fn results_are_paged_newest_first_and_filtered(app: TestApp) {
        let team = app.team("Acme").id;
        let sales = app.alias("Acme", "sales");
        app.alias("Acme", "hello");
        let mut kept: Vec<MessageId> = Vec::new();
        for number in 0..260 {
            let to = if number % 130 == 0 { "sales@gatepost.localhost" } else { HELLO };
            let raw = letter("bob@a.test", &format!("{number}@x"), &format!("Number {number}"), "Common words");
            kept.push(app.keep("bob@a.test", to, &raw).await);
        }
        let (mut walked, mut before) = (Vec::new(), None);
        loop {
            let page = app.operate(|tx, _| messages::search(tx, team, "common wor", &Filter::default(), before, 100));
            walked.extend(page.rows.iter().map(|message| message.id));
            before = page.next;
            if before.is_none() { break }
        }
        kept.reverse();
        assert_eq!(walked, kept);
        let of_sales = Filter { alias: Some(sales.id), ..Filter::default() };
        let page = app.operate(|tx, _| messages::search(tx, team, "common", &of_sales, None, 10));
        let subjects: Vec<_> = page.rows.iter().map(|message| message.subject.as_str()).collect();
        assert_eq!((subjects, page.next), (vec!["Number 130", "Number 0"], None));

        // Paging continues even if the last message of the previous page is deleted.
        let page = app.operate(|tx, _| messages::search(tx, team, "common", &Filter::default(), None, 10));
        let last = page.next.expect("more");
        app.operate(|tx, actor| messages::delete(tx, actor, team, last));
        let page = app.operate(|tx, _| messages::search(tx, team, "common", &Filter::default(), Some(last), 1));
        assert_eq!(page.rows[0].id, kept[10]);
    }
}
