//! One message: read, marked unread, deleted.

pub mod parts;
mod words;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use self::words::Finding;
use super::inbox::state_badge;
use crate::app::App;
use crate::domain::Error;
use crate::domain::mailroom::contacts::{self, ContactId};
use crate::domain::mailroom::html::has_remote_pictures;
use crate::domain::mailroom::messages::{self, Attachment, MessageId, Opened};
use crate::web::headers::FRAMING;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::{Layout, Unread};
use crate::web::pages::notice::Notice;
use crate::web::pages::when::When;
use crate::web::pages::{html, see_other_with};
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

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

/// How a message is looked at.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct View {
    /// `html`, where it is not the text.
    view: String,
    /// Anything to fetch pictures from where the sender keeps them.
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
    /// Its id and its address; the first is empty once it is gone.
    alias: (String, String),
    at: When,
    size: String,
    truncated: bool,
    badge: Option<(&'static str, &'static str)>,
    reason: String,
    findings: Vec<Finding>,
    body: Body,
    attachments: Vec<File>,
    headers: Vec<(String, String)>,
    delivered: bool,
}

/// What is shown of the message itself.
struct Body {
    text: String,
    has_html: bool,
    is_html: bool,
    pictures: bool,
    /// Whether pictures were left out.
    lacks_pictures: bool,
}

struct File {
    id: String,
    name: String,
    kind: String,
    size: String,
}

pub async fn show(
    app: web::Data<App>,
    member: Member,
    request: HttpRequest,
    path: web::Path<MessageId>,
    view: web::Query<View>,
) -> Result<HttpResponse, PageError> {
    let id = path.into_inner();
    if is_prefetch(&request) {
        // Nobody looks at it yet: the browser comes again when somebody does.
        return Ok(HttpResponse::ServiceUnavailable().finish());
    }
    let team = member.team.id;
    let read = app.read(move |tx| {
        let opened = messages::open(tx, team, id)?;
        let contact = opened.message.contact_id;
        let contact = contact.filter(|id| contacts::find(tx, team, *id).is_ok());
        Ok::<_, Error>((opened, contact))
    });
    let (opened, contact) = read.await?;
    let mut layout = Layout::new(&member, "inbox");
    if opened.message.read_at.is_none() && is_looked_at(&request) {
        layout.unread = mark_read(&app, &member, id).await?;
    }
    let page = MessagePage::of(layout, opened, contact, &view);
    let framed = page.body.is_html;
    let mut answer = html(StatusCode::OK, &page)?;
    if framed {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAMING));
    }
    Ok(answer)
}

/// Whether a browser only guesses that somebody will open it.
fn is_prefetch(request: &HttpRequest) -> bool {
    let says = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .filter_map(|name| says(name))
        .any(|value| value.contains("prefetch") || value.contains("prerender"))
}

/// Whether it is opened as a page, not as a part of one.
fn is_looked_at(request: &HttpRequest) -> bool {
    request.headers().get("sec-fetch-dest").is_none_or(|dest| dest == "document")
}

/// How many are unread then.
async fn mark_read(app: &App, viewer: &Viewer, id: MessageId) -> Result<Unread, PageError> {
    let (actor, team) = (viewer.actor(), viewer.team.id);
    let marked = app.write(move |tx| {
        messages::mark(tx, &actor, team, id, true)?;
        messages::unread_shown(tx, team)
    });
    Ok(Unread(marked.await?))
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
            subject: if row.subject.is_empty() { "(no subject)".into() } else { row.subject },
            from: row.from_name.unwrap_or_default(),
            from_address: address,
            contact: contact.map(|id| id.to_string()).unwrap_or_default(),
            to: to.into_iter().map(|mailbox| words::mailbox(&mailbox)).collect(),
            rcpt: row.rcpt,
            alias: (alias_id, alias.address()),
            at: When(row.received_at),
            size: words::size(row.size),
            truncated: row.kept.is_some(),
            badge: state_badge(row.state),
            delivered: state_badge(row.state).is_none(),
            reason: row.reason,
            findings: words::findings(&opened.authentication),
            body: Body::of(opened.text, opened.html, view),
            attachments: opened.attachments.into_iter().map(File::of).collect(),
            headers: opened.headers,
        }
    }
}

impl Body {
    /// Whether it needs little room, as far as its words tell; its frame cannot be measured.
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
            name: attachment.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Without a name".into()),
            kind: attachment.content_type,
            size: words::size(attachment.size),
        }
    }
}

pub async fn mark_unread(
    app: web::Data<App>,
    member: Member,
    path: web::Path<MessageId>,
) -> Result<HttpResponse, PageError> {
    let id = path.into_inner();
    let (actor, team) = (member.actor(), member.team.id);
    app.write(move |tx| messages::mark(tx, &actor, team, id, false)).await?;
    // Not back to the message: opening it marks it read.
    Ok(see_other_with(paths::INBOX, Notice::MessageUnread))
}

/// The question before it, in the dialog.
#[derive(Template)]
#[template(path = "mailroom/_delete_message.html")]
struct Question {
    team_id: String,
    id: String,
    subject: String,
    attachments: i32,
}

/// The same as a page of its own.
#[derive(Template)]
#[template(path = "mailroom/delete_message.html")]
struct QuestionPage {
    layout: Layout,
    team_id: String,
    id: String,
    subject: String,
    attachments: i32,
}

pub async fn ask_delete(
    app: web::Data<App>,
    member: Member,
    Htmx(by_htmx): Htmx,
    path: web::Path<MessageId>,
) -> Result<HttpResponse, PageError> {
    let id = path.into_inner();
    let team = member.team.id;
    let row = app.read(move |tx| messages::find(tx, team, id)).await?.row;
    let subject = if row.subject.is_empty() { "(no subject)".into() } else { row.subject };
    let (id, team_id, attachments) = (row.id.to_string(), team.to_string(), row.attachments);
    if by_htmx {
        return html(StatusCode::OK, &Question { team_id, id, subject, attachments });
    }
    let layout = Layout::new(&member, "inbox");
    html(StatusCode::OK, &QuestionPage { layout, team_id, id, subject, attachments })
}

pub async fn delete(
    app: web::Data<App>,
    member: Member,
    path: web::Path<MessageId>,
) -> Result<HttpResponse, PageError> {
    let id = path.into_inner();
    let (actor, team) = (member.actor(), member.team.id);
    app.write(move |tx| messages::delete(tx, &actor, team, id)).await?;
    Ok(see_other_with(paths::INBOX, Notice::MessageDeleted))
}
