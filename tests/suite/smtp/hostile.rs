//! Messages that attack the server: each is stored or refused with a code, and the next one is accepted as usual.

use crate::support::mail_server::{self, Talk, letter};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

fn nested(depth: usize) -> String {
    let part = |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    (0..depth).map(part).collect::<String>() + "\r\nx"
}

/// Messages, with the start of the expected reply.
fn corpus() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    const STORED: &str = "250 2.0.0 Stored";
    let headers = |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let zip =
        "UEsDBBQAAAAIAAAAIQAAAAAA".repeat(100_000).as_bytes().chunks(76).fold(Vec::new(), |mut all, line| {
            all.extend_from_slice(line);
            all.extend_from_slice(b"\r\n");
            all
        });
    let bomb = b"Content-Type: application/zip; name=\"42.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let charset = b"Content-Type: text/plain; charset=x-no-such\r\n\r\n\xff\xfe\x00\xd8\x80";
    let signatures = "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from; l=1; bh=AA==; b=AA==\r\n";
    let refused = [
        ("nothing", "550 5.6.0", Vec::new()),
        ("no headers", "550 5.6.0", b"just text".to_vec()),
        ("no author", "550 5.6.0", b"Subject: a\0b\r\nFrom: \0\r\n\r\n\0\0\0".to_vec()),
        ("headers", "552 5.3.4", headers(10_000).into_bytes()),
        ("a long line", "552 5.3.4", format!("Subject: {}\r\n\r\n", "a".repeat(1 << 20)).into_bytes()),
        ("signatures", "552 5.3.4", signatures.repeat(2000).into_bytes()),
        ("a line feed", "554 5.5.2", b"Subject: x\r\n\r\na\nb".to_vec()),
        ("a carriage return", "554 5.5.2", b"Subject: x\r\n\r\na\rb".to_vec()),
    ];
    let stored = [
        ("some headers", headers(4000).into_bytes()),
        ("nested", nested(200).into_bytes()),
        ("nested deeper", nested(20_000).into_bytes()),
        ("mail in mail", ("Content-Type: message/rfc822\r\n\r\n".repeat(200) + "\r\nx").into_bytes()),
        ("no boundary", b"Content-Type: multipart/mixed\r\n\r\n--\r\n\r\n--x--".to_vec()),
        ("an unknown charset", charset.to_vec()),
        ("NUL", b"Subject: a\0b\r\n\r\n\0\0\0".to_vec()),
        (
            "a long body",
            format!("Subject: {}\r\n\r\n{}", "a".repeat(60_000), "b".repeat(1 << 20)).into_bytes(),
        ),
        (
            "binary",
            b"Subject: x\r\n\r\n".iter().copied().chain((0..=255).filter(|b| !b"\r\n".contains(b))).collect(),
        ),
        ("a bomb", [&bomb[..], &zip].concat()),
        (
            "quotes",
            b"Sender: \"\\\"<>,;:\" <\"a b\"@[127.0.0.1]>, , <>\r\nTo: undisclosed:;\r\n\r\n".to_vec(),
        ),
        (
            "an encoded header",
            format!("Subject: {}\r\n\r\n", "=?utf-8?q?=00=ff?= ".repeat(3000)).into_bytes(),
        ),
        ("some signatures", (signatures.repeat(500) + "Subject: signed\r\n\r\nx").into_bytes()),
        (
            "a script",
            b"Subject: <script>alert(1)</script>\r\nContent-Type: text/html\r\n\r\n<script>x".to_vec(),
        ),
    ];
    let from = |raw: Vec<u8>| [b"From: a@a.test\r\n", &raw[..]].concat();
    let stored = stored.into_iter().map(|(what, raw)| (what, STORED, from(raw)));
    refused.into_iter().chain(stored).collect()
}

both_engines! {
    async fn hostile_messages_are_stored_or_refused(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open(&app.app);
        for (what, start, raw) in corpus() {
            let mut talk = Talk::smtp(mail_server::smtp(&server));
            let reply = talk.envelope("bob@example.test", &[HELLO]).data(&raw).reply();
            assert!(reply.starts_with(start), "{what}: {reply:?}");
        }
        let stored = corpus().iter().filter(|(_, start, _)| start.starts_with("250")).count();
        assert_eq!(app.stored().len(), stored);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        talk.envelope("bob@example.test", &[HELLO]).data(letter("after")).expect("250");
    }
}

/// Names from a peer appear in headers, replies and the log.
#[tokio::test]
async fn hostile_names_cannot_break_out_of_a_header() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let mut talk = Talk::connect(mail_server::smtp(&server));
    talk.expect("220");
    talk.say("EHLO a(b)<c>\u{1b}[31m\u{7f}\u{f6}").expect("250");
    talk.say("MAIL FROM:<\"a\\\"b<c>\"@example.test>").expect("250");
    talk.say(&format!("RCPT TO:<{HELLO}>")).expect("250");
    talk.data(letter("names")).expect("250");
    let raw = String::from_utf8(app.raw("names")).expect("UTF-8");
    assert!(raw.contains("\r\nReceived: from abc[31m ([127.0.0.1])\r\n"), "{raw}");
    // In a quoted local part, angle brackets are text (RFC 5321 4.1.2).
    assert!(raw.starts_with("Return-Path: <\"a\\\"b<c>\"@example.test>\r\n"), "{raw}");
    talk.say("MAIL FROM:<>").expect("250");
    let reply = talk.say("RCPT TO:<\u{1b}[2J@x.test>").reply();
    assert!(reply.starts_with('5') && !reply.contains('\u{1b}'), "{reply:?}");
}
