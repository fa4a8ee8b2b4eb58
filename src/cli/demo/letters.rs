//! The mail of a made-up team, as other people's programs send it: by SMTP to the port that
//! the demo has just opened.

use std::net::SocketAddr;

use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType};
use lettre::{Address, Message, SmtpTransport, Transport};

/// The addresses people write to, and what the team notes about them.
pub const ALIASES: [(&str, &str); 3] = [
    ("hello", "on the website"),
    ("orders", "answers to order confirmations"),
    ("billing", "printed on invoices"),
];

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Letter {
    from: (&'static str, &'static str),
    to: &'static str,
    id: &'static str,
    answers: Option<&'static str>,
    subject: &'static str,
    body: Body,
}

enum Body {
    Plain(&'static str),
    /// The same as text and with some layout.
    Both(&'static str, &'static str),
    /// A text and a file that comes with it.
    With(&'static str, (&'static str, &'static str, &'static str)),
}

const GRACE: (&str, &str) = ("Grace Murray", "grace@navy.example");
const LINUS: (&str, &str) = ("Linus Berg", "linus@berg.example");
const SHOP: (&str, &str) = ("Paper & Ink", "no-reply@paperandink.example");

/// In the order in which they are sent: an answer after what it answers.
const LETTERS: [Letter; 6] = [
    Letter {
        from: LINUS,
        to: "hello",
        id: "1.visit@berg.example",
        answers: None,
        subject: "Visiting next week?",
        body: Body::Plain(
            "Hello Acme,\n\nI am in town on Tuesday. May I come by and see the anvils?\n\nLinus\n",
        ),
    },
    Letter {
        from: GRACE,
        to: "orders",
        id: "2.order@navy.example",
        answers: None,
        subject: "Order 4711: one anvil is missing",
        body: Body::Both(
            "Dear Acme,\n\nwe ordered three anvils and two arrived. Where is the third?\n\nGrace Murray\n",
            "<p>Dear Acme,</p><p>we ordered <b>three</b> anvils and <b>two</b> arrived. \
             Where is the third?</p><p>Grace Murray</p>",
        ),
    },
    Letter {
        from: SHOP,
        to: "billing",
        id: "3.invoice@paperandink.example",
        answers: None,
        subject: "Invoice 2026-118",
        body: Body::With(
            "Your invoice is attached. It is due within 30 days.\n",
            (
                "invoice-2026-118.csv",
                "text/csv",
                "article,pieces,price\r\npaper A4,10,39.00\r\nink blue,2,18.50\r\n",
            ),
        ),
    },
    Letter {
        from: GRACE,
        to: "orders",
        id: "4.order@navy.example",
        answers: Some("2.order@navy.example"),
        subject: "Re: Order 4711: one anvil is missing",
        body: Body::Plain("It stood behind the door. All three are here. Thank you!\n\nGrace\n"),
    },
    Letter {
        from: LINUS,
        to: "hello",
        id: "5.visit@berg.example",
        answers: Some("1.visit@berg.example"),
        subject: "Re: Visiting next week?",
        body: Body::Plain("Wednesday is as good, if Tuesday is not.\n\nLinus\n"),
    },
    Letter {
        from: ("Ōno Haruka", "haruka@ono.example"),
        to: "hello",
        id: "6.tea@ono.example",
        answers: None,
        subject: "お茶 — tea for the office",
        body: Body::Plain("Shall we send the usual box of tea?\n\nHaruka\n"),
    },
];

/// Sends them all, and returns how many were taken.
pub fn send(at: SocketAddr, domain: &str) -> usize {
    let door = SmtpTransport::builder_dangerous(at.ip().to_string()).port(at.port()).build();
    let sent = LETTERS.iter().filter(|letter| {
        let sent = write(letter, domain).and_then(|message| Ok(door.send(&message)?));
        if let Err(cause) = &sent {
            tracing::error!(%cause, subject = letter.subject, "a message of the demo did not arrive");
        }
        sent.is_ok()
    });
    sent.count()
}

fn write(letter: &Letter, domain: &str) -> Result<Message, Failure> {
    let (name, address) = letter.from;
    let from = Mailbox::new(Some(name.to_owned()), address.parse()?);
    let to = Mailbox::new(Some("Acme".to_owned()), Address::new(letter.to, domain)?);
    let mut head = Message::builder().from(from).to(to).subject(letter.subject);
    head = head.message_id(Some(format!("<{}>", letter.id)));
    if let Some(id) = letter.answers {
        head = head.in_reply_to(format!("<{id}>")).references(format!("<{id}>"));
    }
    Ok(match letter.body {
        Body::Plain(text) => head.singlepart(SinglePart::plain(text.to_owned()))?,
        Body::Both(text, html) => {
            head.multipart(MultiPart::alternative_plain_html(text.to_owned(), html.to_owned()))?
        }
        Body::With(text, (name, kind, content)) => {
            let file = Attachment::new(name.to_owned()).body(content.to_owned(), ContentType::parse(kind)?);
            let text = SinglePart::plain(text.to_owned());
            head.multipart(MultiPart::mixed().singlepart(text).singlepart(file))?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_can_be_written_and_is_to_an_alias() {
        for letter in &LETTERS {
            assert!(write(letter, "gatepost.localhost").is_ok(), "{}", letter.subject);
            assert!(ALIASES.iter().any(|(local, _)| *local == letter.to), "{}", letter.to);
        }
    }
}
