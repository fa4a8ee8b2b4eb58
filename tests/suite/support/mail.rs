//! Delivers mail without SMTP, for tests of the later steps.

use gatepost::domain::mailroom::arrival::Arrival;
use gatepost::domain::mailroom::authentication::Authentication;
use gatepost::domain::mailroom::batch::Batch;
use gatepost::domain::mailroom::messages::MessageId;
use gatepost::domain::mailroom::parse::parse;
use gatepost::domain::mailroom::receive::{Outcome, receive};
use gatepost::domain::mailroom::route;

use super::TestApp;

impl TestApp {
    /// Stores a message and returns its id.
    pub fn arrives(&self, from: &str, to: &str, raw: &str) -> MessageId {
        let raw = raw.replace('\n', "\r\n").into_bytes();
        let arrival = Arrival {
            envelope_from: Some(from.to_owned()),
            helo: "mx.test".into(),
            ip: None,
            tls: false,
            parsed: parse(&raw),
            raw: raw.into(),
            authentication: Authentication::default(),
        };
        let (settings, actor) = (self.app.mail_settings().clone(), self.app.system());
        let outcome = self.operate(|tx, _| {
            let recipient = route::route(tx, &settings, to)?.expect("a recipient");
            let mut batch = Batch::new(&settings);
            let outcome = receive(tx, &actor, &arrival, &recipient, &mut batch)?;
            batch.write(tx, actor.now).map(|()| outcome)
        });
        match outcome {
            Outcome::Stored { message, .. } => message,
            other => panic!("{other:?}"),
        }
    }
}

/// A message in text and HTML with an attachment.
pub fn letter_with_file(id: &str) -> String {
    format!(
        "From: Bob <bob@customer.test>\nTo: Hello <hello@gatepost.localhost>, cy@acme.test\n\
         Subject: Where is my order?\nMessage-ID: <{id}@customer.test>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: multipart/alternative; boundary=a\n\n\
         --a\nContent-Type: text/plain; charset=utf-8\n\nNothing has come.\n\
         --a\nContent-Type: text/html; charset=utf-8\n\n\
         <p onclick=\"alert(1)\">Nothing has <b>come</b>.</p><script>alert(1)</script>\
         <img src=\"https://tracker.test/x.png\">\n--a--\n\
         --b\nContent-Type: text/html; name=\"M\u{e4}rz.html\"\n\
         Content-Disposition: attachment; filename*=utf-8''M%C3%A4rz.html\n\
         Content-Transfer-Encoding: base64\n\nPHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==\n--b--\n"
    )
}
