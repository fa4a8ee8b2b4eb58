//! `/messages`: listing, searching, reading, marking and deleting the team's messages.

use gatepost::domain::mailroom::contacts::{self, About, ContactState};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

use super::details;
use crate::support::client::Api;
use crate::support::mail::letter_with_file;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn api(app: &TestApp, team: &str) -> Api {
    app.switch_api(team, true);
    app.api(&app.token(team, "ci"))
}

/// Delivers a message a second after the previous one.
fn arrives(app: &TestApp, from: &str, to: &str, subject: &str, text: &str) -> String {
    app.clock.advance(Duration::from_secs(1));
    let raw = format!("From: {from}\nTo: {to}\nSubject: {subject}\nMessage-ID: <{subject}@x>\n\n{text}\n");
    app.arrives("bounce@customer.test", to, &raw).to_string()
}

async fn list(api: &Api, query: &str) -> Value {
    api.get(&format!("/api/v1/messages{query}")).await.expect(200).json()
}

async fn subjects(api: &Api, query: &str) -> Vec<String> {
    let body = list(api, query).await;
    let rows = body["data"].as_array().expect("a list").iter();
    rows.map(|each| each["subject"].as_str().expect("a subject").to_owned()).collect()
}

both_engines! {
    async fn a_message_is_returned_completely(app: TestApp) {
        let api = api(&app, "Acme");
        let alias = app.alias("Acme", "hello");
        let id = app.arrives("bob@customer.test", "hello+shop@gatepost.localhost", &letter_with_file("1"));
        let path = format!("/api/v1/messages/{id}");
        let body = api.get(&path).await.expect(200).json();
        let row = json!({
            "id": id, "subject": "Where is my order?",
            "from": {"address": "bob@customer.test", "name": "Bob"},
            "to": "hello+shop@gatepost.localhost",
            "alias": {"id": alias.id, "address": HELLO},
            "contactId": body["contactId"], "conversationId": body["conversationId"],
            "state": "delivered", "reason": body["reason"], "folder": "inbox", "receivedAt": "2040-01-02T09:00:00Z",
            "readAt": null, "preview": "Nothing has come.", "size": body["size"], "truncated": false, "attachmentCount": 1,
        });
        assert_eq!(list(&api, "").await["data"], json!([row]));
        assert!(body["contactId"].as_str().expect("an id").starts_with("con_"));
        assert!(body["conversationId"].as_str().expect("an id").starts_with("conv_"));
        let more = json!({
            "recipients": [{"address": HELLO, "name": "Hello"}, {"address": "cy@acme.test", "name": null}],
            "cc": [],
            "text": "Nothing has come.", "html": body["html"], "headers": body["headers"],
            "attachments": [{
                "id": body["attachments"][0]["id"], "name": "März.html", "contentType": "text/html",
                "size": 25, "inline": false, "contentId": null,
            }],
            "authentication": {
                "spf": {"result": "none", "domain": null, "selector": null, "detail": null},
                "dkim": [],
                "dmarc": {"result": "none", "domain": null, "policy": null, "detail": null},
            },
        });
        let mut whole = row;
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        whole["text"] = body["text"].clone();
        assert_eq!(body, whole);
        assert_eq!(body["text"].as_str().map(str::trim), Some("Nothing has come."));
        let html = body["html"].as_str().expect("html");
        assert!(html.contains("<b>come</b>"), "{html}");
        for gone in ["script", "onclick", "tracker.test"] {
            assert!(!html.contains(gone), "{gone} in {html}");
        }
        assert!(body["headers"].as_array().unwrap().contains(&json!({"name": "Message-ID", "value": "<1@customer.test>"})));
        let contact = api.get(&format!("/api/v1/contacts/{}", body["contactId"].as_str().unwrap())).await.expect(200);
        assert_eq!((&contact.json()["address"], &contact.json()["received"]), (&json!("bob@customer.test"), &json!(1)));
    }

    async fn recipients_and_copies_are_separate_lists(app: TestApp) {
        let api = api(&app, "Acme");
        app.alias("Acme", "hello");
        let raw = format!(
            "From: bob@customer.test\nTo: {HELLO}\nCc: =?utf-8?q?J=C3=B6rg?= <jorg@acme.test>\n\
             cc: Team: ines@acme.test, Bo <bo@acme.test>;\nMessage-ID: <cc@x>\nSubject: Copies\n\nHi"
        );
        let id = app.arrives("bob@customer.test", HELLO, &raw);
        let body = api.get(&format!("/api/v1/messages/{id}")).await.expect(200).json();
        assert_eq!(body["recipients"], json!([{"address": HELLO, "name": null}]));
        let cc = json!([
            {"address": "jorg@acme.test", "name": "Jörg"},
            {"address": "ines@acme.test", "name": null},
            {"address": "bo@acme.test", "name": "Bo"},
        ]);
        assert_eq!(body["cc"], cc);
    }

    async fn attachments_are_downloaded_and_never_rendered(app: TestApp) {
        let api = api(&app, "Acme");
        app.alias("Acme", "hello");
        let letter = letter_with_file("1");
        let path = format!("/api/v1/messages/{}", app.arrives("bob@customer.test", HELLO, &letter));
        let raw = api.get(&format!("{path}/raw")).await.expect(200);
        assert_eq!(raw.body, letter.replace('\n', "\r\n"));
        assert_eq!(raw.header("content-type"), "message/rfc822");
        let file = api.get(&path).await.expect(200).json()["attachments"][0]["id"].as_str().unwrap().to_owned();
        let file = api.get(&format!("{path}/attachments/{file}")).await.expect(200);
        assert_eq!(file.body, "<script>alert(1)</script>");
        // The sender declares text/html, which a browser would render.
        assert_eq!(file.header("content-type"), "application/octet-stream");
        assert!(file.header("content-disposition").ends_with("filename*=UTF-8''M%C3%A4rz.html"));
        for response in [raw, file] {
            assert!(response.header("content-disposition").starts_with("attachment; "), "{response:?}");
            assert_eq!(response.header("x-content-type-options"), "nosniff");
            assert_eq!(response.header("cache-control"), "no-store");
            assert!(response.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
        }
    }

    async fn a_truncated_message_is_marked(app: TestApp) {
        let (api, team) = (api(&app, "Acme"), app.team("Acme").id);
        app.alias("Acme", "hello");
        let bob = contacts::parse_address("bob@customer.test").expect("an address");
        let about = About { name: None, note: None, state: ContactState::Blocked };
        app.operate(|tx, actor| contacts::create(tx, actor, team, &bob, about));
        let text = "Nothing new. ".repeat(20_000);
        let id = arrives(&app, "bob@customer.test", HELLO, "long", &text);
        let body = api.get(&format!("/api/v1/messages/{id}")).await.expect(200).json();
        assert_eq!((&body["state"], &body["truncated"]), (&json!("denied"), &json!(true)));
        assert!(body["size"].as_u64() > Some(260_000) && body["text"].as_str().map(str::len) == Some(64 << 10));
        let raw = api.get(&format!("/api/v1/messages/{id}/raw")).await.expect(200).body;
        assert!(raw.starts_with("From: bob@customer.test") && raw.len() < 66_000);
    }

    async fn messages_are_marked_and_deleted(app: TestApp) {
        let api = api(&app, "Acme");
        app.alias("Acme", "hello");
        let id = arrives(&app, "bob@customer.test", HELLO, "one", "text");
        let path = format!("/api/v1/messages/{id}");
        assert_eq!(subjects(&api, "?unread=true").await, ["one"]);
        for (change, read_at) in [
            (json!({"read": true}), json!("2040-01-02T09:00:01Z")),
            (json!({}), json!("2040-01-02T09:00:01Z")),
            (json!({"read": false}), json!(null)),
            (json!({"read": true}), json!("2040-01-02T09:00:01Z")),
        ] {
            let mark = api.send_json(Method::PATCH, &path, &change).await.expect(200).json();
            assert_eq!(mark, json!({"id": id, "readAt": read_at, "folder": "inbox"}), "{change}");
        }
        app.clock.advance(Duration::from_secs(9));
        let again = api.send_json(Method::PATCH, &path, &json!({"read": true})).await.expect(200).json();
        assert_eq!(again["readAt"], "2040-01-02T09:00:01Z", "marking it again keeps the first time");
        assert_eq!(subjects(&api, "?unread=true").await, [""; 0]);
        for bad in [json!({"read": "yes"}), json!({"state": "denied"}), json!([])] {
            api.send_json(Method::PATCH, &path, &bad).await.expect(400);
        }
        api.delete(&path).await.expect(204);
        for gone in [path.clone(), format!("{path}/raw")] {
            api.get(&gone).await.expect(404);
        }
        api.delete(&path).await.expect(404);
        assert_eq!(subjects(&api, "").await, [""; 0]);
        assert_eq!(subjects(&api, "?q=one").await, [""; 0]);
    }

    async fn messages_are_archived_and_moved_back(app: TestApp) {
        let api = api(&app, "Acme");
        app.alias("Acme", "hello");
        let id = arrives(&app, "bob@customer.test", HELLO, "one", "text");
        arrives(&app, "bob@customer.test", HELLO, "two", "text");
        let path = format!("/api/v1/messages/{id}");
        let archived = api.send_json(Method::PATCH, &path, &json!({"folder": "archive", "read": true})).await;
        assert_eq!(archived.expect(200).json(), json!({"id": id, "readAt": "2040-01-02T09:00:02Z", "folder": "archive"}));
        assert_eq!(api.get(&path).await.expect(200).json()["folder"], "archive");
        assert_eq!(subjects(&api, "?folder=archive").await, ["one"]);
        assert_eq!(subjects(&api, "?folder=inbox").await, ["two"]);
        for (change, status) in [(json!({"folder": "trash"}), 400), (json!({"folder": "blocked"}), 409)] {
            let refused = api.send_json(Method::PATCH, &path, &change).await.expect(status);
            assert_eq!(details(&refused)[0]["field"], "folder", "{}", refused.body);
        }
        api.send_json(Method::PATCH, &path, &json!({"folder": "inbox"})).await.expect(200);
        assert_eq!(subjects(&api, "?folder=inbox").await, ["two", "one"]);
        // Blocking the contact moves what they sent before.
        let contact = api.get(&path).await.expect(200).json()["contactId"].as_str().expect("an id").to_owned();
        let contact = format!("/api/v1/contacts/{contact}");
        api.send_json(Method::PATCH, &contact, &json!({"state": "blocked"})).await.expect(200);
        assert_eq!(subjects(&api, "?folder=blocked").await, ["two", "one"]);
        assert_eq!(subjects(&api, "?unread=true").await, [""; 0]);
        api.send_json(Method::PATCH, &path, &json!({"folder": "inbox"})).await.expect(409);
    }

    async fn the_list_is_filtered(app: TestApp) {
        let api = api(&app, "Acme");
        let (hello, sales) = (app.alias("Acme", "hello"), app.alias("Acme", "sales"));
        let team = app.team("Acme").id;
        let address = contacts::parse_address("eve@nowhere.test").expect("an address");
        let blocked = About::parse("", "", ContactState::Blocked).expect("a state");
        let eve = app.operate(|tx, actor| contacts::create(tx, actor, team, &address, blocked)).id;
        arrives(&app, "bob@customer.test", HELLO, "one", "text");
        arrives(&app, "bob@customer.test", "sales@gatepost.localhost", "two", "text");
        arrives(&app, "eve@nowhere.test", HELLO, "three", "text");
        for (query, expected) in [
            (String::new(), vec!["three", "two", "one"]),
            (format!("?alias={}", hello.id), vec!["three", "one"]),
            (format!("?alias={}&contact={eve}", sales.id), vec![]),
            (format!("?contact={eve}"), vec!["three"]),
            ("?state=denied".into(), vec!["three"]),
            ("?folder=blocked".into(), vec!["three"]),
            ("?folder=inbox".into(), vec!["two", "one"]),
            ("?folder=archive".into(), vec![]),
            ("?unread=true".into(), vec!["two", "one"]),
            ("?unread=false".into(), vec!["three", "two", "one"]),
            ("?since=2040-01-02T09:00:02Z".into(), vec!["three", "two"]),
            ("?since=2040-01-02T10:00:02%2B01:00&until=2040-01-02T09:00:03Z".into(), vec!["two"]),
            ("?until=2040-01-02T09:00:01Z".into(), vec![]),
        ] {
            assert_eq!(subjects(&api, &query).await, expected, "{query}");
        }
        for (query, field) in [
            ("alias=hello", "alias"), ("contact=con_1", "contact"), ("conversation=x", "conversation"),
            ("state=lost", "state"), ("folder=trash", "folder"), ("since=yesterday", "since"), ("until=2040-01-02", "until"),
            ("unread=1", "unread"), ("limit=0", "limit"), ("cursor=x", "cursor"), ("offset=1", "offset"),
        ] {
            let refused = api.get(&format!("/api/v1/messages?{query}")).await.expect(400);
            assert_eq!(details(&refused)[0]["field"], field, "{query}: {}", refused.body);
        }
        let refused = api.get("/api/v1/messages?limit=0&state=x").await.expect(400);
        assert!(details(&refused).as_array().is_some_and(|all| !all.is_empty()));
    }

    async fn messages_are_found_by_words_in_subject_sender_and_text(app: TestApp) {
        let api = api(&app, "Acme");
        app.alias("Acme", "hello");
        arrives(&app, "Bob <bob@customer.test>", HELLO, "Invoice 1042", "Please find it attached.");
        arrives(&app, "Zoe <zoe@customer.test>", HELLO, "Holiday", "The invoice can wait.");
        arrives(&app, "news@letters.test", HELLO, "Offers", "Ünal & Söhne: everything must go");
        for (query, expected) in [
            ("invoice", vec!["Holiday", "Invoice 1042"]),
            ("INVOICE%20wait", vec!["Holiday"]),
            ("invo", vec!["Holiday", "Invoice 1042"]),
            ("bob%40customer.test", vec!["Invoice 1042"]),
            ("%C3%9Cnal", vec!["Offers"]),
            ("everything%20invoice", vec![]),
            ("1042%20OR%20holiday", vec![]),
            ("%22", vec![]),
            ("*%20NEAR(a%2C%20b)%20%7C%20!x%20%3A%3A%20--", vec![]),
        ] {
            assert_eq!(subjects(&api, &format!("?q={query}")).await, expected, "{query}");
        }
        assert_eq!(subjects(&api, "?q=invoice&until=2040-01-02T09:00:02Z").await, ["Invoice 1042"]);
    }

    async fn cursors_cover_the_whole_list_while_mail_arrives(app: TestApp) {
        let api = api(&app, "Acme");
        app.alias("Acme", "hello");
        for number in 1..=5 {
            arrives(&app, "bob@customer.test", HELLO, &format!("letter {number}"), "text");
        }
        for query in ["?limit=2", "?limit=2&q=letter"] {
            let (mut seen, mut path) = (Vec::new(), query.to_owned());
            loop {
                let body = list(&api, &path).await;
                let counted = !query.contains("q=");
                assert_eq!(body["pagination"]["total"].is_i64(), counted, "{query}");
                let rows = body["data"].as_array().unwrap().iter();
                seen.extend(rows.map(|each| each["subject"].as_str().unwrap().to_owned()));
                let Some(cursor) = body["pagination"]["nextCursor"].as_str() else { break };
                assert_eq!(body["pagination"]["hasMore"], true);
                arrives(&app, "bob@customer.test", HELLO, &format!("later {}{query}", seen.len()), "text");
                path = format!("{query}&cursor={cursor}");
            }
            let letters: Vec<_> = seen.into_iter().filter(|each| each.starts_with("letter")).collect();
            assert_eq!(letters, ["letter 5", "letter 4", "letter 3", "letter 2", "letter 1"], "{query}");
        }
    }

    async fn another_teams_messages_do_not_exist(app: TestApp) {
        let (acme, globex) = (api(&app, "Acme"), api(&app, "Globex"));
        let alias = app.alias("Acme", "hello").id;
        let id = app.arrives("bob@customer.test", HELLO, &letter_with_file("1"));
        let path = format!("/api/v1/messages/{id}");
        let whole = acme.get(&path).await.expect(200).json();
        let file = whole["attachments"][0]["id"].as_str().unwrap().to_owned();
        for path in [&path, "/api/v1/messages/x", &format!("/api/v1/messages/msg_{}", "0".repeat(32))] {
            for part in ["", "/raw", &format!("/attachments/{file}"), "/attachments/x"] {
                let response = globex.get(&format!("{path}{part}")).await.expect(404);
                assert_eq!(response.error_code(), "NOT_FOUND");
            }
            for change in [json!({"read": true}), json!({"folder": "archive"}), json!({"folder": "trash"})] {
                globex.send_json(Method::PATCH, path, &change).await.expect(404);
            }
            globex.delete(path).await.expect(404);
        }
        let contact = whole["contactId"].as_str().unwrap();
        let conversation = whole["conversationId"].as_str().unwrap();
        for query in [
            String::new(), "?q=order".into(), "?q=nothing%20come".into(), format!("?cursor={id}"),
            format!("?alias={alias}"), format!("?contact={contact}"), format!("?conversation={conversation}"),
            format!("?q=order&alias={alias}"), format!("?q=order&cursor=msg_{}", "f".repeat(32)),
        ] {
            assert_eq!(subjects(&globex, &query).await, [""; 0], "{query}");
        }
        // An attachment is found only under its own message.
        app.alias("Globex", "other");
        let other = app.arrives("bob@customer.test", "other@gatepost.localhost", &letter_with_file("2"));
        globex.get(&format!("/api/v1/messages/{other}/attachments/{file}")).await.expect(404);
        assert_eq!(acme.get(&path).await.expect(200).json()["readAt"], json!(null));
        assert_eq!(subjects(&globex, "?q=order").await.len(), 1);
    }
}
