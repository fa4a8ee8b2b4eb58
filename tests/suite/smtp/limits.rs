//! Limits per peer and in total.

use std::time::Duration;

use crate::support::mail_server::{self, Talk, letter};
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";

both_engines! {
    async fn the_size_of_a_message_is_limited(app: TestApp) {
        app.alias("Acme", "hello");
        let server = mail_server::open_with(&app.app, None, |limits| limits.size = 100_000);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        talk.say("MAIL FROM:<a@b.test> SIZE=100001").expect("552 5.3.4");
        let sized = |size: usize| {
            let head = "Subject: large\r\nFrom: a@b.test\r\n\r\n";
            let lines = "a".repeat(76) + "\r\n";
            let mut text = head.to_owned() + &lines.repeat(size / lines.len() + 1);
            text.truncate(size - 2);
            text.replace('\r', " ").replace(" \n", "\r\n").trim_end_matches(' ').to_owned()
        };
        let whole = sized(100_000);
        let padded = format!("{whole}{}", "b".repeat(100_000 - 2 - whole.len()));
        talk.envelope("a@b.test", &[HELLO]).data(&padded).expect("250");
        talk.envelope("a@b.test", &[HELLO]).data(padded + "c").expect("552 5.3.4");
        talk.envelope("a@b.test", &[HELLO]).data(sized(3_000_000)).expect("552 5.3.4");
        assert_eq!(app.stored().len(), 1);
        talk.envelope("a@b.test", &[HELLO]).data(letter("small")).expect("250");
    }
}

#[tokio::test]
async fn the_recipients_of_a_message_are_limited() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    let tagged: Vec<String> = (0..100).map(|tag| format!("hello+{tag}@gatepost.localhost")).collect();
    talk.envelope("a@b.test", &tagged.iter().map(String::as_str).collect::<Vec<_>>());
    talk.say("RCPT TO:<hello@gatepost.localhost>").expect("452 4.5.3");
    talk.data(letter("many")).expect("250 2.0.0 Stored as msg_");
}

#[tokio::test]
async fn the_connections_of_one_address_are_limited() {
    let app = TestApp::sqlite().await;
    let server = mail_server::open_with(&app.app, None, |limits| limits.per_ip = 3);
    let mut open: Vec<Talk> = (0..3).map(|_| Talk::smtp(mail_server::smtp(&server))).collect();
    let mut fourth = Talk::connect(mail_server::smtp(&server));
    fourth.expect("421 4.7.0");
    fourth.expect_end();
    let mut gone = open.remove(0);
    gone.say("QUIT").expect("221");
    gone.expect_end();
    drop(gone);
    // The slot becomes free once the server has noticed the end.
    let again = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        Talk::connect(mail_server::smtp(&server)).reply().starts_with("220")
    });
    assert!(again);
    Talk::lmtp(mail_server::lmtp(&server));
}

#[tokio::test]
async fn all_connections_are_limited() {
    let app = TestApp::sqlite().await;
    let server = mail_server::open_with(&app.app, None, |limits| limits.connections = 2);
    let _open = [Talk::smtp(mail_server::smtp(&server)), Talk::smtp(mail_server::smtp(&server))];
    Talk::connect(mail_server::smtp(&server)).expect("421 4.3.2");
    Talk::lmtp(mail_server::lmtp(&server)).say("NOOP").expect("250");
}

#[tokio::test]
async fn too_many_errors_close_a_session() {
    let app = TestApp::sqlite().await;
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    for _ in 0..20 {
        talk.say("WHAT").expect("500 5.5.1");
    }
    talk.say("WHAT").expect("500 5.5.1");
    talk.expect("421 4.7.0");
    talk.expect_end();
}

#[tokio::test]
async fn the_length_of_lines_is_limited() {
    let app = TestApp::sqlite().await;
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    for length in [2047, 5000, 3_000_000] {
        talk.say(&format!("NOOP {}", "a".repeat(length))).expect("500 5.5.2");
    }
    talk.say(&format!("NOOP {}", "a".repeat(2000))).expect("250");
    let address = format!("MAIL FROM:<{}@b.test>", "a".repeat(300));
    talk.say(&address).expect("501 5.1.7");
}

#[tokio::test]
async fn a_silent_peer_is_disconnected() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open_with(&app.app, None, |limits| {
        limits.command = Duration::from_millis(300);
        limits.message = Duration::from_millis(300);
    });
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    talk.send("NOO").expect("421 4.4.2");
    talk.expect_end();
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    talk.envelope("a@b.test", &[HELLO]).say("DATA").expect("354");
    talk.send("Subject: half").expect("421 4.4.2");
    talk.expect_end();
    assert!(app.stored().is_empty());
}

/// An incomplete message is not stored.
#[tokio::test]
async fn an_incomplete_message_is_not_stored() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    talk.envelope("a@b.test", &[HELLO]).say("DATA").expect("354");
    talk.send(letter("half")).hang_up();
    talk.expect_end();
    assert!(app.stored().is_empty());
}

/// A message of which only the attachment takes memory.
fn file(subject: &str) -> String {
    letter(subject).replace("Subject:", "Content-Type: application/octet-stream\r\nSubject:")
}

/// All incoming messages share an amount of memory.
#[tokio::test]
async fn too_much_mail_at_once_is_deferred() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open_with(&app.app, None, |limits| {
        (limits.memory, limits.network_memory) = (1_000_000, 1_000_000);
    });
    let mut slow = Talk::smtp(mail_server::smtp(&server));
    slow.envelope("a@b.test", &[HELLO]).say("DATA").expect("354");
    let line = "a".repeat(998) + "\r\n";
    let other = file("other") + &line.repeat(600);
    slow.send(file("slow") + &line.repeat(900));
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    let is_refused = |reply: String| reply.starts_with("452 4.3.1");
    // Repeats until the slow message has reserved its memory, unless that message itself is refused.
    let refused = (0..20).any(|_| {
        talk.envelope("a@b.test", &[HELLO]).data(&other);
        is_refused(talk.reply())
    });
    let slow_refused = is_refused(slow.send(".\r\n").reply());
    assert!(refused || slow_refused);
    // The memory of a message is released a moment after its reply.
    let taken = (0..10).any(|_| {
        talk.envelope("a@b.test", &[HELLO]).data(&other);
        talk.reply().starts_with("250")
    });
    assert!(taken);
}

/// Running sessions finish; new ones get 421.
#[tokio::test]
async fn open_sessions_finish_before_the_server_stops() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let address = mail_server::smtp(&server);
    let mut idle = Talk::smtp(address);
    let mut busy = Talk::smtp(address);
    busy.envelope("a@b.test", &[HELLO]).say("DATA").expect("354");
    let ending = std::thread::spawn(move || drop(server));
    idle.expect("421 4.3.2");
    idle.expect_end();
    Talk::connect(address).expect("421 4.3.2");
    busy.send(letter("last")).send(".\r\n").expect("250 2.0.0 Stored");
    busy.expect("421 4.3.2");
    busy.expect_end();
    ending.join().expect("a clean end");
    assert_eq!(app.stored().len(), 1);
}

/// One address can't fill a quota.
#[tokio::test]
async fn one_address_has_an_hourly_limit() {
    for (setting, value) in [("GATEPOST_SMTP_HOURLY_MESSAGES", "3"), ("GATEPOST_SMTP_HOURLY_SIZE", "600")] {
        let app = TestApp::with_settings(&[(setting, value)]).await;
        app.alias("Acme", "hello");
        app.alias("Acme", "sales");
        let server = mail_server::open(&app.app);
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        // With two tags of one alias, it is stored once.
        talk.envelope("a@b.test", &["hello+1@gatepost.localhost", "hello+2@gatepost.localhost"]);
        talk.data(letter("1")).expect("250");
        talk.envelope("a@b.test", &[HELLO, "sales@gatepost.localhost"]);
        let mut early = Talk::smtp(mail_server::smtp(&server));
        early.envelope("a@b.test", &[HELLO]);
        talk.data(padded("2")).expect("250");
        talk.say("MAIL FROM:<a@b.test>").expect("451 4.7.1");
        early.data(letter("3")).expect("451 4.7.1");
        assert_eq!(app.stored().len(), 3);
        // Mail relayed by the operator's other servers is not counted.
        let mut relayed = Talk::lmtp(mail_server::lmtp(&server));
        relayed.envelope("a@b.test", &[HELLO]).data(letter("4")).expect("250");
        app.clock.advance(Duration::from_secs(3600));
        talk.envelope("a@b.test", &[HELLO]).data(letter("5")).expect("250");
        assert_eq!(app.stored().len(), 5);
    }
}

fn padded(subject: &str) -> String {
    letter(subject) + &"x".repeat(300)
}

/// When all slots are in use, the session that has been idle longest is closed.
#[tokio::test]
async fn the_longest_idle_session_is_closed() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open_with(&app.app, None, |limits| {
        (limits.connections, limits.idle) = (2, Duration::ZERO);
    });
    let mut first = Talk::smtp(mail_server::smtp(&server));
    let mut second = Talk::smtp(mail_server::smtp(&server));
    first.envelope("a@b.test", &[HELLO]).data(letter("first")).expect("250");
    for _ in 0..3 {
        second.say("NOOP").expect("250");
    }
    let mut third = Talk::smtp(mail_server::smtp(&server));
    second.expect("421 4.3.2 Idle connection closed");
    second.expect_end();
    first.envelope("a@b.test", &[HELLO]).say("DATA").expect("354");
    let mut fourth = Talk::smtp(mail_server::smtp(&server));
    first.expect("421 4.3.2");
    first.expect_end();
    for talk in [&mut third, &mut fourth] {
        talk.say("NOOP").expect("250");
    }
}

#[tokio::test]
async fn a_session_without_messages_is_closed() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open_with(&app.app, None, |limits| limits.idle_commands = 5);
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    for line in ["NOOP", "RSET", "HELP", "VRFY hello"] {
        talk.say(line).expect("2");
    }
    talk.envelope("a@b.test", &[HELLO]).data(letter("one")).expect("250");
    for _ in 0..5 {
        talk.say("NOOP").expect("250");
    }
    talk.say("MAIL FROM:<a@b.test>").expect("250");
    talk.say("RSET").expect("421 4.7.0");
    talk.expect_end();
    let server = mail_server::open_with(&app.app, None, |limits| limits.session = Duration::from_millis(300));
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    let ended = (0..100).find_map(|_| {
        let reply = talk.say("NOOP").reply();
        std::thread::sleep(Duration::from_millis(20));
        (!reply.starts_with("250")).then_some(reply)
    });
    assert!(ended.is_some_and(|reply| reply.starts_with("421 4.4.2")), "the session never ended");
}

/// Even across reconnects and for existing addresses.
#[tokio::test]
async fn sessions_that_guess_addresses_are_closed() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server =
        mail_server::open_with(&app.app, None, |limits| (limits.unknown, limits.unknown_an_hour) = (2, 5));
    let guess = |talk: &mut Talk, times: usize| {
        talk.say("MAIL FROM:<a@b.test>").expect("250");
        (0..times)
            .for_each(|n| drop(talk.say(&format!("RCPT TO:<no{n}@gatepost.localhost>")).expect("550 5.1.1")));
    };
    for times in [2, 2, 1] {
        let mut talk = Talk::smtp(mail_server::smtp(&server));
        guess(&mut talk, times);
        if times == 2 {
            talk.say(&format!("RCPT TO:<{HELLO}>")).expect("421 4.7.1");
            talk.expect_end();
        }
    }
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    talk.say("MAIL FROM:<a@b.test>").expect("250");
    talk.say(&format!("RCPT TO:<{HELLO}>")).expect("250");
    talk.say("RCPT TO:<no@gatepost.localhost>").expect("421 4.7.1");
    talk.expect_end();
    let mut elsewhere = Talk::from([127, 0, 0, 2].into(), mail_server::smtp(&server));
    elsewhere.expect("220");
    elsewhere.say("EHLO client.test").expect("250");
    elsewhere.envelope("a@b.test", &[HELLO]);
    let mut lmtp = Talk::lmtp(mail_server::lmtp(&server));
    guess(&mut lmtp, 10);
    lmtp.say(&format!("RCPT TO:<{HELLO}>")).expect("250");
}

#[tokio::test]
async fn one_network_cannot_use_all_memory() {
    let app = TestApp::sqlite().await;
    app.alias("Acme", "hello");
    let server = mail_server::open_with(&app.app, None, |limits| {
        (limits.memory, limits.network_memory) = (5_000_000, 500_000);
    });
    let text = file("large") + &("a".repeat(998) + "\r\n").repeat(400);
    let mut one = Talk::smtp(mail_server::smtp(&server));
    one.envelope("a@b.test", &[HELLO]).say("DATA").expect("354");
    one.send(&text);
    let mut same = Talk::smtp(mail_server::smtp(&server));
    // Repeats until the first message has been read this far.
    let refused = (0..50).any(|_| {
        same.envelope("a@b.test", &[HELLO]).data(&text);
        same.reply().starts_with("452 4.3.1")
    });
    if !refused {
        // The second was read first, so the first one is refused.
        one.send(".\r\n");
        one.expect("452 4.3.1");
    }
    let mut other = Talk::from([127, 0, 0, 2].into(), mail_server::smtp(&server));
    other.expect("220");
    other.say("EHLO client.test").expect("250");
    other.envelope("a@b.test", &[HELLO]).data(&text).expect("250");
    let mut operator = Talk::lmtp(mail_server::lmtp(&server));
    operator.envelope("a@b.test", &[HELLO]).data(&text).expect("250");
}
