use std::io::{self, Read};

use super::{Failure, message_of, print_line};
use crate::app::App;
use crate::app::inbound::Envelope;
use crate::app::intake::Submission;
use crate::app::limits::memory::MessageMemory;
use crate::domain::mailroom::parse::parse;
use crate::domain::mailroom::receive::Outcome;
use crate::domain::mailroom::route::{Recipient, Unroutable};

/// Delivers a message under the same rules as SMTP.
pub fn deliver(app: &App, alias: &str, from: Option<String>) -> Result<(), Failure> {
    let raw = read_message(app.config().mail.max_size)?;
    let address = match alias.contains('@') {
        true => alias.to_owned(),
        false => format!("{alias}@{}", app.config().mail.domain),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| format!("cannot start: {cause}"))?;
    let delivered = runtime.block_on(async {
        let recipient = app.route_recipient(&address).await.map_err(message_of)?;
        let recipient = recipient.map_err(|why| refusal(&address, why))?;
        deliver_to(app, &address, from, raw, recipient).await
    });
    app.close();
    print_line(&delivered?)
}

async fn deliver_to(
    app: &App,
    address: &str,
    from: Option<String>,
    raw: Vec<u8>,
    recipient: Recipient,
) -> Result<String, Failure> {
    let from = from.or_else(|| parse(&raw).from.map(|from| from.address));
    let envelope = Envelope { from, helo: "localhost".into(), ..Envelope::default() };
    let handed = Submission {
        envelope,
        with: "local",
        peer: None,
        raw,
        to: vec![recipient],
        memory: MessageMemory::default(),
    };
    match app.accept_message(handed).await.pop() {
        Some(Ok(Outcome::Stored { message, .. })) => Ok(format!("Stored as {message}.")),
        Some(Ok(Outcome::Duplicate { message })) => Ok(format!("Already stored as {message}.")),
        Some(Ok(Outcome::Rejected { reason, .. })) => Err(reason),
        Some(Ok(Outcome::NotAccepted(why))) => Err(refusal(address, why)),
        Some(Ok(Outcome::Malformed(why))) => Err(format!("{why}. Nothing was stored")),
        Some(Err(cause)) => Err(format!("{cause}. Nothing was stored; try again")),
        None => Err("nothing was stored".into()),
    }
}

fn refusal(address: &str, why: Unroutable) -> Failure {
    match why {
        Unroutable::Unknown => format!("there is no alias {address}"),
        Unroutable::Disabled => format!("{address} is turned off"),
        Unroutable::Deleted => format!("{address} was deleted"),
        Unroutable::Suspended => {
            format!("the domain of {address} is suspended because its TXT record is missing")
        }
        Unroutable::Full => {
            format!("the team of {address} has used up its mail quota (GATEPOST_MAIL_QUOTA)")
        }
        Unroutable::HourlyLimit => "the hourly limit on mail is used up".into(),
        Unroutable::Loop => "the message is in a mail loop".into(),
    }
}

/// Reads standard input and converts its line endings to those of mail.
fn read_message(max: usize) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let limit = max as u64 + 1;
    io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut text)
        .map_err(|cause| format!("cannot read the message: {cause}"))?;
    if text.is_empty() {
        return Err("no message on standard input. Run gatepost deliver ALIAS < message.eml".into());
    }
    let raw = with_crlf(&text);
    match raw.len() > max {
        true => Err(format!("the message is larger than GATEPOST_SMTP_MAX_SIZE ({max} bytes)")),
        false => Ok(raw),
    }
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(text.len());
    for &byte in text {
        if byte == b'\n' && raw.last() != Some(&b'\r') {
            raw.push(b'\r');
        }
        raw.push(byte);
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_crlf() {
        assert_eq!(with_crlf(b"a\nb\r\n\nc"), b"a\r\nb\r\n\r\nc");
    }
}
