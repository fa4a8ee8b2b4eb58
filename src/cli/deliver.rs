//! `deliver`.

use std::io::{self, Read};

use super::{Failure, say, sentence};
use crate::app::App;
use crate::app::inbound::Envelope;
use crate::app::intake::Submission;
use crate::app::memory::Share;
use crate::domain::mailroom::parse::parse;
use crate::domain::mailroom::receive::{Outcome, Recipient, Unroutable};

/// Puts a message in by hand, by the way that mail takes from a door.
pub fn deliver(app: &App, alias: &str, from: Option<String>) -> Result<(), Failure> {
    let raw = read_message(app.config().mail.max_size)?;
    let address = match alias.contains('@') {
        true => alias.to_owned(),
        false => format!("{alias}@{}", app.config().mail.domain),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| format!("cannot start: {cause}"))?;
    let delivered = runtime.block_on(async {
        let recipient = app.route_recipient(&address).await.map_err(sentence)?;
        let recipient = recipient.map_err(|why| refusal(&address, why))?;
        hand_in(app, &address, from, raw, recipient).await
    });
    app.close();
    say(&delivered?)
}

async fn hand_in(
    app: &App,
    address: &str,
    from: Option<String>,
    raw: Vec<u8>,
    recipient: Recipient,
) -> Result<String, Failure> {
    let from = from.or_else(|| parse(&raw).from.map(|from| from.address));
    let envelope = Envelope { from, helo: "localhost".into(), ..Envelope::default() };
    let handed =
        Submission { envelope, with: "local", peer: None, raw, to: vec![recipient], share: Share::default() };
    match app.accept_message(handed).await.pop() {
        Some(Ok(Outcome::Stored { message, .. })) => Ok(format!("Stored as {message}.")),
        Some(Ok(Outcome::Duplicate { message })) => Ok(format!("It is there already: {message}.")),
        Some(Ok(Outcome::Rejected { reason, .. })) => Err(reason),
        Some(Ok(Outcome::Refused(why))) => Err(refusal(address, why)),
        Some(Ok(Outcome::Malformed(why))) => Err(format!("{why}. Nothing was stored")),
        Some(Err(cause)) => Err(format!("{cause}. Nothing was stored; try again")),
        None => Err("nothing became of it".into()),
    }
}

fn refusal(address: &str, why: Unroutable) -> Failure {
    match why {
        Unroutable::Unknown => format!("nobody has the address {address}"),
        Unroutable::Disabled => format!("{address} is switched off"),
        Unroutable::Deleted => format!("{address} was deleted"),
        Unroutable::Suspended => format!("the domain of {address} is suspended: its TXT record is gone"),
        Unroutable::Full => {
            format!("the team of {address} keeps as much mail as GATEPOST_MAIL_QUOTA lets it")
        }
        Unroutable::TooMuch => "too much mail was sent in an hour".into(),
        Unroutable::Loop => "the message goes round in circles".into(),
    }
}

/// What stands on standard input, with the line ends that mail has.
fn read_message(most: usize) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let limit = most as u64 + 1;
    io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut text)
        .map_err(|cause| format!("the message cannot be read: {cause}"))?;
    if text.is_empty() {
        return Err("there is no message on standard input: gatepost deliver ALIAS < message.eml".into());
    }
    let raw = with_crlf(&text);
    match raw.len() > most {
        true => Err(format!("the message is larger than the {most} bytes of GATEPOST_SMTP_MAX_SIZE")),
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
    fn lines_end_as_those_of_mail_do() {
        assert_eq!(with_crlf(b"a\nb\r\n\nc"), b"a\r\nb\r\n\r\nc");
    }
}
