//! One message: its page, marking it unread, deleting it.

pub(crate) mod parts;
mod text;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use actix_web::web::{Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::text::Finding;
use crate::domain::mailroom::contacts::{self, ContactId};
use crate::domain::mailroom::html::has_remote_pictures;
use crate::domain::mailroom::messages::{self, Attachment, MessageId, MessageState, Opened};
use crate::web::headers::FRAMING;
use crate::web::htmx::Htmx;
use crate::web::pages::format::When;
use crate::web::pages::layout::Unread;
use crate::web::pages::{
    Answer, Badge, Confirmation, Layout, Member, Notice, PageError, html, see_other_with,
};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::MESSAGE).get(show),
        page(paths::MESSAGE_UNREAD).post(mark_unread),
        page(paths::MESSAGE_DELETE).get(ask_delete).post(delete),
        page(paths::MESSAGE_HTML).get(parts::html),
        page(paths::MESSAGE_SOURCE).get(parts::source),
        page(paths::MESSAGE_RAW).get(parts::raw),
        page(paths::ATTACHMENT).get(parts::attachment),
    ]
}

/// The options of the message view.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct View {
    /// `html` to show the HTML instead of the text.
    view: String,
    /// Any value loads remote images.
    pictures: String,
}

#[derive(Template)]
#[template(path = "mailroom/message.html")]
struct MessagePage {
    layout: Layout,
    id: String,
    subject: String,
    from: String,
    from_address: String,
    /// Empty once the contact is gone.
    contact: String,
    to: Vec<String>,
    rcpt: String,
    /// The alias's id and address; the id is empty once the alias is deleted.
    alias: (String, String),
    at: When,
    size: String,
    truncated: bool,
    badge: Option<Badge>,
    reason: String,
    findings: Vec<Finding>,
    body: Body,
    attachments: Vec<File>,
    headers: Vec<(String, String)>,
    delivered: bool,
}

/// The body of the message.
struct Body {
    text: String,
    has_html: bool,
    is_html: bool,
    pictures: bool,
    /// Whether remote images were blocked.
    lacks_pictures: bool,
}

struct File {
    id: String,
    name: String,
    kind: String,
    size: String,
}

async fn show(member: Member, request: HttpRequest, id: Path<MessageId>, view: Query<View>) -> Answer {
    let id = *id;
    if is_prefetch(&request) {
        // A prefetch must not mark the message as read: the browser requests the page again when it is
        // opened.
        return Ok(HttpResponse::ServiceUnavailable().finish());
    }
    let read = member.read(move |tx, team| {
        let opened = messages::open(tx, team, id)?;
        let contact = opened.message.contact_id;
        let contact = contact.filter(|id| contacts::find(tx, team, *id).is_ok());
        Ok((opened, contact))
    });
    let (opened, contact) = read.await?;
    let mut layout = Layout::new(&member, "inbox");
    if opened.message.read_at.is_none() && is_opened(&request) {
        layout.unread = mark_read(&member, id).await?;
    }
    let page = MessagePage::of(layout, opened, contact, &view);
    let framed = page.body.is_html;
    let mut answer = html(StatusCode::OK, &page)?;
    if framed {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAMING));
    }
    Ok(answer)
}

/// Whether the browser prefetches or prerenders the page.
fn is_prefetch(request: &HttpRequest) -> bool {
    let says = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .filter_map(|name| says(name))
        .any(|value| value.contains("prefetch") || value.contains("prerender"))
}

/// Whether the browser opens a page, not a part of one.
fn is_opened(request: &HttpRequest) -> bool {
    request.headers().get("sec-fetch-dest").is_none_or(|dest| dest == "document")
}

/// The number of unread messages afterwards.
async fn mark_read(member: &Member, id: MessageId) -> Result<Unread, PageError> {
    let marked = member.write(move |tx, actor, team| {
        messages::mark(tx, actor, team, id, true)?;
        messages::unread_shown(tx, team)
    });
    Ok(Unread(marked.await?))
}

/// Empty for delivered mail.
pub fn state_badge(state: MessageState) -> Option<Badge> {
    match state {
        MessageState::Denied => Some(("warning", "Blocked")),
        MessageState::Rejected => Some(("danger", "Rejected")),
        _ => None,
    }
}

impl MessagePage {
    fn of(layout: Layout, opened: Opened, contact: Option<ContactId>, view: &View) -> Self {
        let Opened { message, alias, to, .. } = opened;
        let alias_id = if alias.deleted_at.is_none() { alias.id.to_string() } else { String::new() };
        let row = message.row;
        let address = row.from_address.or(row.envelope_from).unwrap_or_default();
        Self {
            layout,
            id: row.id.to_string(),
            subject: subject(row.subject),
            from: row.from_name.unwrap_or_default(),
            from_address: address,
            contact: contact.map(|id| id.to_string()).unwrap_or_default(),
            to: to.into_iter().map(|mailbox| text::mailbox(&mailbox)).collect(),
            rcpt: row.rcpt,
            alias: (alias_id, alias.address()),
            at: When(row.received_at),
            size: text::size(row.size),
            truncated: row.kept.is_some(),
            badge: state_badge(row.state),
            delivered: state_badge(row.state).is_none(),
            reason: row.reason,
            findings: text::findings(&opened.authentication),
            body: Body::of(opened.text, opened.html, view),
            attachments: opened.attachments.into_iter().map(File::of).collect(),
            headers: opened.headers,
        }
    }
}

impl Body {
    /// Whether it needs little room, judged by its text; its frame cannot be measured.
    fn is_short(&self) -> bool {
        self.text.lines().map(|line| 1 + line.len() / 90).sum::<usize>() <= 12
    }

    fn of(text: String, html: Option<String>, view: &View) -> Self {
        let is_html = view.view == "html" && html.is_some();
        let pictures = !view.pictures.is_empty();
        Self {
            text,
            has_html: html.is_some(),
            is_html,
            pictures,
            lacks_pictures: is_html && !pictures && html.is_some_and(|html| has_remote_pictures(&html)),
        }
    }
}

impl File {
    fn of(attachment: Attachment) -> Self {
        Self {
            id: attachment.id.to_string(),
            name: attachment.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Unnamed file".into()),
            kind: attachment.content_type,
            size: text::size(attachment.size),
        }
    }
}

fn subject(subject: String) -> String {
    if subject.is_empty() { "(no subject)".into() } else { subject }
}

async fn mark_unread(member: Member, id: Path<MessageId>) -> Answer {
    member.write(move |tx, actor, team| messages::mark(tx, actor, team, *id, false)).await?;
    // Redirects to the inbox, because opening the message would mark it as read again.
    Ok(see_other_with(paths::INBOX, Notice::MessageUnread))
}

async fn ask_delete(member: Member, htmx: Htmx, id: Path<MessageId>) -> Answer {
    let id = *id;
    let row = member.read(move |tx, team| messages::find(tx, team, id)).await?.row;
    let mut question = Confirmation::new(&member, "inbox", "Delete message", paths::MESSAGE_DELETE.of(id));
    question.about(format!("“{}”", subject(row.subject)), paths::MESSAGE.of(id));
    let with = match row.attachments {
        0 => String::new(),
        1 => " and its attachment".into(),
        count => format!(" and its {count} attachments"),
    };
    question.says(format!("This permanently deletes the message{with} for everyone on the team."));
    question.says("This can't be undone. Activity keeps who deleted it, and when.");
    question.ask(htmx, &member)
}

async fn delete(member: Member, id: Path<MessageId>) -> Answer {
    member.write(move |tx, actor, team| messages::delete(tx, actor, team, *id)).await?;
    Ok(see_other_with(paths::INBOX, Notice::MessageDeleted))
}
