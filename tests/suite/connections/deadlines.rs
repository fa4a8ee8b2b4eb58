//! Slow clients are disconnected, whichever part of a request is slow.

use std::time::Duration;

use gatepost::web::Limits;

use super::Client;
use crate::support::{TestApp, raw};

fn hasty() -> TestApp {
    let (grace, max_body_time) = (Duration::from_millis(300), Duration::from_millis(600));
    let app = TestApp::limited(&[], Limits { grace, max_body_time, ..Limits::default() });
    app.switch_api("Acme", true);
    app
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const OWN: &str = "Sec-Fetch-Site: same-origin\r\n";

#[tokio::test]
async fn an_incomplete_body_times_out() {
    let app = hasty();
    let bearer =
        format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", app.token("Acme", "ci"));
    let requests = [
        ("POST /sign-in", format!("{FORM}{OWN}"), "HTTP/1.1 400"),
        // These bodies are refused unread.
        ("POST /sign-in", FORM.to_owned(), "HTTP/1.1 403"),
        ("POST /nothing", format!("{FORM}{OWN}"), "HTTP/1.1 404"),
        ("POST /api/v1/aliases", String::new(), "HTTP/1.1 401"),
        ("POST /api/v1/aliases", bearer, "HTTP/1.1 400"),
    ];
    for (line, headers, status) in requests {
        for body in ["Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n3e8\r\n{"] {
            let request = format!("{line} HTTP/1.1\r\nHost: a\r\n{headers}{body}");
            let response = Client::connect(&app.base).send(&request).text();
            assert!(response.starts_with(status), "{request}\n\n{response}");
        }
    }
}

/// Every counted call is recorded.
#[tokio::test]
async fn a_call_with_an_incomplete_body_is_recorded() {
    let app = hasty();
    let bearer = format!("Authorization: Bearer {}", app.token("Acme", "ci"));
    let request = format!(
        "POST /api/v1/aliases HTTP/1.1\r\nHost: a\r\n{bearer}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{"
    );
    Client::connect(&app.base).send(request).rest();
    app.flush().await;
    assert_eq!(app.database.number("SELECT count(*) AS n FROM activity WHERE status = 400"), 1);
}

#[tokio::test]
async fn an_incomplete_head_times_out() {
    let app = hasty();
    for head in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: "] {
        assert_eq!(Client::connect(&app.base).send(head).text(), "", "{head}");
        // Also after another request, or with bytes that look like the rest of a body.
        let mut later = Client::connect(&app.base).send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(later.response().starts_with("HTTP/1.1 200"));
        later.send(head).rest();
    }
}

#[tokio::test]
async fn consecutive_requests_have_separate_deadlines() {
    // Together the requests take longer than the deadline of one, but each is faster even on a busy machine.
    let grace = Duration::from_secs(3);
    let app = TestApp::limited(&[], Limits { grace, ..Limits::default() });
    let form = format!("POST /sign-in HTTP/1.1\r\nHost: a\r\n{FORM}{OWN}Content-Length: 3\r\n\r\na=b");
    let mut client = Client::connect(&app.base);
    for _ in 0..3 {
        client = client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(client.response().starts_with("HTTP/1.1 200"));
        client = client.send(&form);
        assert!(client.response().starts_with("HTTP/1.1 4"));
        std::thread::sleep(grace / 2);
    }
    // Pipelined requests are answered in order.
    let all = format!("{form}GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let responses = Client::connect(&app.base).send(all).text();
    assert_eq!(responses.matches("HTTP/1.1 ").count(), 2, "{responses}");
    assert_eq!(raw::exchange(&app.base, "GET /healthz", &[], "").status, "HTTP/1.1 200 OK");
}
