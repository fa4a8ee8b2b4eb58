//! The page of a message, and deleting it.

mod frame;
mod letter;
pub(crate) mod parts;
mod text;

use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::letter::Letter;
use super::inbox::{self, Around, Beside, Filters};
use crate::domain::mailroom::messages::{self, MessageId, Neighbors};
use crate::web::htmx::Htmx;
use crate::web::pages::layout::Unread;
use crate::web::pages::list::ListQuery;
use crate::web::pages::{Answer, Confirmation, Member, Notice, PageError, html, see_other_with};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::MESSAGE).get(show),
        page(paths::MESSAGE_DELETE).get(ask_delete).post(delete),
        page(paths::MESSAGE_HTML).get(parts::html),
        page(paths::MESSAGE_SOURCE).get(parts::source),
        page(paths::MESSAGE_RAW).get(parts::raw),
        page(paths::ATTACHMENT).get(parts::attachment),
    ]
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct View {
    /// `text` shows the text instead of the HTML.
    body: String,
    /// Any value loads remote images.
    images: String,
}

/// The message in a page with the list.
#[derive(Template)]
#[template(path = "mailroom/_letter.html")]
struct LetterPart<'a> {
    letter: &'a Letter,
}

/// The message as a fragment for htmx.
#[derive(Template)]
#[template(path = "mailroom/_opened.html")]
struct OpenedPart<'a> {
    letter: &'a Letter,
    unread: Unread,
}

async fn show(
    member: Member,
    htmx: Htmx,
    request: HttpRequest,
    id: Path<MessageId>,
    asked: ListQuery<Filters>,
    view: Query<View>,
) -> Answer {
    let id = *id;
    if is_prefetch(&request) {
        // A prefetch must not mark the message as read. The browser requests the page again when it is opened.
        return Ok(HttpResponse::ServiceUnavailable().finish());
    }
    let opened = member.read(move |tx, team| messages::open(tx, team, id)).await?;
    let is_unread = opened.message.read_at.is_none();
    let around = if htmx.0 { Err(asked) } else { Ok(Around::load(&member, asked).await?) };
    let known = around.as_ref().ok().and_then(|around| around.list.neighbors(id));
    let asked = around.as_ref().map_or_else(|asked| asked, |around| &around.list.asked);
    let neighbors = match known {
        Some(neighbors) => neighbors,
        None => neighbors(&member, id, asked).await?,
    };
    let letter = Letter::of(&member, opened, asked, &view).between(neighbors, asked);
    let mut unread = Unread(member.unread);
    if is_unread && (htmx.0 || is_opened(&request)) {
        unread = mark_read(&member, id).await?;
    }
    let Ok(around) = around else { return html(StatusCode::OK, &OpenedPart { letter: &letter, unread }) };
    let html = LetterPart { letter: &letter }.render().map_err(PageError::fault)?;
    inbox::show_beside(&member, around, Beside { id, title: letter.subject, html, unread })
}

async fn neighbors(
    member: &Member,
    id: MessageId,
    asked: &ListQuery<Filters>,
) -> Result<Neighbors, PageError> {
    let (words, filter) = asked.filters.parse()?;
    Ok(member.read(move |tx, team| messages::neighbors(tx, team, &words, &filter, id)).await?)
}

/// Whether the browser prefetches or prerenders the page.
fn is_prefetch(request: &HttpRequest) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .filter_map(|name| header(name))
        .any(|value| value.contains("prefetch") || value.contains("prerender"))
}

/// Whether the browser opens a page, not a resource of one.
fn is_opened(request: &HttpRequest) -> bool {
    request.headers().get("sec-fetch-dest").is_none_or(|dest| dest == "document")
}

/// Returns the new number of unread messages.
async fn mark_read(member: &Member, id: MessageId) -> Result<Unread, PageError> {
    let marked = member.write(move |tx, actor, team| {
        messages::mark(tx, actor, team, id, true)?;
        messages::unread_capped(tx, team)
    });
    Ok(Unread(marked.await?))
}

fn subject(subject: String) -> String {
    if subject.is_empty() { "(no subject)".into() } else { subject }
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
    question.explain(format!("This permanently deletes the message{with} for everyone on the team."));
    question.explain("This can't be undone. Activity records who deleted it and when.");
    question.ask(htmx, &member)
}

async fn delete(member: Member, id: Path<MessageId>) -> Answer {
    member.write(move |tx, actor, team| messages::delete(tx, actor, team, *id)).await?;
    Ok(see_other_with(paths::INBOX, Notice::MessageDeleted))
}
