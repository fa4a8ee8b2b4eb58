//! The activity log and its filters.

use std::time::Duration;

use gatepost::domain::access::activity::{self, Filter};
use gatepost::domain::access::tokens::{self, Label};
use gatepost::domain::access::{plans::Plan, team_key};
use gatepost::domain::lists::Window;
use gatepost::domain::people::members::{self, TheirTokens};
use gatepost::domain::people::roles::MemberRole;
use gatepost::domain::people::sessions;
use gatepost::domain::people::users::{self, PersonName};

use crate::support::client::Visitor;
use crate::support::html::Page;
use crate::support::people::Person::{Ada, Dan};
use crate::support::{TestApp, both_engines};

const WHAT: &str = ".what";
const WHO: &str = ".by";

async fn open(visitor: &Visitor, query: &str) -> Page {
    visitor.get(&format!("/activity{query}")).await.expect(200).page()
}

/// Oldest first, as the sentences that follow the actor.
async fn sentences(visitor: &Visitor, query: &str) -> Vec<String> {
    let mut sentences = open(visitor, query).await.texts(WHAT);
    sentences.reverse();
    sentences
}

/// Creates tokens one second apart.
fn create_tokens(app: &TestApp, names: &[&str]) {
    for name in names {
        app.clock.advance(Duration::from_secs(1));
        app.token("Acme", name);
    }
}

/// Returns the value of the first option with this text.
async fn option(visitor: &Visitor, select: &str, text: &str) -> String {
    let page = open(visitor, "?kind=all").await;
    let options = format!("#{select} option");
    let at = page.texts(&options).iter().position(|each| each.contains(text)).expect(text);
    page.attribute(&format!("{options}:nth-of-type({})", at + 1), "value").expect("a value")
}

both_engines! {
    async fn records_are_listed_newest_first_in_pages_of_fifty(app: TestApp) {
        let names: Vec<String> = (1..=120).map(|number| format!("token {number:03}")).collect();
        create_tokens(&app, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let ada = app.as_(Ada).await;
        let expected: Vec<_> = names.iter().rev().map(|name| format!("created the token “{name}”")).collect();
        let mut page = open(&ada, "?kind=token.created").await;
        let mut seen = page.texts(WHAT);
        assert_eq!(seen.len(), 50);
        assert!(!page.whole_text().contains("Newest"), "{}", page.whole_text());
        let second = page.link("Older");
        for expected in [100, 120] {
            let older = page.link("Older");
            assert!(older.starts_with("/activity?kind=token.created&before=act_"), "{older}");
            // New records do not move the pages.
            create_tokens(&app, &[&format!("meanwhile {expected}")]);
            page = ada.get(&older).await.expect(200).page();
            seen.extend(page.texts(WHAT));
            assert_eq!(seen.len(), expected);
        }
        assert_eq!(seen, expected);
        assert!(!page.links().iter().any(|link| link.contains("before=")), "the last page has no link to older records");
        assert_eq!(page.link("Newest"), "/activity?kind=token.created");
        assert_eq!(ada.get(&second).await.expect(200).page().texts(WHAT), expected[50..100]);
    }

    async fn every_change_has_a_sentence(app: TestApp) {
        let team = app.team("Acme");
        let find = |email: &str| {
            let people = app.app.read_now(|tx| members::list(tx, team.id)).expect("people");
            people.into_iter().find(|each| each.email == email).expect("a person").user_id
        };
        let (bea, cy) = (find("bea@acme.test"), find("cy@acme.test"));
        let ada = app.as_(Ada).await;
        let next = || app.clock.advance(Duration::from_secs(1));
        next();
        app.visitor().sign_in(Ada.email(), "not her password").await.expect(422);
        next();
        app.switch_api("Acme", true);
        next();
        let plain = app.token("Acme", "ci");
        next();
        let token = app.app.read_now(|tx| tokens::list(tx, team.id, &tokens::Filter::ACTIVE, Window::first(1))).expect("tokens").rows[0].id;
        let label = Label::parse("build").expect("a name");
        app.operate(|tx, actor| tokens::rename(tx, actor, team.id, token, &label));
        next();
        app.api(&plain).get("/api/v1/team?x=1").await.expect(400);
        next();
        app.api(&plain).delete("/api/v1/me/token").await.expect(204);
        next();
        let key = app.operate(|tx, actor| team_key::enable(tx, actor, team.id, app.app.sealer())).0.start;
        next();
        app.operate(|tx, actor| team_key::reveal(tx, actor, team.id, app.app.sealer()));
        next();
        let new_key = app.operate(|tx, actor| team_key::regenerate(tx, actor, team.id, app.app.sealer())).0.start;
        next();
        app.operate(|tx, actor| team_key::disable(tx, actor, team.id));
        next();
        app.set_plan("Acme", Plan::Enterprise);
        next();
        app.operate(|tx, actor| {
            members::set_role(tx, actor, team.id, cy, MemberRole::Admin, TheirTokens::Keep).map(drop)
        });
        next();
        app.operate(|tx, actor| members::remove(tx, actor, team.id, cy, TheirTokens::Revoke));
        next();
        app.operate(|tx, actor| members::remove(tx, &actor.as_person(bea, "bea@acme.test"), team.id, bea, TheirTokens::Keep));
        next();
        app.operate(|tx, actor| {
            let name = PersonName::parse("Ada L.").expect("a name");
            users::rename(tx, &actor.as_person(team.owner_id, "ada@acme.test"), team.owner_id, &name)
        });
        next();
        app.operate(|tx, actor| {
            sessions::open(tx, actor, team.owner_id, None, "elsewhere")?;
            let keep = sessions::list(tx, team.owner_id, actor.now)?.last().expect("a session").id;
            sessions::revoke_others(tx, &actor.as_person(team.owner_id, "ada@acme.test"), team.owner_id, keep)
        });
        next();
        app.switch_api("Acme", false);
        let page = open(&ada, "?kind=all").await;
        let mut sentences: Vec<_> = page.texts(WHAT).into_iter().zip(page.texts(WHO)).collect();
        sentences.reverse();
        let sentences: Vec<_> = sentences.iter().map(|(what, who)| (what.as_str(), who.as_str())).collect();
        let start = sentences.iter().position(|(what, _)| what.starts_with("failed")).expect("the first");
        let (masked_key, masked) = (format!("{key}…"), format!("{new_key}…"));
        let program = "build".to_owned();
        let expected = [
            ("failed to sign in: wrong password".to_owned(), "Ada L."),
            ("turned on API access".into(), "command line"),
            ("created the token “ci”".into(), "command line"),
            ("renamed the token “ci” to “build”".into(), "command line"),
            ("GET /api/v1/team".into(), &program),
        ];
        for (got, (what, who)) in sentences[start..].iter().zip(&expected) {
            assert_eq!(*got, (what.as_str(), *who));
        }
        // Both have the same time, so either can come first.
        let mut own = sentences[start + 5..start + 7].to_vec();
        own.sort_unstable();
        assert_eq!(
            own,
            [("DELETE /api/v1/me/token", program.as_str()), ("revoked the token “build”", program.as_str())]
        );
        let expected = [
            (format!("turned on the team key {masked_key}"), "command line"),
            (format!("revealed the team key {masked_key}"), "command line"),
            (format!("regenerated the team key. The new one is {masked}"), "command line"),
            (format!("turned off the team key {masked}"), "command line"),
            ("changed the plan from pro to enterprise".into(), "command line"),
            ("made cy@acme.test an admin".into(), "command line"),
            ("removed cy@acme.test from the team".into(), "command line"),
            ("left the team".into(), "bea@acme.test"),
            ("changed their name to Ada L.".into(), "Ada L."),
        ];
        for (got, (what, who)) in sentences[start + 7..].iter().zip(&expected) {
            assert_eq!(*got, (what.as_str(), *who));
        }
        assert_eq!(sentences.last(), Some(&("turned off API access", "command line")));
    }

    async fn each_filter_narrows_the_list(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(60 * 60 * 24));
        app.switch_api("Acme", true);
        let (one, two) = (app.token("Acme", "one"), app.token("Acme", "two"));
        app.clock.advance(Duration::from_secs(60));
        app.api(&one).get("/api/v1/me").await.expect(200);
        app.clock.advance(Duration::from_secs(60));
        app.api(&two).get("/api/v1/nothing").await.expect(404);
        app.api(&two).send_json(reqwest::Method::POST, "/api/v1/me", &serde_json::json!({})).await.expect(405);
        app.clock.advance(Duration::from_secs(60 * 60 * 24));
        let ada_id = option(&ada, "person", "ada@acme.test").await;
        let two_id = option(&ada, "token", "two").await;
        let calls = ["GET /api/v1/me", "GET unknown", "POST /api/v1/me"];
        for (query, expected) in [
            ("?kind=requests", &calls[..]),
            ("?kind=api.request", &calls),
            ("?kind=requests&status=2xx", &calls[..1]),
            ("?status=4xx", &calls[1..]),
            ("?status=4", &calls[1..]),
            ("?status=404", &calls[1..2]),
            ("?status=405&kind=requests", &calls[2..]),
            ("?status=5xx", &[]),
            ("?kind=api.enabled", &["turned on API access"]),
            ("?kind=token.created&from=2040-01-03&until=2040-01-03", &["created the token “one”", "created the token “two”"]),
            ("?kind=requests&until=2040-01-02", &[]),
            ("?kind=requests&from=2040-01-04", &[]),
            ("?kind=requests&from=2040-01-03T09:02", &calls[1..]),
            ("?kind=requests&until=2040-01-03T09:01", &calls[..1]),
            ("?kind=requests&from=2040-01-03%2009:01:00&until=2040-01-03%2009:01:00", &calls[..1]),
            (&format!("?person={ada_id}&kind=sign-ins"), &["signed in"]),
            (&format!("?kind=all&token={two_id}"), &["created the token “two”", calls[1], calls[2]]),
            (&format!("?token={two_id}&status=405"), &calls[2..]),
            (&format!("?token={two_id}&person={ada_id}"), &[]),
            // An unknown person has no records, and an empty field does not filter.
            (&format!("?person=usr_{}", "0".repeat(32)), &[]),
            ("?kind=api.enabled&person=&token=&status=&from=&until=&before=", &["turned on API access"]),
            ("", &calls),
        ] {
            let mut sentences = sentences(&ada, query).await;
            sentences.sort();
            let mut expected: Vec<_> = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(sentences, expected, "{query}");
        }
        let changes = sentences(&ada, "?kind=changes").await;
        assert!(changes.len() > 8 && !changes.iter().any(|what| what.contains("/api/v1")), "{changes:?}");
    }

    async fn an_invalid_filter_is_marked_and_preserved(app: TestApp) {
        let ada = app.as_(Ada).await;
        for (name, value, error) in [
            ("kind", "token.eaten", "Choose a kind from the list."),
            ("person", "ada", "Choose a person from the list."),
            ("token", "tok_1", "Choose a token from the list."),
            ("status", "9xx", "Enter 2xx, 4xx, 5xx or a code like 401."),
            ("from", "yesterday", "Enter a date like 2026-03-01 or a time like 2026-03-01T09:14, in UTC."),
            ("until", "2040-02-30", "Enter a date like 2026-03-01 or a time like 2026-03-01T09:14, in UTC."),
            ("until", "2039-12-31", "The end must be after the start."),
        ] {
            let kept = [("kind", "people"), ("status", "200"), ("from", "2040-01-01")];
            let kept = kept.into_iter().filter(|(each, _)| *each != name).chain([(name, value)]);
            let query: Vec<_> = kept.clone().map(|(name, value)| format!("{name}={value}")).collect();
            let page = ada.get(&format!("/activity?{}", query.join("&"))).await.expect(422).page();
            assert_eq!(page.text(&format!("#{name}-error")), error);
            assert_eq!(page.attribute(&format!("#{name}"), "aria-invalid").as_deref(), Some("true"));
            let form = page.form("/activity");
            for (name, value) in kept {
                assert_eq!(form.fields[name], value);
            }
            assert!(page.texts(WHAT).is_empty());
        }
        let page = ada.get("/activity?before=act_1").await.expect(422).page();
        assert_eq!(page.text("[role=alert]"), "The URL of this page is incomplete.");
    }

    async fn a_record_shows_all_its_details(app: TestApp) {
        app.switch_api("Acme", true);
        let plain = app.token("Acme", "ci");
        let api = app.api(&plain);
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(60));
        let response = api.get("/api/v1/me").await.expect(200);
        let list = open(&ada, "?kind=requests").await;
        let page = ada.get(&list.link("GET /api/v1/me")).await.expect(200).page();
        let text = page.texts("dl").join(" ");
        for fact in ["2040-01-02 09:01:00 UTC", "ci", &plain[..11], "200", "127.0.0.1", response.header("x-request-id"), "api.request"] {
            assert!(text.contains(fact), "{fact:?} is not in {text}");
        }
        assert!(!page.whole_text().contains(&plain[11..]), "the secret is shown");
        let token = page.link("ci");
        assert!(list.links().contains(&token));
        ada.get(&token).await.expect(200);
        let about = page.link("All activity for this token");
        assert_eq!(sentences(&ada, about.trim_start_matches("/activity")).await, ["created the token “ci”", "GET /api/v1/me"]);
        ada.post(&format!("{token}/revoke"), &[("reason", "moved <b>house</b>")]).await.expect(303);
        let page = ada.get(&open(&ada, "?kind=token.revoked").await.link("revoked the token “ci”")).await.page();
        let text = page.texts("dl").join(" ");
        for fact in ["ada@acme.test", "moved <b>house</b>", "Test browser", "token.revoked"] {
            assert!(text.contains(fact), "{fact:?} is not in {text}");
        }
    }

    async fn another_teams_records_do_not_exist(app: TestApp) {
        app.token("Acme", "acmes own");
        let (team, dan) = (app.team("Acme").id, app.as_(Dan).await);
        let page = app.app.read_now(|tx| activity::list(tx, team, &Filter::default(), Window::first(1))).expect("a page");
        let path = format!("/activity/{}", page.rows[0].id);
        app.as_(Ada).await.get(&path).await.expect(200);
        for path in [path, format!("/activity/act_{}", "0".repeat(32)), "/activity/x".into()] {
            dan.get(&path).await.expect(404);
        }
        assert!(!open(&dan, "?kind=all").await.whole_text().contains("acmes own"));
    }
}

#[tokio::test]
async fn htmx_swaps_the_list_and_pushes_a_short_url() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    let part = ada.fragment("/activity?kind=sign-ins&person=&status=&from=").await.expect(200);
    assert!(part.body.trim_start().starts_with(r#"<div id="activity">"#), "{}", part.body);
    assert_eq!(part.header("hx-push-url"), "/activity?kind=sign-ins");
    assert_eq!(part.header("vary"), "HX-Request");
    assert_eq!(part.page().texts(WHAT), ["signed in"]);
    let refused = ada.fragment("/activity?status=x%20%22y").await.expect(422);
    assert_eq!(refused.header("hx-push-url"), "/activity?status=x%20%22y");
    assert_eq!(refused.page().form("/activity").fields["status"], "x \"y");
}

#[tokio::test]
async fn an_empty_list_explains_why() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    let empty = open(&ada, "?status=5xx").await;
    assert_eq!(empty.text(".empty-title"), "No results");
    let end = open(&ada, &format!("?before=act_{}", "0".repeat(32))).await;
    assert_eq!(end.text(".empty-title"), "No older records");
    assert_eq!(end.link("Back to newest"), "/activity");
}

#[tokio::test]
async fn a_choice_missing_from_the_menu_stays_selected() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    for (name, prefix) in [("person", "usr_"), ("token", "tok_")] {
        let id = format!("{prefix}{}", "1".repeat(32));
        let page = open(&ada, &format!("?{name}={id}")).await;
        assert_eq!(page.form("/activity").fields[name], id);
    }
}

both_engines! {
    async fn requests_and_changes_have_separate_tabs(app: TestApp) {
        app.switch_api("Acme", true);
        let token = app.token("Acme", "ci");
        app.api(&token).get("/api/v1/me").await.expect(200);
        app.api(&token).get("/api/v1/nothing").await.expect(404);
        let ada = app.as_(Ada).await;
        let requests = open(&ada, "").await;
        assert_eq!(requests.texts("nav.tabs [aria-current]"), ["Requests"]);
        assert_eq!(requests.texts(WHAT).len(), 2);
        assert_eq!(requests.texts(".day"), ["Today, Monday 2 January 2 requests, 1 refused"]);
        assert_eq!(requests.texts("#activity .legend b"), ["1", "1", "0"]);
        assert_eq!(requests.texts(".grow .is-bad"), ["Not found"]);
        let changes = ada.get(&requests.link("Changes")).await.expect(200).page();
        assert_eq!(changes.texts("nav.tabs [aria-current]"), ["Changes"]);
        assert!(changes.texts(WHAT).contains(&"created the token “ci”".to_owned()));
        assert!(!changes.has("#activity-chart") && !changes.has("#status"));
        assert_eq!(changes.link("Requests"), "/activity");
        // The chart is of the chosen token.
        app.token("Acme", "other");
        let other = option(&ada, "token", "other").await;
        assert!(!open(&ada, &format!("?token={other}")).await.has("#activity-chart"));
        let week = ada.get(&requests.link("Last 7 days")).await.expect(200).page();
        assert_eq!(week.texts("#activity .chart-table tbody tr").len(), 28);
    }

    async fn a_change_shows_the_previous_value(app: TestApp) {
        let ada = app.as_(Ada).await;
        app.clock.advance(Duration::from_secs(1));
        ada.post("/contacts", &[("address", "bob@customer.test"), ("name", ""), ("note", ""), ("state", "unset")]).await.expect(303);
        let contact = ada.get("/contacts").await.expect(200).page().link("bob@customer.test");
        app.clock.advance(Duration::from_secs(1));
        ada.post(&contact, &[("name", ""), ("note", ""), ("state", "blocked")]).await.expect(303);
        let list = open(&ada, "?kind=contact.changed").await;
        assert_eq!(list.text(WHAT), "changed the contact bob@customer.test");
        assert!(list.text(".grow small").starts_with("Status: not reviewed → blocked"), "{}", list.text(".grow small"));
        let record = ada.get(&list.link("changed the contact bob@customer.test")).await.expect(200).page();
        assert_eq!(record.texts("[aria-labelledby=facts-title] dd"), ["not reviewed → blocked"]);
    }
}

#[tokio::test]
async fn an_export_contains_every_filtered_record_and_no_formula() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    let names: Vec<String> = (1..=620).map(|number| format!("token {number:03}")).collect();
    create_tokens(&app, &names.iter().map(String::as_str).collect::<Vec<_>>());
    create_tokens(&app, &["=HYPERLINK(\"http://evil.test\"), \"x\""]);
    let export = open(&ada, "?kind=token.created").await.link("Export");
    let file = ada.get(&export).await.expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"activity-2040-01-02.csv\"");
    let lines: Vec<_> = file.body.split("\r\n").collect();
    assert!(lines[0].starts_with("time,kind,description,actor,"), "{}", lines[0]);
    // The header, 621 records, and nothing after the last line.
    assert_eq!((lines.len(), lines[622]), (623, ""));
    assert!(lines[1].contains("\"'=HYPERLINK(\"\"http://evil.test\"\"), \"\"x\"\"\""), "{}", lines[1]);
    assert!(lines[621].contains("Created the token “token 001”"), "{}", lines[621]);
    assert_eq!(ada.get("/activity/export?kind=people").await.expect(200).body.matches("\r\n").count(), 6);
    ada.get("/activity/export?status=9xx").await.expect(422);
    let dan = app.as_(Dan).await;
    assert!(!dan.get("/activity/export?kind=all").await.expect(200).body.contains("token 001"));
}

#[tokio::test]
async fn a_live_list_polls_only_for_new_records() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    assert!(!open(&ada, "?kind=changes").await.has("#records[data-poll]"));
    let live = open(&ada, "?kind=changes&live=on").await;
    let poll = live.attribute("#records[data-poll]", "hx-get").expect("a poll");
    ada.fragment(&poll).await.expect(204);
    create_tokens(&app, &["new"]);
    let part = ada.fragment(&poll).await.expect(200);
    assert!(part.body.trim_start().starts_with(r#"<div id="records""#), "{}", part.body);
    assert_eq!(part.page().texts(WHAT)[0], "created the token “new”");
    let next = part.page().attribute("#records[data-poll]", "hx-get").expect("a poll");
    ada.fragment(&next).await.expect(204);
}
