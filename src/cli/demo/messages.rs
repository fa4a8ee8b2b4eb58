//! Mail for the sample team, sent by SMTP to the demo's own port.

use std::net::SocketAddr;

use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType};
use lettre::{Address, Message, SmtpTransport, Transport};

/// Local parts and notes.
pub const ALIASES: [(&str, &str); 3] = [
    ("hello", "on the website"),
    ("orders", "answers to order confirmations"),
    ("billing", "printed on invoices"),
];

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct SampleMessage {
    from: (&'static str, &'static str),
    to: &'static str,
    id: &'static str,
    in_reply_to: Option<&'static str>,
    subject: &'static str,
    body: Body,
}

enum Body {
    Plain(&'static str),
    Both(&'static str, &'static str),
    /// Text, and an attachment's name, type and content.
    With(&'static str, (&'static str, &'static str, &'static str)),
}

const GRACE: (&str, &str) = ("Grace Murray", "grace@navy.example");
const LINUS: (&str, &str) = ("Linus Berg", "linus@berg.example");
const SHOP: (&str, &str) = ("Paper & Ink", "no-reply@paperandink.example");

/// In sending order: a reply follows its original.
const SAMPLES: [SampleMessage; 6] = [
    SampleMessage {
        from: LINUS,
        to: "hello",
        id: "1.visit@berg.example",
        in_reply_to: None,
        subject: "Visiting next week?",
        body: Body::Plain(
            "Hello Acme,\n\nI am in town on Tuesday. May I come by and see the anvils?\n\nLinus\n",
        ),
    },
    SampleMessage {
        from: GRACE,
        to: "orders",
        id: "2.order@navy.example",
        in_reply_to: None,
        subject: "Order 4711: one anvil is missing",
        body: Body::Both(
            "Dear Acme,\n\nwe ordered three anvils and two arrived. Where is the third?\n\nGrace Murray\n",
            "<p>Dear Acme,</p><p>we ordered <b>three</b> anvils and <b>two</b> arrived. \
             Where is the third?</p><p>Grace Murray</p>",
        ),
    },
    SampleMessage {
        from: SHOP,
        to: "billing",
        id: "3.invoice@paperandink.example",
        in_reply_to: None,
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
    SampleMessage {
        from: GRACE,
        to: "orders",
        id: "4.order@navy.example",
        in_reply_to: Some("2.order@navy.example"),
        subject: "Re: Order 4711: one anvil is missing",
        body: Body::Plain("It stood behind the door. All three are here. Thank you!\n\nGrace\n"),
    },
    SampleMessage {
        from: LINUS,
        to: "hello",
        id: "5.visit@berg.example",
        in_reply_to: Some("1.visit@berg.example"),
        subject: "Re: Visiting next week?",
        body: Body::Plain("Wednesday is as good, if Tuesday is not.\n\nLinus\n"),
    },
    SampleMessage {
        from: ("Ōno Haruka", "haruka@ono.example"),
        to: "hello",
        id: "6.tea@ono.example",
        in_reply_to: None,
        subject: "お茶 — tea for the office",
        body: Body::Plain("Shall we send the usual box of tea?\n\nHaruka\n"),
    },
];

/// Returns the number of accepted messages.
pub fn send(at: SocketAddr, domain: &str) -> usize {
    let smtp = SmtpTransport::builder_dangerous(at.ip().to_string()).port(at.port()).build();
    let sent = SAMPLES.iter().filter(|message| {
        let sent = build(message, domain).and_then(|message| Ok(smtp.send(&message)?));
        if let Err(cause) = &sent {
            tracing::error!(%cause, subject = message.subject, "cannot send a demo message");
        }
        sent.is_ok()
    });
    sent.count()
}

fn build(message: &SampleMessage, domain: &str) -> Result<Message, Failure> {
    let (name, address) = message.from;
    let from = Mailbox::new(Some(name.to_owned()), address.parse()?);
    let to = Mailbox::new(Some("Acme".to_owned()), Address::new(message.to, domain)?);
    let mut head = Message::builder().from(from).to(to).subject(message.subject);
    head = head.message_id(Some(format!("<{}>", message.id)));
    if let Some(id) = message.in_reply_to {
        head = head.in_reply_to(format!("<{id}>")).references(format!("<{id}>"));
    }
    Ok(match message.body {
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
    fn every_message_can_be_built_and_has_an_alias() {
        for message in &SAMPLES {
            assert!(build(message, "gatepost.localhost").is_ok(), "{}", message.subject);
            assert!(ALIASES.iter().any(|(local, _)| *local == message.to), "{}", message.to);
        }
    }
}
