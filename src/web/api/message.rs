//! Messages as JSON: list entries, and full messages.

use actix_web::http::header::EntityTag;
use serde::Serialize;
use utoipa::ToSchema;

use super::etag;
use super::resource::{Context, Form};
use crate::domain::Timestamp;
use crate::domain::mailroom::aliases::{Alias, AliasId};
use crate::domain::mailroom::authentication::{self, Policy};
use crate::domain::mailroom::contacts::ContactId;
use crate::domain::mailroom::conversations::ConversationId;
use crate::domain::mailroom::html::{self, Pictures};
use crate::domain::mailroom::messages::{self, AttachmentId, Folder, MessageId, MessageState, Opened};
use crate::domain::mailroom::parse;

/// A message as a list entry.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageRow {
    #[schema(value_type = String, example = "msg_019f2a4c1d877e02b6f03a9d1c55e7af")]
    id: MessageId,
    #[schema(example = "Where is my order?")]
    subject: String,
    /// The sender in its header; `null` if it names none.
    from: Option<Mailbox>,
    /// The address it was sent to, including any tag after a `+`.
    #[schema(example = "hello+shop@gatepost.localhost")]
    to: String,
    /// The alias that received it; `null` once it is deleted.
    alias: Option<AliasName>,
    #[schema(value_type = Option<String>, example = "con_019f2a4c1d877e02b6f03a9d1c55e7ae")]
    contact_id: Option<ContactId>,
    #[schema(value_type = Option<String>, example = "conv_019f2a4c1d877e02b6f03a9d1c55e7b0")]
    conversation_id: Option<ConversationId>,
    /// `delivered`; `denied`, from a blocked contact; or `rejected`, refused to the sender and stored for review.
    #[schema(value_type = String, example = "delivered")]
    state: MessageState,
    /// Why it is in that state.
    #[schema(example = "The alias accepts mail.")]
    reason: String,
    /// `inbox`; `archive`; or `blocked`, for mail of blocked contacts and refused mail.
    #[schema(value_type = String, example = "inbox")]
    folder: Folder,
    #[schema(value_type = String, format = DateTime, example = "2026-03-02T16:20:11.000001Z")]
    received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    /// The beginning of the text.
    #[schema(example = "Hello, I ordered a week ago")]
    preview: String,
    /// The size of the whole message in bytes.
    #[schema(example = 2214)]
    size: i64,
    /// Whether only the headers and 64 KiB of the body are stored, without attachments. This applies to long
    /// messages that are `denied` or `rejected`.
    #[schema(example = false)]
    truncated: bool,
    #[schema(example = 1)]
    attachment_count: i32,
}

#[derive(Serialize, ToSchema)]
pub struct Mailbox {
    #[schema(example = "bob@customer.test")]
    address: String,
    #[schema(example = "Bob")]
    name: Option<String>,
}

impl From<parse::Mailbox> for Mailbox {
    fn from(mailbox: parse::Mailbox) -> Self {
        Self { address: mailbox.address, name: mailbox.name }
    }
}

#[derive(Serialize, ToSchema)]
pub struct AliasName {
    #[schema(value_type = String, example = "alias_019f2a4c1d877e02b6f03a9d1c55e7ad")]
    id: AliasId,
    #[schema(example = "hello@gatepost.localhost")]
    address: String,
}

impl From<&Alias> for AliasName {
    fn from(alias: &Alias) -> Self {
        Self { id: alias.id, address: alias.address() }
    }
}

impl Form for MessageRow {
    type Row = (messages::Message, Option<AliasName>);
    type Id = MessageId;

    fn of((message, alias): Self::Row, _: &Context) -> Self {
        Self::new(message, alias)
    }
}

impl MessageRow {
    fn new(message: messages::Message, alias: Option<AliasName>) -> Self {
        let row = message.row;
        let name = row.from_name;
        Self {
            id: row.id,
            subject: row.subject,
            from: row.from_address.map(|address| Mailbox { address, name }),
            to: row.rcpt,
            alias,
            contact_id: row.contact_id,
            conversation_id: row.conversation_id,
            state: row.state,
            reason: row.reason,
            folder: row.folder,
            received_at: row.received_at,
            read_at: row.read_at,
            preview: row.preview,
            size: row.size,
            truncated: row.kept.is_some(),
            attachment_count: row.attachments,
        }
    }
}

/// A message in full.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    #[serde(flatten)]
    row: MessageRow,
    /// The recipients in its `To` header.
    recipients: Vec<Mailbox>,
    /// Those in `Cc`.
    cc: Vec<Mailbox>,
    /// As plain text, converted from the HTML if there is no text part.
    #[schema(example = "Hello, I ordered a week ago and nothing has come.\nBob\n")]
    text: String,
    /// Sanitized; `null` for a message without HTML.
    #[schema(example = "<p>Hello, I ordered a week ago and nothing has come.</p>")]
    html: Option<String>,
    headers: Vec<Header>,
    attachments: Vec<Attachment>,
    authentication: Authentication,
}

/// The results of SPF, DKIM and DMARC, as named in RFC 8601.
#[derive(Serialize, ToSchema)]
pub struct Authentication {
    spf: SenderCheck,
    /// One result per signature.
    dkim: Vec<SenderCheck>,
    dmarc: DmarcCheck,
}

/// The result of SPF or of one DKIM signature.
#[derive(Serialize, ToSchema)]
pub struct SenderCheck {
    /// `pass`, `fail`, `softfail`, `neutral`, `none`, `temperror` or `permerror`.
    #[schema(example = "pass")]
    result: &'static str,
    /// The domain of the record or signature.
    #[schema(example = "customer.test")]
    domain: Option<String>,
    /// Only for a signature.
    #[schema(example = "s1")]
    selector: Option<String>,
    /// The reason, for people.
    detail: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DmarcCheck {
    #[schema(example = "pass")]
    result: &'static str,
    #[schema(example = "customer.test")]
    domain: Option<String>,
    /// What the domain asks receivers to do with mail that fails DMARC: `none`, `quarantine` or `reject`.
    #[schema(value_type = Option<String>, example = "reject")]
    policy: Option<Policy>,
    /// The reason, for people.
    detail: Option<String>,
}

impl From<authentication::Check> for SenderCheck {
    fn from(check: authentication::Check) -> Self {
        let authentication::Check { result, domain, selector, detail } = check;
        Self { result: result.as_str(), domain, selector, detail }
    }
}

impl From<authentication::Authentication> for Authentication {
    fn from(found: authentication::Authentication) -> Self {
        let authentication::Dmarc { result, domain, policy, detail } = found.dmarc;
        Self {
            spf: found.spf.into(),
            dkim: found.dkim.into_iter().map(SenderCheck::from).collect(),
            dmarc: DmarcCheck { result: result.as_str(), domain, policy, detail },
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Header {
    #[schema(example = "Message-ID")]
    name: String,
    #[schema(example = "<1@customer.test>")]
    value: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    #[schema(value_type = String, example = "att_019f2a4c1d877e02b6f03a9d1c55e7b1")]
    id: AttachmentId,
    #[schema(example = "invoice.pdf")]
    name: Option<String>,
    #[schema(example = "application/pdf")]
    content_type: String,
    /// Bytes.
    #[schema(example = 1207)]
    size: i64,
    /// Whether the HTML shows it, by its `contentId`.
    #[schema(example = false)]
    inline: bool,
    content_id: Option<String>,
}

impl From<messages::Attachment> for Attachment {
    fn from(attachment: messages::Attachment) -> Self {
        Self {
            id: attachment.id,
            name: attachment.name,
            content_type: attachment.content_type,
            size: attachment.size,
            inline: attachment.inline,
            content_id: attachment.content_id,
        }
    }
}

/// Covers the fields that can change, and the version of the server that renders the others. Must reveal
/// nothing about the content, because callers without read access see it too.
pub fn tag(message: &messages::Message) -> EntityTag {
    let (row, version) = (&message.row, env!("CARGO_PKG_VERSION"));
    etag::of(&(row.id, row.read_at, row.folder, row.state, row.contact_id, row.conversation_id, version))
}

impl Message {
    pub fn of(opened: Opened) -> Self {
        let headers = opened.headers.into_iter().map(|(name, value)| Header { name, value });
        Self {
            row: MessageRow::new(opened.message, Some(AliasName::from(&opened.alias))),
            recipients: opened.to.into_iter().map(Mailbox::from).collect(),
            cc: opened.cc.into_iter().map(Mailbox::from).collect(),
            text: opened.text,
            html: opened.html.map(|html| html::safe(&html, Pictures::Inline)),
            headers: headers.collect(),
            attachments: opened.attachments.into_iter().map(Attachment::from).collect(),
            authentication: opened.authentication.into(),
        }
    }
}
