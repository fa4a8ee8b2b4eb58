//! The memory that a message reserves, and when it is released.

use crate::support::TestApp;
use crate::support::dns::Dns;
use crate::support::mail_server::{self, Talk, letter};

const HELLO: &str = "hello@gatepost.localhost";
const MEMORY: usize = 1_000_000;

/// Returns a message of this type and size in kilobytes.
fn large(kind: &str, kilobytes: usize) -> String {
    let head = letter("large").replace("Subject:", &format!("Content-Type: {kind}\r\nSubject:"));
    head + &("a".repeat(998) + "\r\n").repeat(kilobytes)
}

async fn app(settings: &[(&str, &str)]) -> TestApp {
    let app = TestApp::with_settings(settings).await;
    app.alias("Acme", "hello");
    app
}

/// Including the wait for DNS after it has arrived.
#[tokio::test]
async fn a_message_reserves_memory_until_its_reply() {
    let dns = Dns::start();
    dns.silence("quiet.test").silence("_dmarc.quiet.test");
    let app = app(&[("GATEPOST_DNS", &dns.address)]).await;
    let server = mail_server::open_with(&app.app, None, |limits| {
        (limits.memory, limits.network_memory) = (MEMORY, MEMORY);
    });
    let text = large("application/octet-stream", 600);
    let mut waiting = Talk::smtp(mail_server::smtp(&server));
    waiting.envelope("a@quiet.test", &[HELLO]).data(&text);
    dns.wait_for_question("quiet.test");
    let mut other = Talk::smtp(mail_server::smtp(&server));
    other.envelope("a@b.test", &[HELLO]).data(&text).expect("452 4.3.1");
    waiting.expect("250");
    // The memory is released a moment after the reply.
    let taken = (0..10).any(|_| {
        other.envelope("a@b.test", &[HELLO]).data(&text);
        other.reply().starts_with("250")
    });
    assert!(taken);
}

/// Extracted text is another copy, but an attachment is not.
#[tokio::test]
async fn parsed_text_counts_as_memory() {
    let app = app(&[]).await;
    let server = mail_server::open_with(&app.app, None, |limits| {
        (limits.memory, limits.network_memory) = (MEMORY, MEMORY);
    });
    let mut talk = Talk::smtp(mail_server::smtp(&server));
    talk.envelope("a@b.test", &[HELLO]).data(large("text/plain", 600)).expect("452 4.3.1");
    talk.envelope("a@b.test", &[HELLO]).data(large("application/octet-stream", 600)).expect("250");
}
