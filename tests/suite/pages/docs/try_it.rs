//! Try it: calls from the reference page.

use super::DOCS;
use crate::access::rows::things;
use crate::support::client::{Response, Visitor};
use crate::support::people::Person::{Ada, Bea, Cy, Dan};
use crate::support::{TestApp, both_engines};

const NEW: &str = r#"{"localPart": "tried"}"#;

async fn send(visitor: &Visitor, operation: &str, fields: &[(&str, &str)]) -> Response {
    visitor.post(&format!("{DOCS}/try/{operation}"), fields).await
}

both_engines! {
    async fn reads_are_sent_without_confirmation(app: TestApp) {
        app.switch_api("Acme", true);
        let (bea, alias) = (app.as_(Bea).await, things::alias(&app));
        let form = bea.get(&format!("{DOCS}/try/get-alias")).await.expect(200).page();
        assert!(form.form(&format!("{DOCS}/try/get-alias")).fields.contains_key("path.id"));
        let page = send(&bea, "get-alias", &[("path.id", &alias)]).await.expect(200).page();
        assert_eq!(page.text(".try-status"), "200 OK");
        assert!(page.text(".try-body").contains(&alias));
        let headers = page.text(".try-headers .facts");
        assert!(headers.contains("x-ratelimit-remaining 999") && headers.contains("x-request-id req_"), "{headers}");
        assert!(!headers.contains("cookie"), "{headers}");
        // The form is still there, so that it can be sent again.
        assert_eq!(page.form(&format!("{DOCS}/try/get-alias")).fields["path.id"], alias);
        let part = bea.fragment(&format!("{DOCS}/try/get-alias")).await.expect(200);
        assert!(part.body.trim_start().starts_with("<section class=\"card try\""), "{}", part.body);
    }

    async fn each_input_fits_its_value(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let form = async |operation: &str| ada.get(&format!("{DOCS}/try/{operation}")).await.expect(200).page();
        let messages = form("list-messages").await;
        let kind = |name: &str| messages.attribute(&format!("[name='query.{name}']"), "type");
        assert_eq!(kind("limit").as_deref(), Some("number"));
        assert_eq!(kind("since").as_deref(), Some("datetime-local"));
        assert_eq!(kind("unread").as_deref(), Some("checkbox"));
        assert_eq!(messages.texts("[name='query.folder'] option"), ["Any", "inbox", "archive", "blocked"]);
        assert_eq!(form("list-aliases").await.texts("[name='query.enabled'] option"), ["Any", "true", "false"]);
        let filled = [("query.folder", "archive"), ("query.unread", "true"), ("query.since", "2026-03-01T09:14")];
        let page = send(&ada, "list-messages", &filled).await.expect(200).page();
        let line = "GET /api/v1/messages?folder=archive&since=2026-03-01T09:14:00Z&unread=true";
        assert!(page.text(".try-headers").contains(line), "{}", page.text(".try-headers"));
        assert_eq!(page.text(".try-status"), "200 OK");
        let kept = page.form(&format!("{DOCS}/try/list-messages")).fields;
        assert!(filled.iter().all(|(name, value)| kept[*name] == *value), "{kept:?}");
    }

    async fn a_response_shows_its_duration_and_remaining_quota(app: TestApp) {
        app.switch_api("Acme", true);
        let page = send(&app.as_(Ada).await, "list-aliases", &[]).await.expect(200).page();
        let head = page.text(".try-out-head");
        assert!(head.contains(" ms ") && head.contains(" B ") && head.contains("999 requests left"), "{head}");
    }

    async fn a_request_is_copied_as_curl_without_being_sent(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let fields = [("body", NEW), ("header.idempotency-key", "order-1"), ("as", "curl")];
        let page = send(&ada, "create-alias", &fields).await.expect(200).page();
        let line = &page.verbatim("#create-alias-try-curl")[0].1;
        assert!(line.starts_with("curl 'http") && line.contains("/api/v1/aliases' \\\n  -H \"Authorization: Bearer $GATEPOST_TOKEN\""), "{line}");
        assert!(line.contains("-H 'idempotency-key: order-1'") && line.ends_with(&format!("-d '{NEW}'")), "{line}");
        assert_eq!(app.database.number("SELECT count(*) AS n FROM aliases WHERE local_key = 'tried'"), 0);
        let person = ada.get(&format!("{DOCS}/try/rename-api-key")).await.expect(200);
        assert!(!person.body.contains("Copy as curl"), "a token cannot do this");
    }

    async fn error_responses_are_shown_unchanged(app: TestApp) {
        let ada = app.as_(Ada).await;
        let page = send(&ada, "list-aliases", &[]).await.expect(200).page();
        assert_eq!(page.text(".try-status"), "403 Forbidden");
        assert!(page.text(".try-body").contains("API_DISABLED"));
        app.switch_api("Acme", true);
        app.catch_up();
        let page = send(&ada, "list-aliases", &[("query.limit", "1000")]).await.expect(200).page();
        assert!(page.text(".try-body").contains("The limit must be a whole number from 1 to 100."));
        assert!(page.text(".try-headers").contains("GET /api/v1/aliases?limit=1000"));
        let page = send(&ada, "get-alias", &[("path.id", "../me?x=<b>")]).await.expect(200).page();
        assert_eq!(page.text(".try-status"), "404 Not Found");
        let missing = send(&ada, "get-alias", &[("path.id", " ")]).await.expect(422).page();
        assert!(!missing.has(".try-status") && missing.text(".error").contains("Required"));
        ada.get(&format!("{DOCS}/try/no-such")).await.expect(404);
    }

    async fn inputs_that_are_too_long_are_marked(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let said = async |fields: &[(&str, &str)]| {
            let page = send(&ada, "list-messages", fields).await.expect(422).page();
            assert!(!page.has(".try-status"));
            page.text(".error")
        };
        let (typed, wide) = ("x".repeat(60_000), "\u{1f600}".repeat(1000));
        let too_long = "Enter at most 1000 characters (you typed 60000).";
        assert!(said(&[("query.q", &typed)]).await.contains(too_long));
        // In a URL, these take twelve bytes each, and a space three; in a form, a space takes one.
        let spaced = "a ".repeat(499);
        let wide = ["query.q", "query.cursor", "query.alias", "query.contact", "query.conversation"].map(|name| (name, &*wide));
        let spaced = ["query.state", "query.since", "query.until", "query.limit"].map(|name| (name, &*spaced));
        let wide: Vec<_> = wide.into_iter().chain(spaced).collect();
        assert!(said(&wide).await.contains("the URL too long"));
        for odd in ["\0", "a\nb", "\u{202e}", "\u{feff}", "%00", "//", "?#&="] {
            let path = send(&ada, "get-alias", &[("path.id", odd)]).await;
            assert!([200, 422].contains(&path.status), "{odd:?}: {}", path.status);
            let query = send(&ada, "list-messages", &[("query.q", odd)]).await.expect(200).page();
            assert!(query.has(".try-status"), "{odd:?}");
        }
    }

    async fn changes_ask_for_confirmation(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let aliases = || app.database.number("SELECT count(*) AS n FROM aliases WHERE local_key = 'tried'");
        let asked = send(&ada, "create-alias", &[("body", NEW)]).await.expect(200).page();
        assert!(asked.text(".try-sure").contains("This is a live request for Acme. Create an alias"));
        assert_eq!(aliases(), 0);
        let sure = [("body", NEW), ("sure", "yes")];
        let done = send(&ada, "create-alias", &sure).await.expect(200).page();
        assert_eq!((done.text(".try-status"), aliases()), ("201 Created".to_owned(), 1));
        // The form is of another team.
        let other = format!("{DOCS}/try/create-alias?team={}", app.team("Globex").id);
        ada.post(&other, &sure).await.expect(409);
        // Only a page of this site may send it.
        let request = ada.request(reqwest::Method::POST, &format!("{DOCS}/try/create-alias")).form(&sure);
        crate::support::client::send(request.header("Sec-Fetch-Site", "cross-site")).await.expect(403);
    }

    async fn requests_are_counted_and_recorded_like_any_call(app: TestApp) {
        app.switch_api("Acme", true);
        let (ada, cy) = (app.as_(Ada).await, app.as_(Cy).await);
        send(&ada, "list-contacts", &[]).await.expect(200);
        let log = ada.get("/activity").await.expect(200).page().whole_text();
        assert!(log.contains("GET /api/v1/contacts") && log.contains("Ada"), "{log}");
        send(&cy, "list-contacts", &[]).await.expect(403);
        // Another team's resource is not found.
        app.switch_api("Globex", true);
        let (dan, alias) = (app.as_(Dan).await, things::alias(&app));
        let page = send(&dan, "get-alias", &[("path.id", &alias)]).await.expect(200).page();
        assert_eq!(page.text(".try-status"), "404 Not Found");
    }

    async fn tokens_cannot_be_created_here(app: TestApp) {
        app.switch_api("Acme", true);
        let ada = app.as_(Ada).await;
        let sure = [("body", r#"{"name": "ci"}"#), ("sure", "yes")];
        let refused = send(&ada, "create-api-key", &sure).await.expect(403);
        assert!(refused.body.contains("Developer page"));
        assert_eq!(app.database.number("SELECT count(*) AS n FROM tokens"), 0);
    }
}

#[tokio::test]
async fn a_response_that_is_too_long_is_not_shown() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    app.alias("Acme", "hello");
    let (ada, lines) = (app.as_(Ada).await, "all work and no play\n".repeat(420_000));
    let letter = format!("From: bob@customer.test\nSubject: long\n\n{lines}");
    let id = app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter).to_string();
    let page = send(&ada, "download-message", &[("path.id", &id)]).await.expect(200).page();
    assert_eq!(page.text(".try-status"), "200 OK");
    assert!(page.whole_text().contains("The response is too long to show here."));
}
