//! How many may be connected, and who loses a seat.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use gatepost::web::Limits;

use super::{Client, PATIENCE};
use crate::support::TestApp;

const ALIVE: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

fn address(app: &TestApp) -> SocketAddr {
    app.base.trim_start_matches("http://").parse().expect("an address")
}

fn from(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// Asks until somebody is let in; a seat is given back when the server has seen the end.
#[track_caller]
fn is_let_in(app: &TestApp) {
    let since = Instant::now();
    while !Client::connect(&app.base).send(ALIVE).answer().starts_with("HTTP/1.1 200") {
        assert!(since.elapsed() < PATIENCE, "nobody is let in");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn one_address_has_so_many_connections() {
    let app = TestApp::limited(&[], Limits { per_ip: 2, connections: 3, ..Limits::default() });
    let mut open = [(); 2].map(|()| Client::connect(&app.base).send(ALIVE));
    assert!(open.iter_mut().all(|client| client.answer().starts_with("HTTP/1.1 200")));
    let refused = Client::connect(&app.base).send(ALIVE).text();
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 503"), "{refused}");
    let mut other = Client::connect_from(from(2), address(&app)).send(ALIVE);
    assert!(other.answer().starts_with("HTTP/1.1 200"));
    // And all together.
    let refused = Client::connect_from(from(3), address(&app)).send(ALIVE).text();
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 503"), "{refused}");
    drop((open, other));
    is_let_in(&app);
}

#[tokio::test]
async fn all_clients_may_come_through_one_proxy() {
    let limits = Limits { per_ip: 1, ..Limits::default() };
    let app = TestApp::limited(&[("GATEPOST_TRUSTED_PROXIES", "127.0.0.1")], limits);
    let mut open = [(); 5].map(|()| Client::connect(&app.base).send(ALIVE));
    assert!(open.iter_mut().all(|client| client.answer().starts_with("HTTP/1.1 200")));
    let mut strangers = [(); 2].map(|()| Client::connect_from(from(2), address(&app)).send(ALIVE));
    let answers = strangers.each_mut().map(Client::answer);
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200")).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn whoever_does_not_read_loses_the_seat() {
    let grace = Duration::from_millis(300);
    let app = TestApp::limited(&[], Limits { grace, connections: 1, ..Limits::default() });
    app.switch_api("Acme", true);
    app.alias("Acme", "hello");
    let letter = format!("Subject: large\n\n{}", "all work and no play\n".repeat(1 << 19));
    let id = app.arrives("bob@customer.test", "hello@gatepost.localhost", &letter);
    let token = app.token("Acme", "ci");
    let ask =
        format!("GET /api/v1/messages/{id}/raw HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut deaf = Client::connect(&app.base).send(ask);
    assert!(deaf.answer().starts_with("HTTP/1.1 200"));
    is_let_in(&app);
    // What was on its way came before the end, and the rest never does.
    let rest = deaf.rest();
    assert!(rest.len() < letter.len(), "{} bytes", rest.len());
}
