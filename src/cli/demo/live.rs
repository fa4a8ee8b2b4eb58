//! Messages that the demo sends to its own SMTP port.

use std::net::SocketAddr;

use lettre::{SmtpTransport, Transport};

use super::announce;
use super::letters::Failure;
use super::script::{self, Numbered};
use crate::app::App;
use crate::domain::Timestamp;

/// In a thread, because verifying senders blocks while no DNS server responds.
pub fn send(app: App) {
    let Some(at) = app.smtp_address() else {
        return announce("The newest messages are missing because GATEPOST_SMTP_LISTEN is off.");
    };
    // Not joined: it ends with the process.
    std::thread::spawn(move || {
        let received = send_all(at, app.now());
        announce(&format!("{received} messages arrived by SMTP. They are in the inbox."));
    });
}

/// Returns the number of accepted messages.
fn send_all(at: SocketAddr, now: Timestamp) -> usize {
    let smtp = SmtpTransport::builder_dangerous(at.ip().to_string()).port(at.port()).build();
    let sent = script::live().filter(|each| match send_one(&smtp, each, now) {
        Ok(()) => true,
        Err(cause) => {
            tracing::error!(%cause, subject = each.letter.subject, "cannot send a demo message");
            false
        }
    });
    sent.count()
}

fn send_one(smtp: &SmtpTransport, each: &Numbered, now: Timestamp) -> Result<(), Failure> {
    smtp.send(&each.message(now)?)?;
    Ok(())
}
