//! The maximum number of connections, and which one is closed first.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use gatepost::web::Limits;

use super::{Client, TIMEOUT};
use crate::support::TestApp;

const ALIVE: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

fn address(app: &TestApp) -> SocketAddr {
    app.base.trim_start_matches("http://").parse().expect("an address")
}

/// No client of a test is idle for so long.
const NEVER: Duration = Duration::from_secs(3600);

fn from(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// Connects until one connection is accepted, which takes until the server notices the end of another.
#[track_caller]
fn is_admitted(app: &TestApp) {
    let since = Instant::now();
    while !Client::connect(&app.base).send(ALIVE).response().starts_with("HTTP/1.1 200") {
        assert!(since.elapsed() < TIMEOUT, "no connection is accepted");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn the_connections_of_one_address_are_limited() {
    let app = TestApp::limited(&[], Limits { per_ip: 2, connections: 3, idle: NEVER, ..Limits::default() });
    let mut open = [(); 2].map(|()| Client::connect(&app.base).send(ALIVE));
    assert!(open.iter_mut().all(|client| client.response().starts_with("HTTP/1.1 200")));
    let refused = Client::connect(&app.base).send(ALIVE).text();
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 503"), "{refused}");
    let mut other = Client::connect_from(from(2), address(&app)).send(ALIVE);
    assert!(other.response().starts_with("HTTP/1.1 200"));
    // Then limits the total of all addresses.
    let refused = Client::connect_from(from(3), address(&app)).send(ALIVE).text();
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 503"), "{refused}");
    drop((open, other));
    is_admitted(&app);
}

#[tokio::test]
async fn a_trusted_proxy_can_use_all_connections() {
    let limits = Limits { per_ip: 1, idle: NEVER, ..Limits::default() };
    let app = TestApp::limited(&[("GATEPOST_TRUSTED_PROXIES", "127.0.0.1")], limits);
    let mut open = [(); 5].map(|()| Client::connect(&app.base).send(ALIVE));
    assert!(open.iter_mut().all(|client| client.response().starts_with("HTTP/1.1 200")));
    let mut strangers = [(); 2].map(|()| Client::connect_from(from(2), address(&app)).send(ALIVE));
    let responses = strangers.each_mut().map(Client::response);
    assert_eq!(
        responses.iter().filter(|response| response.starts_with("HTTP/1.1 200")).count(),
        1,
        "{responses:?}"
    );
}

#[tokio::test]
async fn the_longest_idle_connection_is_closed() {
    let limits = Limits {
        per_ip: 2,
        connections: 3,
        idle: Duration::ZERO,
        grace: NEVER,
        max_body_time: NEVER,
        rate: u32::MAX,
    };
    let app = TestApp::limited(&[], limits);
    let mut first = Client::connect(&app.base).send(ALIVE);
    assert!(first.response().starts_with("HTTP/1.1 200"));
    let slow = "POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\na";
    let mut second = Client::connect_from(from(2), address(&app)).send(slow);
    assert!(second.response().starts_with("HTTP/1.1 403"), "refused before its body arrives");
    // Exceeds the limit of one address, then the total.
    for last in [1, 1, 3, 4, 5] {
        let mut newcomer = Client::connect_from(from(last), address(&app)).send(ALIVE);
        assert!(newcomer.response().starts_with("HTTP/1.1 200"), "{last}");
    }
    let _held: Vec<_> = (6..9).map(|last| Client::connect_from(from(last), address(&app))).collect();
    is_admitted(&app);
    // Evicted connections must end, or they would stay open forever.
    drop((first.rest(), second.rest()));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
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
    assert!(deaf.response().starts_with("HTTP/1.1 200"));
    is_admitted(&app);
    // Receives the data sent before the end, but not the rest.
    let rest = deaf.rest();
    assert!(rest.len() < letter.len(), "{} bytes", rest.len());
}
