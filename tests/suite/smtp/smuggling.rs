//! Only CR LF . CR LF ends a message. Anything that another server could interpret as the end is refused.

use crate::support::TestApp;
use crate::support::mail_server::{self, Talk};

const HELLO: &str = "hello@gatepost.localhost";

/// A second message that an attacker would smuggle in.
const SECOND: &str = "MAIL FROM:<admin@gatepost.localhost>\r\nRCPT TO:<hello@gatepost.localhost>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n";

#[tokio::test]
async fn only_crlf_dot_crlf_ends_a_message() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let endings = [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r.\r\n",
        "\r\n.\r",
        "\n.\r",
        "\r.\n",
        "\r\n.\r\r\n",
        "\r\r\n.\r\n",
        "\n\n.\r\n",
        "\n\r\n.\r\n",
        "\r\n\n.\n",
        "\r\n\0.\n",
        "\r\n.\0\n",
    ];
    for ending in endings {
        for split in [false, true] {
            let mut talk = Talk::smtp(mail_server::smtp(&server));
            talk.envelope("bob@example.test", &[HELLO]).say("DATA").expect("354");
            let text = format!("Subject: outer\r\n\r\nx{ending}{SECOND}");
            for bytes in text.as_bytes().chunks(if split { 1 } else { text.len() }) {
                talk.send(bytes);
            }
            let reply = talk.reply();
            assert!(reply.starts_with("554 5.5.2"), "{ending:?}: {reply:?}");
            talk.expect_end();
        }
    }
    assert!(app.stored().is_empty());
}

/// In LMTP, a bare line ending gets a reply for each recipient.
#[tokio::test]
async fn lmtp_refuses_a_bare_newline_for_each_recipient() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    app.alias("Acme", "sales");
    let server = mail_server::open(&app.app);
    let mut talk = Talk::lmtp(mail_server::lmtp(&server));
    talk.envelope("bob@example.test", &[HELLO, "sales@gatepost.localhost"]).say("DATA").expect("354");
    talk.send("a\n.\nQUIT\r\n");
    talk.expect("554 5.5.2 <hello@gatepost.localhost>");
    talk.expect("554 5.5.2 <sales@gatepost.localhost>");
    talk.expect_end();
}

#[tokio::test]
async fn a_dot_inside_a_line_is_text() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    talk.envelope("bob@example.test", &[HELLO])
        .data("Subject: dots\r\nFrom: bob@example.test\r\n\r\na.\r\n .\r\n. \r\n.. \r\n")
        .expect("250");
    let raw = String::from_utf8(app.raw("dots")).expect("UTF-8");
    assert!(raw.ends_with("\r\n\r\na.\r\n .\r\n \r\n. \r\n\r\n"), "{raw:?}");
}

#[tokio::test]
async fn commands_must_end_with_crlf() {
    let app = TestApp::sqlite().await;
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    for line in ["NOOP\n", "NOOP\rRSET\r\n", "NO\0OP\r\n", "\r\n", "NOOP \r\r\n"] {
        talk.send(line).expect("500 5.5");
    }
    talk.say("NOOP").expect("250");
}

/// A browser sends this when a page makes it connect to this port.
#[tokio::test]
async fn a_browser_is_disconnected_at_once() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let mut talk = Talk::connect(mail_server::smtp(&server));
    talk.send(format!("POST / HTTP/1.1\r\nHost: a\r\n\r\nEHLO a\r\n{SECOND}"));
    talk.expect("220");
    talk.expect("554 5.5.1");
    talk.expect_end();
    assert!(app.stored().is_empty());
}
