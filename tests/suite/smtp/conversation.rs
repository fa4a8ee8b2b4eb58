//! The replies to each command, in SMTP and in LMTP.

use crate::support::mail_server::{self, Talk, letter};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

both_engines! {
    async fn a_message_is_stored_and_the_reply_has_its_id(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        let reply = talk.envelope("bob@example.test", &[HELLO]).data(letter("first")).expect("250 2.0.0 Stored as msg_");
        let id = reply.trim_end().rsplit(' ').next().expect("an id");
        assert_eq!(app.stored(), [(id.to_owned(), "first".to_owned())]);
        talk.say("QUIT").expect("221 2.0.0");
        talk.expect_end();
    }
}

#[tokio::test]
async fn the_greeting_lists_supported_extensions() {
    let app = TestApp::sqlite().await;
    let server = mail_server::open(&app.app);
    let mut talk = Talk::connect(mail_server::smtp(&server));
    assert_eq!(talk.reply(), "220 gatepost.localhost ESMTP Gatepost\r\n");
    let mut lines: Vec<_> =
        talk.say("EHLO client.test").reply().lines().skip(1).map(|line| line[4..].to_owned()).collect();
    lines.sort();
    assert_eq!(lines, ["8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "SIZE 26214400", "SMTPUTF8"]);
    assert_eq!(talk.say("HELO client.test").reply(), "250 gatepost.localhost\r\n");
    talk.say("LHLO client.test").expect("502 5.5.1");
    let mut talk = Talk::connect(mail_server::lmtp(&server));
    assert_eq!(talk.reply(), "220 gatepost.localhost LMTP Gatepost\r\n");
    talk.say("EHLO client.test").expect("502 5.5.1");
    talk.say("HELO client.test").expect("502 5.5.1");
    talk.say("LHLO client.test").expect("250-");
}

#[tokio::test]
async fn commands_must_come_in_order() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let mut talk = Talk::connect(mail_server::smtp(&server));
    talk.expect("220");
    for (line, reply) in [
        ("MAIL FROM:<bob@example.test>", "503 5.5.1"),
        ("NOOP", "250 2.0.0"),
        ("EHLO client.test", "250-"),
        ("RCPT TO:<hello@gatepost.localhost>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("MAIL FROM:<bob@example.test>", "250 2.1.0"),
        ("MAIL FROM:<bob@example.test>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("RCPT TO:<nobody@gatepost.localhost>", "550 5.1.1 <nobody@gatepost.localhost>"),
        ("RCPT TO:<hello@elsewhere.test>", "550 5.1.1"),
        ("DATA", "503 5.5.1"),
        ("RSET", "250 2.0.0"),
        ("RCPT TO:<hello@gatepost.localhost>", "503 5.5.1"),
        ("mail from:<> size=100 BODY=8BITMIME", "250 2.1.0"),
        ("rcpt to:<HELLO@Gatepost.Localhost>", "250 2.1.5"),
        ("EHLO again.test", "250-"),
        ("RCPT TO:<hello@gatepost.localhost>", "503 5.5.1"),
        ("HELP", "214 2.0.0"),
        ("VRFY hello", "252 2.5.0"),
        ("EXPN hello", "502 5.5.1"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1"),
        ("STARTTLS", "502 5.5.1"),
        ("BDAT 5 LAST", "502 5.5.1"),
        ("QUIT", "221 2.0.0"),
    ] {
        let said = talk.say(line).reply();
        assert!(said.starts_with(reply), "{line}: {said:?}");
    }
    talk.expect_end();
}

#[tokio::test]
async fn invalid_senders_recipients_and_parameters_are_refused() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open_with(&app.app, None, |limits| limits.errors = 100);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    for (line, reply) in [
        ("MAIL FROM:bob@example.test", "501 5.5.4"),
        ("MAIL FROM:<bob>", "501 5.1.7"),
        ("MAIL FROM:<bob@example.test> BODY=BINARYMIME", "555 5.5.4"),
        ("MAIL FROM:<bob@example.test> RET=FULL", "555 5.5.4"),
        ("MAIL FROM:<bob@example.test> WHAT=EVER", "555 5.5.4"),
        ("MAIL FROM:<bob@example.test> SIZE=a", "501 5.5.4"),
        ("MAIL FROM:<jörg@example.test>", "553 5.6.7"),
        ("MAIL FROM:<bob@example.test> SIZE=99999999999", "552 5.3.4"),
        ("MAIL FROM:<jörg@example.test> SMTPUTF8", "250 2.1.0"),
        ("RCPT TO:<>", "501 5.1.3"),
        ("RCPT TO:<hello>", "501 5.1.3"),
        ("RCPT TO:<hello@gatepost.localhost> NOTIFY=NEVER", "555 5.5.4"),
        ("RCPT TO:<jörg@gatepost.localhost>", "550 5.1.1"),
        ("RCPT TO:<@relay.test:hello@gatepost.localhost>", "250 2.1.5"),
        ("RCPT TO:<Postmaster>", "250 2.1.5"),
    ] {
        let said = talk.say(line).reply();
        assert!(said.starts_with(reply), "{line}: {said:?}");
    }
}

both_engines! {
    async fn commands_can_be_pipelined(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::connect(mail_server::smtp(&server));
        let one = |subject: &str| {
            let text = letter(subject);
            format!("MAIL FROM:<bob@example.test>\r\nRCPT TO:<{HELLO}>\r\nDATA\r\n{text}.\r\n")
        };
        talk.send(format!("EHLO client.test\r\n{}RSET\r\n{}QUIT\r\n", one("one"), one("two")));
        for start in ["220", "250-", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0 Stored", "250 2.0.0 OK"] {
            talk.expect(start);
        }
        for start in ["250 2.1.0", "250 2.1.5", "354", "250 2.0.0 Stored", "221"] {
            talk.expect(start);
        }
        talk.expect_end();
        let subjects: Vec<_> = app.stored().into_iter().map(|(_, subject)| subject).collect();
        assert_eq!(subjects, ["one", "two"]);
    }

    async fn a_message_is_stored_unchanged_after_its_received_header(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        let text = "Subject: dots\r\nFrom: bob@example.test\r\n\r\n..one\r\n...\r\n\0\r\n8 bit: \u{e9}";
        talk.envelope("bob@example.test", &[HELLO]).data(text).expect("250");
        let raw = String::from_utf8(app.raw("dots")).expect("UTF-8");
        let (head, kept) = raw.split_once("Subject: ").expect("the message");
        assert_eq!(kept, "dots\r\nFrom: bob@example.test\r\n\r\n.one\r\n..\r\n\0\r\n8 bit: \u{e9}\r\n");
        let (before, after) = head.split_once(" id ").expect("an id");
        assert_eq!(
            before,
            "Return-Path: <bob@example.test>\r\nReceived: from client.test ([127.0.0.1])\r\n\tby gatepost.localhost (Gatepost) with ESMTP"
        );
        let rest = after.split_once("\r\n").expect("a line").1;
        assert_eq!(rest, "\tfor <hello@gatepost.localhost>;\r\n\tMon, 02 Jan 2040 09:00:00 +0000\r\n");
    }

    async fn an_empty_message_is_refused(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        talk.envelope("", &[HELLO]).say("DATA").expect("354");
        talk.send(".\r\n").expect("550 5.6.0");
        assert!(app.stored().is_empty());
    }

    async fn lmtp_replies_for_each_recipient(app: TestApp) {
        app.alias("Acme", "hello");
        app.alias("Globex", "sales");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::lmtp(mail_server::lmtp(&server));
        talk.envelope("bob@example.test", &[HELLO, "sales@gatepost.localhost"]);
        talk.say("RCPT TO:<nobody@gatepost.localhost>").expect("550 5.1.1");
        talk.data(letter("both")).expect("250 2.0.0 <hello@gatepost.localhost> Stored as msg_");
        talk.expect("250 2.0.0 <sales@gatepost.localhost> Stored as msg_");
        assert_eq!(app.stored().len(), 2);
        assert!(String::from_utf8_lossy(&app.raw("both")).contains(" with LMTP id "));
        talk.say("NOOP").expect("250 2.0.0 OK");
        talk.say("DATA").expect("503 5.5.1");
    }

    async fn a_repeated_message_is_stored_once(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        let first = talk.envelope("bob@example.test", &[HELLO]).data(letter("twice")).expect("250");
        let second = talk.envelope("bob@example.test", &[HELLO]).data(letter("twice")).expect("250");
        assert_eq!(first, second);
        assert_eq!(app.stored().len(), 1);
    }

    async fn a_mail_loop_is_refused(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        let hops = "Received: from a by b; Mon, 02 Jan 2040 09:00:00 +0000\r\n".repeat(51);
        talk.envelope("bob@example.test", &[HELLO]).data(hops + &letter("round")).expect("554 5.4.6");
        let ours = "X-Gatepost-Loop: gatepost.localhost\r\n".to_owned() + &letter("ours");
        talk.envelope("bob@example.test", &[HELLO]).data(ours).expect("554 5.4.6");
        assert!(app.stored().is_empty());
    }
}
