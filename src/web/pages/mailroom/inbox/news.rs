//! What is new since a page was drawn. It is asked for each second and costs little: a page of
//! the list by its index, and a short count.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;

use super::{List, PAGE, Query, Row, aliases_of};
use crate::app::App;
use crate::domain::Error;
use crate::domain::lists::{Page, Window};
use crate::domain::mailroom::aliases::{self, Alias};
use crate::domain::mailroom::messages::{self, Message, MessageId};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::layout::Unread;
use crate::web::pages::{html, see_other};
use crate::web::paths;
use crate::web::viewer::Viewer;

/// What the page that asks has.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Known {
    team: String,
    /// How many were unread.
    count: i64,
    /// The newest message; empty for an empty list.
    after: String,
    /// All of its rows, in short.
    seen: String,
}

impl Known {
    pub fn of(viewer: &Viewer, rows: &[Message]) -> Self {
        Self {
            team: viewer.team.id.to_string(),
            count: viewer.unread,
            after: rows.first().map(|message| message.id.to_string()).unwrap_or_default(),
            seen: seen(rows),
        }
    }

    pub fn pairs(&self) -> [(&'static str, String); 4] {
        let count = self.count.to_string();
        [
            ("team", self.team.clone()),
            ("count", count),
            ("after", self.after.clone()),
            ("seen", self.seen.clone()),
        ]
    }
}

/// The same for the same rows in the same state.
fn seen(rows: &[Message]) -> String {
    let mut hasher = DefaultHasher::new();
    for message in rows {
        (message.id.to_string(), message.read_at.is_some()).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Rows that go on top of a list that is otherwise as it was, the new count, and where to ask
/// next.
#[derive(Template)]
#[template(path = "mailroom/_news.html")]
struct News {
    news: String,
    rows: Vec<Row>,
    told: String,
    unread: Unread,
}

/// The whole list anew, when more of it changed.
#[derive(Template)]
#[template(path = "mailroom/_found.html")]
struct Anew {
    list: List,
    told: String,
    unread: Unread,
}

#[derive(Template)]
#[template(path = "mailroom/_count.html")]
struct Count {
    known: Unread,
    team: String,
}

/// The list that changed, and of it what was below `after` before.
struct Look {
    page: Page<Message, MessageId>,
    fresh: usize,
    rest: Vec<Message>,
    named: Vec<Alias>,
}

/// Nothing when all is as the page has it.
pub async fn of_list(
    app: web::Data<App>,
    member: Member,
    Htmx(by_htmx): Htmx,
    query: web::Query<Query>,
    known: web::Query<Known>,
) -> Result<HttpResponse, PageError> {
    let query = query.into_inner();
    if !by_htmx {
        return Ok(see_other(query.newest()));
    }
    if known.team != member.team.id.to_string() {
        return Ok(nothing());
    }
    let look = look(&app, &member, &query, &known).await?;
    let now = Known::of(&member, &look.page.rows);
    let list_changed = now.seen != known.seen;
    if !list_changed && now.count == known.count {
        return Ok(nothing());
    }
    if list_changed && (look.fresh == 0 || seen(&look.rest) != known.seen) {
        return anew(&member, query, look);
    }
    let fresh = look.page.rows.into_iter().take(look.fresh);
    let rows: Vec<Row> = fresh.map(|message| Row::of(message, &look.named)).collect();
    let unread = Unread(member.unread);
    html(StatusCode::OK, &News { news: query.news(&now), told: told(&rows), rows, unread })
}

async fn look(app: &App, viewer: &Viewer, query: &Query, known: &Known) -> Result<Look, PageError> {
    let asked = query.parse()?;
    let (team, after, had) = (viewer.team.id, MessageId::parse(&known.after), known.seen.clone());
    let read = app.read(move |tx| {
        let page = messages::list_or_search(tx, team, &asked.words, &asked.filter, Window::first(PAGE))?;
        let is_fresh = |message: &&Message| after.is_some_and(|after| message.id > after);
        let fresh = page.rows.iter().take_while(is_fresh).count();
        let (mut rest, mut named) = (Vec::new(), Vec::new());
        if let Some(oldest) = page.rows[..fresh].last() {
            let window = Window::below(Some(oldest.id), PAGE);
            rest = messages::list_or_search(tx, team, &asked.words, &asked.filter, window)?.rows;
        }
        if seen(&page.rows) != had {
            named = aliases::find_all(tx, team, &aliases_of(&page.rows))?;
        }
        Ok::<_, Error>(Look { page, fresh, rest, named })
    });
    Ok(read.await?)
}

fn anew(viewer: &Viewer, query: Query, look: Look) -> Result<HttpResponse, PageError> {
    let list = List::of(viewer, query, look.page, &look.named, None);
    let anew = Anew { told: list.told(), unread: Unread(viewer.unread), list };
    let mut answer = html(StatusCode::OK, &anew)?;
    for (name, value) in [("hx-retarget", "#messages"), ("hx-reswap", "outerHTML")] {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// What arrived, for those who do not see it.
fn told(rows: &[Row]) -> String {
    match rows {
        [] => String::new(),
        [one] => format!("New message from {}: {}", one.from, one.subject),
        many => format!("{} new messages", many.len()),
    }
}

/// The number beside Inbox, for every other page.
pub async fn of_count(
    member: Member,
    Htmx(by_htmx): Htmx,
    known: web::Query<Known>,
) -> Result<HttpResponse, PageError> {
    if !by_htmx {
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
