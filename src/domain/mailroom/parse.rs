//! Parses raw messages for the rest of Gatepost. Parsing never fails: in the worst case all fields are empty.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sha2::{Digest, Sha256};

use super::clean::{MAX_LINE, clipped, file_name, one_line, plain, unfolded};
use super::mailboxes::mailboxes;
use super::mime::charset::Charset;
use super::mime::content::{self, Content};
use super::mime::encoded_word::{raw_text, text_of};
use super::mime::header::Header;
use super::mime::structure;
use super::words::Words;

pub(crate) use super::mailboxes::{Mailbox, Recipients, address_of, mailboxes_in};
pub use super::mime::content::File;

const MAX_TEXT: usize = 1 << 20;
const MAX_HTML: usize = 2 << 20;
const MAX_HEADER: usize = 8 << 10;
const MAX_HEADERS: usize = 500;
const MAX_REFERENCES: usize = 100;
const MAX_PREVIEW: usize = 160;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub subject: String,
    pub from: Option<Mailbox>,
    pub recipients: Recipients,
    pub text: String,
    pub html: Option<String>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<File>,
    /// Without angle brackets, like all ids here.
    pub message_id: Option<String>,
    pub in_reply_to: Vec<String>,
    /// Oldest first.
    pub references: Vec<String>,
    pub words: Words,
    /// Whether it was not written by a person, like a vacation note, a bounce or list mail.
    pub automatic: bool,
    pub hops: usize,
    /// SHA-256 of the parts that stay the same when a message is sent twice.
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
            if preview.len() > 4 * MAX_PREVIEW {
                break;
            }
        }
        preview.chars().take(MAX_PREVIEW).collect()
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
    // A panic would end the thread that receives mail.
    let parsed = catch_unwind(AssertUnwindSafe(|| read(raw))).unwrap_or_default();
    Parsed { words: words_of(&parsed, &parsed.text), ..parsed }
}

pub(super) fn words_of(parsed: &Parsed, text: &str) -> Words {
    let from = parsed.from.iter().flat_map(|from| [Some(from.address.as_str()), from.name.as_deref()]);
    Words::of([parsed.subject.as_str()].into_iter().chain(from.flatten()).chain([text]))
}

pub(super) fn read(raw: &[u8]) -> Parsed {
    let parts = structure::read(raw);
    let Some(message) = parts.first() else { return Parsed::default() };
    let (header, body) = (&message.header, content::charset_of(&parts));
    let subject = header.first("Subject").map(|value| one_line(&text_of(value, body))).unwrap_or_default();
    let Content { text, html, files } = content::read(raw, &parts);
    let message_id = ids(header, "Message-ID").into_iter().next();
    Parsed {
        from: mailboxes(header.all("From"), body).into_iter().next(),
        recipients: Recipients {
            to: mailboxes(header.all("To"), body),
            cc: mailboxes(header.all("Cc"), body),
        },
        text: clipped(&plain(&text), MAX_TEXT),
        html: html.map(|html| clipped(&plain(&html), MAX_HTML)),
        headers: headers(header, body),
        attachments: files.into_iter().map(clean_file).collect(),
        in_reply_to: ids(header, "In-Reply-To"),
        references: ids(header, "References"),
        words: Words::default(),
        automatic: is_automatic(header),
        hops: header.all("Received").count(),
        dedupe: dedupe(message_id.as_deref(), header, &subject, &raw[message.start..]),
        message_id,
        subject,
    }
}

/// Reads Message-IDs, with or without brackets.
fn ids(header: &Header<'_>, name: &str) -> Vec<String> {
    let values = header.all(name).map(|value| raw_text(value, Charset::Guess)).collect::<Vec<_>>().join(" ");
    let parts = |c: char| c.is_whitespace() || matches!(c, ',' | '<' | '>');
    let in_brackets = values.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
    let bracketed: Vec<String> = in_brackets.map(|id| id.split_whitespace().collect()).collect();
    let bare = || values.split(parts).filter(|word| word.contains('@')).map(str::to_owned).collect();
    let ids = if bracketed.is_empty() { bare() } else { bracketed };
    let ids: Vec<_> =
        ids.iter().map(|id| clipped(&plain(id), MAX_LINE)).filter(|id| !id.is_empty()).collect();
    // The last references are the closest replies.
    ids[ids.len().saturating_sub(MAX_REFERENCES)..].to_vec()
}

fn headers(header: &Header<'_>, body: Charset) -> Vec<(String, String)> {
    let each = header.fields.iter().take(MAX_HEADERS).map(|(name, value)| {
        let value = raw_text(value, body);
        (one_line(&String::from_utf8_lossy(name)), clipped(&unfolded(&value), MAX_HEADER))
    });
    each.collect()
}

fn is_automatic(header: &Header<'_>) -> bool {
    let value = |name: &str| {
        let value = header.first(name).map(|value| String::from_utf8_lossy(value).into_owned());
        value.map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default()
    };
    let submitted = value("Auto-Submitted");
    !(submitted.is_empty() || submitted == "no")
        || ["bulk", "junk", "list", "auto_reply"].contains(&value("Precedence").as_str())
        || !value("X-Autoreply").is_empty()
        || !value("X-Autorespond").is_empty()
}

fn clean_file(file: File) -> File {
    File {
        name: file.name.map(|name| file_name(&name)).filter(|name| !name.is_empty()),
        content_type: clipped(&one_line(&file.content_type), 255).to_lowercase(),
        content_id: file.content_id.map(|id| one_line(&id)).filter(|id| !id.is_empty()),
        ..file
    }
}

/// Includes sender, reply address and subject, so that a message from another sender is never a duplicate.
/// Without a Message-ID, includes the whole header except the Received field that we added: only a repeated
/// transaction is a duplicate.
fn dedupe(message_id: Option<&str>, header: &Header<'_>, subject: &str, body: &[u8]) -> [u8; 32] {
    let value = |name: &str| header.first(name).unwrap_or_default();
    let mut hash = Sha256::new();
    let mut add = |each: &[u8]| {
        hash.update(each);
        hash.update([0]);
    };
    match message_id {
        Some(id) => {
            [id.as_bytes(), value("From"), value("Reply-To"), subject.as_bytes()].into_iter().for_each(add)
        }
        None => {
            let ours = header.fields.iter().position(|(name, _)| name.eq_ignore_ascii_case(b"Received"));
            let others = header.fields.iter().enumerate().filter(|(place, _)| Some(*place) != ours);
            others.for_each(|(_, (name, value))| [*name, value].into_iter().for_each(&mut add));
        }
    }
    hash.update(body);
    hash.finalize().into()
}

pub fn has_message_id(raw: &[u8]) -> bool {
    !ids(&Header::of(raw), "Message-ID").is_empty()
}

/// Returns the offset of the body, after the first empty line, or 0 if there is none.
pub(super) fn body_at(raw: &[u8]) -> usize {
    let body = Header::of(raw).body;
    if raw[..body].ends_with(b"\n\r\n") || raw[..body].ends_with(b"\n\n") { body } else { 0 }
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
    fn a_multipart_message_is_parsed() {
        let parsed = parse(WHOLE.as_bytes());
        assert_eq!(parsed.subject, "Grüße");
        let from = Mailbox { address: "joerg@a.test".into(), name: Some("Jörg".into()) };
        assert_eq!((parsed.from, parsed.recipients.to.len()), (Some(from), 2));
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
    fn nul_is_removed_and_a_lone_cr_ends_a_line() {
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
    fn a_message_with_only_html_gets_text() {
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
    fn duplicates_are_recognized_by_their_content() {
        let of = |text: &str| parse(text.as_bytes()).dedupe;
        let first = of("Message-ID: <1@a>\r\nSubject: x\r\n\r\nbody");
        assert_eq!(first, of("Received: from b\r\nMessage-ID: <1@a>\r\nSubject: x\r\n\r\nbody"));
        assert_ne!(first, of("Message-ID: <1@a>\r\nSubject: x\r\n\r\nother"));
        assert_ne!(first, of("Message-ID: <2@a>\r\nSubject: x\r\n\r\nbody"));
        assert_ne!(first, of("Message-ID: <1@a>\r\nSubject: y\r\n\r\nbody"));
        assert_ne!(first, of("From: b@a.test\r\nMessage-ID: <1@a>\r\nSubject: x\r\n\r\nbody"));
        let alarm = of("Subject: x\r\n\r\nbody");
        assert_eq!(alarm, of("Received: from a; now\r\nSubject: x\r\n\r\nbody"));
        let trace = "Received: by us\r\nReceived: from a; 10:00\r\n";
        assert_ne!(
            of(&format!("{trace}\r\nbody")),
            of(&format!("{}\r\nbody", trace.replace("10:00", "10:01")))
        );
        let dated = of("Date: Mon, 1 Jan 2040 00:00:00 +0000\r\nSubject: x\r\n\r\nbody");
        assert_ne!(dated, of("Date: Mon, 1 Jan 2040 00:00:01 +0000\r\nSubject: x\r\n\r\nbody"));
    }
}
