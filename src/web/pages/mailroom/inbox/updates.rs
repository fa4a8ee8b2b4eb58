//! Updates of the inbox, which polls every second. A poll is cheap: it reads one page of the list by an index, and a
//! capped count.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;

use super::known::{Known, hash};
use super::list::{List, Row, aliases_of};
use super::query::{Filters, Tab, tabs};
use super::{Found, name_missing};
use crate::domain::lists::{Page, Window};
use crate::domain::mailroom::aliases::Alias;
use crate::domain::mailroom::messages::{self, Message, MessageId, Tallies};
use crate::web::htmx::Htmx;
use crate::web::pages::layout::Unread;
use crate::web::pages::list::{ListQuery, ROWS};
use crate::web::pages::{Answer, Member, PageError, html, see_other};
use crate::web::paths;

/// New rows for the top of an otherwise unchanged list, the new count, and the next URL to poll.
#[derive(Template)]
#[template(path = "mailroom/_updates.html")]
struct Updates {
    updates: String,
    rows: Vec<Row>,
    tabs: Vec<Tab>,
    summary: String,
    unread: Unread,
}

#[derive(Template)]
#[template(path = "mailroom/_count.html")]
struct Count {
    known: Unread,
    team: String,
}

/// The current list, and the part that the page already shows.
struct Changes {
    page: Page<Message, MessageId>,
    tallies: Tallies,
    fresh: usize,
    rest: Vec<Message>,
    named: Vec<Alias>,
}

/// Responds 204 if the page is up to date.
pub async fn of_list(
    member: Member,
    htmx: Htmx,
    asked: ListQuery<Filters>,
    known: web::Query<Known>,
) -> Answer {
    if !htmx.0 {
        return Ok(see_other(asked.address("")));
    }
    if known.team != member.team.id.to_string() {
        return Ok(nothing());
    }
    let changes = load(&member, &asked, &known).await?;
    let now = Known::of(&member, &changes.page.rows, changes.tallies);
    let list_changed = now.rows != known.rows;
    if !list_changed && (now.count, &now.tabs) == (known.count, &known.tabs) {
        return Ok(nothing());
    }
    if list_changed && (changes.fresh == 0 || hash(&changes.rest) != known.rows) {
        return replace(&member, asked, changes);
    }
    let fresh = changes.page.rows.into_iter().take(changes.fresh);
    let rows: Vec<Row> = fresh.map(|message| Row::of(&member, message, &changes.named, &asked)).collect();
    let part = Updates {
        updates: now.address(&asked),
        tabs: tabs(&asked, changes.tallies),
        summary: summary(&rows),
        rows,
        unread: Unread(member.unread),
    };
    html(StatusCode::OK, &part)
}

async fn load(member: &Member, asked: &ListQuery<Filters>, known: &Known) -> Result<Changes, PageError> {
    let (words, filter) = asked.filters.parse()?;
    let (newest, had) = (MessageId::parse(&known.newest), known.rows.clone());
    let read = member.read(move |tx, team| {
        let page = messages::list_or_search(tx, team, &words, &filter, Window::first(ROWS))?;
        let is_fresh = |message: &&Message| newest.is_some_and(|newest| message.id > newest);
        let fresh = page.rows.iter().take_while(is_fresh).count();
        let (mut rest, mut named) = (Vec::new(), Vec::new());
        if let Some(oldest) = page.rows[..fresh].last() {
            rest = messages::list_or_search(tx, team, &words, &filter, Window::below(Some(oldest.id), ROWS))?
                .rows;
        }
        if hash(&page.rows) != had {
            named = name_missing(tx, team, Vec::new(), aliases_of(&page.rows))?;
        }
        Ok(Changes { page, tallies: messages::tallies(tx, team)?, fresh, rest, named })
    });
    Ok(read.await?)
}

fn replace(member: &Member, asked: ListQuery<Filters>, changes: Changes) -> Answer {
    let list = List::of(member, asked, (changes.page, changes.tallies), &changes.named);
    let mut answer = html(StatusCode::OK, &Found::of(&list, Unread(member.unread)))?;
    for (name, value) in [("hx-retarget", "#messages"), ("hx-reswap", "outerHTML")] {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// The announcement of new messages for screen readers.
fn summary(rows: &[Row]) -> String {
    match rows {
        [] => String::new(),
        [one] => format!("New message from {}: {}", one.from, one.subject),
        many => format!("{} new messages", many.len()),
    }
}

/// The unread count in the navigation, for other pages.
pub async fn of_count(member: Member, htmx: Htmx, known: web::Query<Known>) -> Answer {
    if !htmx.0 {
        return Ok(see_other(paths::INBOX));
    }
    let team = member.team.id.to_string();
    if known.team != team || known.count == member.unread {
        return Ok(nothing());
    }
    html(StatusCode::OK, &Count { known: Unread(member.unread), team })
}

fn nothing() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
