//! Floods against the real process with default settings: memory and open files stay within bounds, and new clients
//! are served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use gatepost::app::descriptors;
use gatepost::web::Limits;
use serde_json::{Value, json};

use super::{Client, TIMEOUT};
use crate::support::client::Api;
use crate::support::mail_server::{self, Talk};
use crate::support::process::{Gatepost, Serving};

/// The maximum memory under a flood.
const MEMORY: usize = 400 << 20;

/// More than the open files of a process without connections.
const OWN_FILES: usize = 200;

const HEAD: &str = "POST /sign-in HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: same-origin\r\n\
    Content-Type: application/x-www-form-urlencoded\r\n";

fn address(server: &Serving) -> SocketAddr {
    server.base.trim_start_matches("http://").parse().expect("an address")
}

/// One of this machine's many loopback addresses.
fn from(number: usize) -> IpAddr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(number).expect("a small number")).into()
}

/// Succeeds at the latest when the longest idle connection is evicted.
#[track_caller]
fn serves_a_new_client(server: &Serving, from: IpAddr) {
    let since = Instant::now();
    let ask = || Client::connect_from(from, address(server)).send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    while !ask().response().starts_with("HTTP/1.1 200") {
        assert!(since.elapsed() < TIMEOUT, "a new client is not served");
    }
    Talk::smtp(mail_server::of(server));
}

#[track_caller]
fn is_small(server: &Serving) {
    assert!(server.peak_memory() <= MEMORY, "{} MB", server.peak_memory() >> 20);
}

/// A gzip of millions of equal bytes: `a`, then repeatedly 258 copies of the previous byte, in the codes
/// of RFC 1951, section 3.2.6. The checksum is left out.
fn bomb(bytes: usize) -> Vec<u8> {
    let (mut gzip, mut bits, mut count) = (vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff], 0_u32, 0);
    let mut put = |code: u32, length: u32| {
        bits |= code << count;
        count += length;
        while count >= 8 {
            gzip.push(bits as u8);
            (bits, count) = (bits >> 8, count - 8);
        }
    };
    put(0b011, 3);
    put(0b1000_1001, 8);
    for _ in 0..bytes / 258 {
        // The code 11000101, first bit first, and the distance of one.
        put(0b1010_0011, 8);
        put(0, 5);
    }
    put(0, 7);
    put(0, 7);
    gzip
}

#[tokio::test]
async fn compressed_forms_take_no_memory() {
    let server = Gatepost::new().serve();
    let bomb = bomb(60_000_000);
    let head = format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
    let mut clients: Vec<_> = (0..100)
        .map(|number| Client::connect_from(from(1 + number % 2), address(&server)).send(&head).send(&bomb))
        .collect();
    let responses: Vec<_> = clients.iter_mut().map(Client::response).collect();
    // The server may close the connection before reading everything.
    assert!(responses.iter().all(|response| response.is_empty() || response.starts_with("HTTP/1.1 415")));
    assert!(responses.iter().any(|response| !response.is_empty()), "no client got a response");
    serves_a_new_client(&server, from(1));
    is_small(&server);
}

#[tokio::test]
async fn incomplete_bodies_do_not_block_other_clients() {
    descriptors::raise();
    let server = Gatepost::new().serve_with_open_files(1024);
    let start = format!("{HEAD}Content-Length: 64000\r\n\r\n{}", "a".repeat(60_000));
    let hold = |last| Client::connect_from(from(last), address(&server)).send(&start);
    let mut held: Vec<_> = (0..1100).map(|_| hold(1)).collect();
    serves_a_new_client(&server, from(1));
    held.extend((0..1200).map(|number| hold(2 + number % 12)));
    serves_a_new_client(&server, from(1));
    serves_a_new_client(&server, from(100));
    assert!(
        server.open_files() <= Limits::default().connections + OWN_FILES,
        "{} files",
        server.open_files()
    );
    is_small(&server);
}

/// Each hash takes 19 MiB, which must be returned to the system.
#[tokio::test]
async fn memory_for_password_hashing_is_released() {
    let gatepost = Gatepost::new();
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery\n");
    let server = gatepost.serve();
    for round in 0..5 {
        let mut guesses: Vec<_> = (0..10)
            .map(|guess| {
                let form = format!("email=u{round}{guess}@acme.test&password=wrong+wrong+wrong");
                let head = format!("{HEAD}Content-Length: {}\r\n\r\n", form.len());
                Client::connect(&server.base).send(head).send(form)
            })
            .collect();
        assert!(guesses.iter_mut().all(|guess| guess.response().starts_with("HTTP/1.1 422")));
    }
    assert!(server.peak_memory() <= 200 << 20, "{} MB", server.peak_memory() >> 20);
}

/// A server with a message of 23 MB, and a token that can read it.
fn with_a_large_message(gatepost: &Gatepost) -> (Serving, String) {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery\n");
    gatepost.ok(&["api", "Acme", "on"], "");
    let token = gatepost.ok(&["token", "mint", "--team", "Acme", "--name", "ci", "--scopes", "all"], "");
    (gatepost.serve(), token.trim().to_owned())
}

#[tokio::test]
async fn slow_readers_take_little_memory() {
    let gatepost = Gatepost::new();
    let (server, token) = with_a_large_message(&gatepost);
    let api = Api::new(&server.base, &[("Authorization", &format!("Bearer {token}"))]);
    api.send_json(reqwest::Method::POST, "/api/v1/aliases", &json!({"localPart": "hello"})).await.expect(201);
    let line = format!("{}\r\n", "all work and no play ".repeat(40));
    let letter = format!("From: b@a.test\r\nSubject: large\r\n\r\n{}", line.repeat(23_000_000 / line.len()));
    Talk::smtp(mail_server::of(&server))
        .envelope("b@a.test", &["hello@gatepost.localhost"])
        .data(letter)
        .expect("250");
    let list: Value = api.get("/api/v1/messages").await.expect(200).json();
    let id = list["data"][0]["id"].as_str().expect("a message").to_owned();
    let ask = |path: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        format!("GET /api/v1/messages/{id}{path} HTTP/1.1\r\nHost: a\r\n{bearer}\r\n\r\n")
    };
    let mut slow: Vec<_> = (0..60).map(|_| Client::connect(&server.base).send(ask("/raw"))).collect();
    let heads: Vec<_> = slow.iter_mut().map(Client::response).collect();
    let served = heads.iter().filter(|head| head.starts_with("HTTP/1.1 200")).count();
    assert!((1..60).contains(&served), "{served}: {heads:?}");
    assert!(heads.iter().all(|head| head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 503")));
    serves_a_new_client(&server, from(1));
    api.get(&format!("/api/v1/messages/{id}")).await.expect(200);
    is_small(&server);
}
