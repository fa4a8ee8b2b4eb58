//! A raw message as the rest of Gatepost sees it. Parsing never fails: in the worst case all fields
//! are empty.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{HeaderName, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};

use super::clean::{LINE, beginning, clipped, file_name, one_line, plain, unfolded};
use super::defuse::{defuse, restore};
use super::mailboxes::{ADDRESSES, mailboxes};
use super::words::Words;

pub(crate) use super::mailboxes::{Mailbox, address_of, mailboxes_in};

/// Limits in bytes or in number; the raw message has the rest.
const TEXT: usize = 1 << 20;
const HTML: usize = 2 << 20;
const HEADER: usize = 8 << 10;
const HEADERS: usize = 500;
const REFERENCES: usize = 100;
const ATTACHMENTS: usize = 200;
const PREVIEW: usize = 160;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The part of the message; see [`super::parts`].
    pub index: usize,
    pub name: Option<String>,
    pub content_type: String,
    pub size: usize,
    pub inline: bool,
    pub content_id: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub subject: String,
    pub from: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub text: String,
    pub html: Option<String>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Part>,
    /// Without its angle brackets, as all ids here.
    pub message_id: Option<String>,
    pub in_reply_to: Vec<String>,
    /// Oldest first.
    pub references: Vec<String>,
    pub words: Words,
    /// A vacation note, a bounce or a list, rather than a message that a person wrote.
    pub automatic: bool,
    pub hops: usize,
    /// SHA-256 of what a reader sees: the same when a message is sent twice.
    pub dedupe: [u8; 32],
}

impl Parsed {
    pub fn preview(&self) -> String {
        let mut preview = String::new();
        for word in self.text.split_whitespace() {
            if !preview.is_empty() {
                preview.push(' ');
            }
            preview.push_str(word);
            if preview.len() > 4 * PREVIEW {
                break;
            }
        }
        preview.chars().take(PREVIEW).collect()
    }
}

impl Parsed {
    pub(crate) fn weight(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        self.text.len()
            + self.html.as_ref().map_or(0, String::len)
            + self.words.len()
            + headers.sum::<usize>()
    }
}

pub fn parse(raw: &[u8]) -> Parsed {
    let read = catch_unwind(AssertUnwindSafe(|| {
        let defused = defuse(raw);
        MessageParser::default().parse(defused.as_ref()).map(|message| read(&message))
    }));
    let parsed = read.ok().flatten().unwrap_or_default();
    Parsed { dedupe: dedupe(raw, &parsed), words: words_of(&parsed, &parsed.text), ..parsed }
}

pub(super) fn words_of(parsed: &Parsed, text: &str) -> Words {
    let from = parsed.from.iter().flat_map(|from| [Some(from.address.as_str()), from.name.as_deref()]);
    Words::of([parsed.subject.as_str()].into_iter().chain(from.flatten()).chain([text]))
}

fn read(message: &Message<'_>) -> Parsed {
    let ids = |name: HeaderName<'static>| all_ids(message, &name);
    Parsed {
        subject: one_line(message.subject().unwrap_or_default()),
        from: mailboxes(message.from()).into_iter().next(),
        to: message
            .all_to()
            .chain(message.cc())
            .flat_map(|list| mailboxes(Some(list)))
            .take(ADDRESSES)
            .collect(),
        text: text(message),
        html: html(message),
        headers: headers(message),
        attachments: attachments(message),
        message_id: ids(HeaderName::MessageId).into_iter().next(),
        in_reply_to: ids(HeaderName::InReplyTo),
        references: ids(HeaderName::References),
        words: Words::default(),
        automatic: is_automatic(message),
        hops: message.header_values(HeaderName::Received).count(),
        dedupe: [0; 32],
    }
}

fn all_ids(message: &Message<'_>, name: &HeaderName<'static>) -> Vec<String> {
    let ids = message.header_values(name.clone()).flat_map(|value| match value {
        HeaderValue::Text(id) => vec![id.as_ref()],
        HeaderValue::TextList(ids) => ids.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    });
    let ids: Vec<_> = ids.map(|id| clipped(&plain(id), LINE)).filter(|id| !id.is_empty()).collect();
    // The end of a long chain is nearest to the message.
    ids[ids.len().saturating_sub(REFERENCES)..].to_vec()
}

fn text(message: &Message<'_>) -> String {
    let bodies = message.text_bodies().filter_map(|part| match &part.body {
        PartType::Text(text) => Some(Cow::Borrowed(beginning(text, 2 * TEXT))),
        PartType::Html(html) => Some(Cow::Owned(super::html::to_text(beginning(html, 2 * HTML)))),
        _ => None,
    });
    clipped(&plain(&restore(joined(bodies, 2 * TEXT))), TEXT)
}

fn html(message: &Message<'_>) -> Option<String> {
    let mut bodies = message.html_bodies().filter_map(|part| match &part.body {
        PartType::Html(html) => Some(Cow::Borrowed(beginning(html, 2 * HTML))),
        _ => None,
    });
    let first = bodies.next()?;
    Some(clipped(&plain(&restore(joined(std::iter::once(first).chain(bodies), 2 * HTML))), HTML))
}

/// No more than needed: a message can be large, and each step copies it.
fn joined<'t>(bodies: impl Iterator<Item = Cow<'t, str>>, most: usize) -> String {
    let mut text = String::new();
    for (number, body) in bodies.enumerate() {
        text.extend([if number == 0 { "" } else { "\n" }, &body]);
        if text.len() >= most {
            break;
        }
    }
    text
}

fn headers(message: &Message<'_>) -> Vec<(String, String)> {
    let each = message.headers().iter().take(HEADERS).map(|header| {
        let raw = message.raw_message.get(header.offset_start as usize..header.offset_end as usize);
        let value = restore(String::from_utf8_lossy(raw.unwrap_or_default()).into_owned());
        (one_line(header.name()), clipped(&unfolded(&value), HEADER))
    });
    each.collect()
}

fn is_automatic(message: &Message<'_>) -> bool {
    let says = |name: &'static str| {
        let value = message.header_raw(HeaderName::Other(name.into()));
        value.map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default()
    };
    let submitted =
        message.header_raw(HeaderName::AutoSubmitted).unwrap_or_default().trim().to_ascii_lowercase();
    !(submitted.is_empty() || submitted == "no")
        || ["bulk", "junk", "list", "auto_reply"].contains(&says("Precedence").as_str())
        || !says("X-Autoreply").is_empty()
        || !says("X-Autorespond").is_empty()
}

fn attachments(message: &Message<'_>) -> Vec<Part> {
    let parts = message.attachments.iter().take(ATTACHMENTS).map(|index| *index as usize);
    parts.filter_map(|index| Some(describe(index, message.parts.get(index)?))).collect()
}

fn describe(index: usize, part: &MessagePart<'_>) -> Part {
    let kind = part.content_type();
    let content_type = match kind.map(|kind| (kind.ctype(), kind.subtype())) {
        Some((ctype, Some(subtype))) => restore(format!("{ctype}/{subtype}")),
        _ => "application/octet-stream".into(),
    };
    let inline = part.content_disposition().is_some_and(mail_parser::ContentType::is_inline);
    Part {
        index,
        name: part.attachment_name().map(file_name).filter(|name| !name.is_empty()),
        content_type: clipped(&one_line(&content_type), 255).to_lowercase(),
        size: part.len(),
        inline,
        content_id: part.content_id().map(one_line).filter(|id| !id.is_empty()),
    }
}

/// Includes sender, reply address and subject, so that a message from another sender never counts as
/// the same. The date replaces a missing Message-ID.
fn dedupe(raw: &[u8], parsed: &Parsed) -> [u8; 32] {
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    };
    let id = parsed.message_id.as_deref().unwrap_or_else(|| header("Date"));
    let mut hash = Sha256::new();
    for each in [id, header("From"), header("Reply-To"), &parsed.subject] {
        hash.update(each);
        hash.update([0]);
    }
    hash.update(body(raw));
    hash.finalize().into()
}

/// What follows the first empty line, or all of it.
fn body(raw: &[u8]) -> &[u8] {
    &raw[body_at(raw)..]
}

pub(super) fn body_at(raw: &[u8]) -> usize {
    let after = |pattern: &[u8]| {
        raw.windows(pattern.len()).position(|each| each == pattern).map(|at| at + pattern.len())
    };
    [after(b"\r\n\r\n"), after(b"\n\n")].into_iter().flatten().min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mailroom::parts::attachment;

    const WHOLE: &str = "From: =?utf-8?q?J=C3=B6rg?= <joerg@a.test>\r\nTo: b@b.test, C <c@c.test>\r\n\
        Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nMessage-ID: <1@a.test>\r\nIn-Reply-To: <0@b.test>\r\n\
        References: <x@b.test>\r\n <0@b.test>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\
        Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nHello\r\n\
        --a\r\nContent-Type: text/html\r\n\r\n<b>Hello</b>\r\n--a--\r\n--m\r\n\
        Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"../../etc/a.pdf\"\r\n\r\nJVBERi0=\r\n--m\r\n\
        Content-Type: message/rfc822\r\n\r\nSubject: Inner\r\n\r\nInner text\r\n--m--\r\n";

    #[test]
    fn a_message_is_read() {
        let parsed = parse(WHOLE.as_bytes());
        assert_eq!(parsed.subject, "Grüße");
        let from = Mailbox { address: "joerg@a.test".into(), name: Some("Jörg".into()) };
        assert_eq!((parsed.from, parsed.to.len()), (Some(from), 2));
        assert_eq!((parsed.text.as_str(), parsed.html.as_deref()), ("Hello", Some("<b>Hello</b>")));
        assert_eq!(parsed.message_id.as_deref(), Some("1@a.test"));
        assert_eq!(
            (parsed.in_reply_to, parsed.references),
            (vec!["0@b.test".into()], vec!["x@b.test".into(), "0@b.test".into()])
        );
        assert_eq!(parsed.headers[6], ("MIME-Version".into(), "1.0".into()));
        assert_eq!(parsed.headers[5].1, "<x@b.test> <0@b.test>");
        let [pdf, inner] = &parsed.attachments[..] else { panic!("{:?}", parsed.attachments) };
        assert_eq!(
            (pdf.name.as_deref(), pdf.content_type.as_str(), pdf.size),
            (Some("a.pdf"), "application/pdf", 5)
        );
        assert_eq!(attachment(WHOLE.as_bytes(), pdf.index).as_deref(), Some(&b"%PDF-"[..]));
        assert_eq!(inner.content_type, "message/rfc822");
        let inner = attachment(WHOLE.as_bytes(), inner.index);
        assert_eq!(inner.as_deref(), Some(&b"Subject: Inner\r\n\r\nInner text"[..]));
        assert_eq!(attachment(WHOLE.as_bytes(), 99), None);
    }

    #[test]
    fn nul_and_lone_cr_become_nothing_and_a_line() {
        let parsed = parse(b"Subject: a\0b\r\nFrom: \0x@a.test\r\n\r\none\rtwo\0\r\nthree\x01\r\n");
        assert_eq!((parsed.subject.as_str(), parsed.text.as_str()), ("ab", "one\ntwo\nthree\n"));
    }

    #[test]
    fn shown_text_contains_no_bidi_controls() {
        let raw = "From: \u{202e}tset.live@oec\u{202c} <a@x.test>\r\nSubject: =?utf-8?q?Pay=E2=80=AE_now?= \u{2066}\r\n\
            Content-Type: application/pdf; name*=utf-8''photo%E2%80%AEfdp.exe\r\n\r\nשלום";
        let parsed = parse(raw.as_bytes());
        assert_eq!(parsed.from.and_then(|from| from.name).as_deref(), Some("tset.live@oec"));
        assert_eq!((parsed.subject.as_str(), parsed.headers[0].1.contains('\u{202e}')), ("Pay now", false));
        assert_eq!(parsed.attachments[0].name.as_deref(), Some("photofdp.exe"));
    }

    #[test]
    fn html_alone_has_text_too() {
        let parsed = parse(b"Content-Type: text/html; charset=x-unknown\r\n\r\n<p>Hi <i>there</i>\xff</p>");
        assert!(parsed.text.starts_with("Hi there"), "{}", parsed.text);
        assert!(parsed.html.is_some());
    }

    #[test]
    fn automatic_messages_are_detected() {
        for (header, automatic) in [
            ("Auto-Submitted: auto-replied", true),
            ("Auto-Submitted: no", false),
            ("Precedence: bulk", true),
            ("X-Other: 1", false),
        ] {
            let parsed = parse(format!("{header}\r\nSubject: x\r\n\r\nx").as_bytes());
            assert_eq!(parsed.automatic, automatic, "{header}");
        }
    }

    #[test]
    fn the_same_message_is_known_by_what_its_reader_sees() {
        let of = |text: &str| parse(text.as_bytes()).dedupe;
        let first = of("Message-ID: <1@a>\r\nSubject: x\r\n\r\nbody");
        assert_eq!(first, of("Received: from b\r\nMessage-ID: <1@a>\r\nSubject: x\r\n\r\nbody"));
        assert_ne!(first, of("Message-ID: <1@a>\r\nSubject: x\r\n\r\nother"));
        assert_ne!(first, of("Message-ID: <2@a>\r\nSubject: x\r\n\r\nbody"));
        assert_ne!(first, of("Message-ID: <1@a>\r\nSubject: y\r\n\r\nbody"));
        assert_ne!(first, of("From: b@a.test\r\nMessage-ID: <1@a>\r\nSubject: x\r\n\r\nbody"));
        let dated = of("Date: Mon, 1 Jan 2040 00:00:00 +0000\r\nSubject: x\r\n\r\nbody");
        assert_ne!(dated, of("Date: Mon, 1 Jan 2040 00:00:01 +0000\r\nSubject: x\r\n\r\nbody"));
    }
}
