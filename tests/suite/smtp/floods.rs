//! The memory of the process under a flood of mail, with default settings.

use std::net::{IpAddr, SocketAddr};
use std::thread;

use crate::support::database::Database;
use crate::support::dns::Dns;
use crate::support::mail_server::{self, Talk, letter};
use crate::support::process::{Gatepost, Serving};

const TO: &str = "postmaster@gatepost.localhost";
/// As stated in docs/mail.md.
const MAX_MEMORY: usize = 400 << 20;

fn start(gatepost: &Gatepost) -> Serving {
    gatepost.ok(&["setup", "--team", "Acme", "--owner", "ada@acme.test"], "correct horse battery");
    gatepost.serve()
}

/// Sends the message from each peer at the same time, and returns the replies.
fn send_all(to: SocketAddr, peers: &[IpAddr], message: &[u8]) -> Vec<String> {
    let send = |peer: IpAddr| {
        let mut talk = Talk::from(peer, to);
        talk.expect("220");
        talk.say("EHLO client.test").expect("250");
        talk.envelope("a@quiet.test", &[TO]).data(message).reply()
    };
    thread::scope(|scope| {
        let senders: Vec<_> = peers.iter().map(|peer| scope.spawn(|| send(*peer))).collect();
        senders.into_iter().map(|sender| sender.join().expect("a reply")).collect()
    })
}

/// Two connections from each address.
fn peers(count: u8) -> Vec<IpAddr> {
    (0..count).map(|n| IpAddr::from([127, 0, 0, 1 + n / 2])).collect()
}

fn assert_memory_is_bounded(gatepost: &Gatepost, message: &[u8], peers: &[IpAddr]) {
    let server = start(gatepost);
    let before = server.peak_memory();
    let mut talk = Talk::smtp(mail_server::of(&server));
    talk.envelope("bob@example.test", &[TO]).data(letter("before")).expect("250");
    let replies = send_all(mail_server::of(&server), peers, message);
    let peak = server.peak_memory();
    let stored = replies.iter().filter(|reply| reply.starts_with("250")).count();
    assert!(replies.iter().all(|reply| ["250", "452", "451"].contains(&&reply[..3])), "{replies:?}");
    assert!(stored > 0, "{replies:?}");
    let mb = |bytes: usize| bytes >> 20;
    println!("{} MB, then {} MB; {stored} of {} stored", mb(before), mb(peak), replies.len());
    assert!(peak <= MAX_MEMORY, "{} MB, with {stored} stored of {}", mb(peak), replies.len());
    talk.envelope("bob@example.test", &[TO]).data(letter("after")).expect("250");
}

/// The DNS server responds only for the root, so each message waits for its sender's domain.
fn quiet() -> (Dns, Gatepost) {
    let dns = Dns::start();
    dns.silence("quiet.test").silence("_dmarc.quiet.test");
    let gatepost = Gatepost::new().with("GATEPOST_DNS", &dns.address);
    (dns, gatepost)
}

fn large(kind: &str, line: &[u8]) -> Vec<u8> {
    let head = letter("large").replace("Subject:", &format!("{kind}\r\nSubject:"));
    let head = head.replace("example.test", "quiet.test");
    [head.as_bytes(), &line.repeat((20 << 20) / line.len())].concat()
}

#[test]
fn large_messages_waiting_for_dns_take_bounded_memory() {
    let (_dns, gatepost) = quiet();
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let kind = "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64";
    assert_memory_is_bounded(&gatepost, &large(kind, line.as_bytes()), &peers(16));
}

/// Each byte of invalid UTF-8 becomes U+FFFD, which takes three bytes.
#[test]
fn text_that_grows_when_decoded_takes_bounded_memory() {
    let line = [&[0xff; 76][..], b"\r\n"].concat();
    assert_memory_is_bounded(&Gatepost::new(), &large("Content-Type: text/html", &line), &peers(8));
}

#[test]
fn large_messages_on_postgres_take_bounded_memory() {
    let (database, (_dns, gatepost)) = (Database::postgres(), quiet());
    let gatepost = gatepost.with("GATEPOST_DATABASE_URL", database.url());
    assert_memory_is_bounded(
        &gatepost,
        &large("X: y", format!("{}\r\n", "a".repeat(76)).as_bytes()),
        &peers(8),
    );
}
