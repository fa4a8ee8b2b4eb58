//! Long files are sent in pieces, and concurrent downloads are limited.

use std::net::Ipv4Addr;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepost::domain::access::plans::Plan;
use gatepost::domain::mailroom::messages::{self, MessageId};

use super::{Client, TIMEOUT};
use crate::support::people::Person::Ada;
use crate::support::{TestApp, both_engines};

/// More than the system buffers for a client that does not read.
const LONG: usize = 8 << 20;

/// Bytes without repetition.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

/// A message with a file of this size, in lines of 76 characters.
fn letter(size: usize) -> String {
    let encoded = STANDARD.encode(bytes(size));
    let lines: Vec<_> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!(
        "From: bob@customer.test\nSubject: large\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee below.\n\
         --b\nContent-Type: application/x-raw; name=a.bin\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment; filename=a.bin\n\n{}\n--b--\n",
        lines.join("\n")
    )
}

fn arrives(app: &TestApp, team: &str, letter: &str) -> MessageId {
    app.switch_api(team, true);
    app.set_plan(team, Plan::Enterprise);
    let alias = team.to_lowercase();
    app.alias(team, &alias);
    app.arrives("bob@customer.test", &format!("{alias}@gatepost.localhost"), letter)
}

/// Requests a message and reads only the head of the response.
fn ask(app: &TestApp, token: &str, id: MessageId) -> (Client, String) {
    let line =
        format!("GET /api/v1/messages/{id}/raw HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut client = Client::connect(&app.base).send(line);
    let head = client.response();
    (client, head)
}

/// Returns the accepted clients, and the head of the first refusal.
fn ask_until_refused(ask: impl Fn() -> (Client, String)) -> (Vec<Client>, String) {
    let mut slow = Vec::new();
    for _ in 0..40 {
        let (client, head) = ask();
        if !head.starts_with("HTTP/1.1 200") {
            return (slow, head);
        }
        slow.push(client);
    }
    panic!("{} slow readers are served at once", slow.len());
}

both_engines! {
    async fn a_long_file_is_complete(app: TestApp) {
        let letter = letter(2_000_000);
        let id = arrives(&app, "Acme", &letter);
        let team = app.team("Acme").id;
        let file = app.operate(|tx, _| messages::open(tx, team, id)).attachments[0].id;
        let (ada, token) = (app.as_(Ada).await, app.token("Acme", "ci"));
        let whole = letter.replace('\n', "\r\n").into_bytes();
        for (path, expected) in [("raw".to_owned(), whole), (format!("attachments/{file}"), bytes(2_000_000))] {
            let by_token = app.api(&token).request(reqwest::Method::GET, &format!("/api/v1/messages/{id}/{path}"));
            for request in [by_token, ada.request(reqwest::Method::GET, &format!("/inbox/{id}/{path}"))] {
                let response = request.send().await.expect("a response");
                assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(expected.len() as u64)), "{path}");
                let bytes = response.bytes().await.expect("a whole file");
                assert!(bytes == expected, "{path}: {} bytes", bytes.len());
            }
        }
        let page = ada.get(&format!("/inbox/{id}/source")).await.expect(200);
        assert!(page.body.contains("This is the beginning") && page.body.len() < 300_000);
    }

    async fn a_file_deleted_during_the_download_is_incomplete(app: TestApp) {
        let id = arrives(&app, "Acme", &letter(LONG));
        let (mut client, head) = ask(&app, &app.token("Acme", "ci"), id);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let team = app.team("Acme").id;
        app.operate(|tx, actor| messages::delete(tx, actor, team, id));
        // A message stored in its place must not be sent as the rest.
        arrives_again(&app);
        assert!(client.rest().len() < LONG);
    }
}

fn arrives_again(app: &TestApp) {
    app.arrives("bob@customer.test", "acme@gatepost.localhost", &letter(LONG));
}

#[tokio::test]
async fn long_responses_to_one_address_are_limited() {
    let app = TestApp::sqlite().await;
    let text =
        format!("From: bob@customer.test\nSubject: long\n\n{}", "all work and no play\n".repeat(60_000));
    let id = arrives(&app, "Acme", &text);
    let token = app.token("Acme", "ci");
    let request =
        format!("GET /api/v1/messages/{id} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    let to = app.base.trim_start_matches("http://").parse().expect("an address");
    let ask = |last| {
        let mut client = Client::connect_from(Ipv4Addr::new(127, 0, 0, last).into(), to).send(&request);
        let head = client.response();
        (client, head)
    };
    let (slow, refused) = ask_until_refused(|| ask(1));
    assert!((8..=16).contains(&slow.len()), "{}", slow.len());
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("SERVICE_UNAVAILABLE"), "{refused}");
    assert!(ask(2).1.starts_with("HTTP/1.1 200"));
    app.api(&token).get("/api/v1/me").await.expect(200);
}

#[tokio::test]
async fn slow_downloads_of_one_team_do_not_delay_others() {
    let app = TestApp::sqlite().await;
    let (acme, globex) = (arrives(&app, "Acme", &letter(LONG)), arrives(&app, "Globex", &letter(LONG)));
    let (token, other) = (app.token("Acme", "ci"), app.token("Globex", "ci"));
    let (mut slow, refused) = ask_until_refused(|| ask(&app, &token, acme));
    assert_eq!(slow.len(), 16);
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: "), "{refused}");
    assert!(ask(&app, &other, globex).1.starts_with("HTTP/1.1 200"));
    // A short response does not have to wait.
    app.api(&token).get(&format!("/api/v1/messages/{acme}")).await.expect(200);
    slow.pop();
    let since = Instant::now();
    while !ask(&app, &token, acme).1.starts_with("HTTP/1.1 200") {
        assert!(since.elapsed() < TIMEOUT, "no download ends");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
