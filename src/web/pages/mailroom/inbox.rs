//! The inbox: what came in, newest first, and what of it is asked for.

pub mod first_message;
pub mod news;
mod query;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;

use self::first_message::FirstMessage;
use self::news::Known;
use self::query::{Menus, Query};
use crate::app::App;
use crate::domain::Error;
use crate::domain::lists::{Page, Window};
use crate::domain::mailroom::aliases::{self, Alias, AliasId};
use crate::domain::mailroom::contacts;
use crate::domain::mailroom::messages::{self, Message, MessageId, MessageState};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::html;
use crate::web::pages::layout::{Layout, Unread};
use crate::web::pages::when::When;
use crate::web::paths;
use crate::web::route::{PageRoute, page};
use crate::web::viewer::Viewer;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::INBOX).get(list),
        page(paths::INBOX_UPDATES).get(news::of_list),
        page(paths::INBOX_UNREAD).get(news::of_count),
        page(paths::INBOX_ALIAS).post(first_message::make_alias),
    ]
}

/// Messages on a page.
const PAGE: i64 = 50;
/// Aliases and contacts in the filters, the newest: a menu has to end somewhere.
const CHOICES: i64 = 100;

#[derive(Template)]
#[template(path = "mailroom/inbox.html")]
struct InboxPage<'a> {
    layout: Layout,
    menus: Menus,
    list: &'a List,
}

/// What the filters find, as htmx swaps it.
#[derive(Template)]
#[template(path = "mailroom/_found.html")]
struct Found<'a> {
    list: &'a List,
    told: String,
    unread: Unread,
}

struct List {
    asked: Query,
    rows: Vec<Row>,
    /// The address of the next page; empty on the last.
    older: String,
    /// The address of the first page; empty on it.
    newest: String,
    /// Where to ask for what is new; empty below the first page.
    news: String,
    /// How the first message gets here, while there is none.
    first: Option<FirstMessage>,
    team: String,
}

/// A message as the list tells it.
struct Row {
    id: String,
    from: String,
    subject: String,
    preview: String,
    to: String,
    at: When,
    unread: bool,
    attachments: i32,
    state: MessageState,
    reason: String,
}

pub async fn list(
    app: web::Data<App>,
    member: Member,
    Htmx(by_htmx): Htmx,
    query: web::Query<Query>,
) -> std::result::Result<HttpResponse, PageError> {
    let query = query.into_inner();
    let (list, menus) = look(&app, &member, query).await?;
    if !by_htmx {
        let layout = Layout::new(&member, "inbox");
        return html(StatusCode::OK, &InboxPage { layout, menus, list: &list });
    }
    let found = Found { told: list.told(), unread: Unread(member.unread), list: &list };
    let mut answer = html(StatusCode::OK, &found)?;
    // Without the fields that were left empty, and in place of the last: each letter of a
    // search is no place to go back to.
    let address = HeaderValue::try_from(list.asked.address()).map_err(PageError::fault)?;
    answer.headers_mut().insert(HeaderName::from_static("hx-replace-url"), address);
    Ok(answer)
}

/// Finds what is asked for, and what else may be asked.
async fn look(app: &App, viewer: &Viewer, query: Query) -> std::result::Result<(List, Menus), PageError> {
    let asked = query.parse()?;
    let (team, wanted) = (viewer.team.id, asked.clone());
    let read = app.read(move |tx| {
        let window = Window::below(wanted.before, PAGE);
        let page = messages::list_or_search(tx, team, &wanted.words, &wanted.filter, window)?;
        let named = aliases::find_all(tx, team, &aliases_of(&page.rows))?;
        let aliases = aliases::list(tx, team, &aliases::Filter::default(), Window::first(CHOICES))?.rows;
        let contacts = contacts::list(tx, team, &contacts::Filter::default(), Window::first(CHOICES))?.rows;
        let chosen = wanted.filter.contact.map(|id| contacts::find(tx, team, id));
        // A contact can be gone, and its messages are still there.
        let chosen = chosen.and_then(|found| found.ok());
        Ok::<_, Error>((page, named, aliases, contacts, chosen))
    });
    let (page, named, aliases, contacts, chosen) = read.await?;
    let first = (page.rows.is_empty() && query.is_plain()).then(|| FirstMessage::of(app, &aliases));
    let menus = Menus::of(&query, &aliases, contacts.into_iter().chain(chosen));
    Ok((List::of(viewer, query, page, &named, first), menus))
}

fn aliases_of(rows: &[Message]) -> Vec<AliasId> {
    rows.iter().map(|message| message.alias_id).collect()
}

impl List {
    fn of(
        viewer: &Viewer,
        asked: Query,
        page: Page<Message, MessageId>,
        named: &[Alias],
        first: Option<FirstMessage>,
    ) -> Self {
        let known = Known::of(viewer, &page.rows);
        Self {
            rows: page.rows.into_iter().map(|message| Row::of(message, named)).collect(),
            older: page.next.map(|id| asked.below(id)).unwrap_or_default(),
            newest: if asked.before.is_empty() { String::new() } else { asked.newest() },
            news: if asked.before.is_empty() { asked.news(&known) } else { String::new() },
            first,
            team: viewer.team.id.to_string(),
            asked,
        }
    }

    /// For those who do not see the list change.
    fn told(&self) -> String {
        let more = if self.older.is_empty() { "" } else { ", and there are older ones" };
        match self.rows.len() {
            0 => "No message fits".into(),
            1 => format!("1 message{more}"),
            count => format!("{count} messages{more}"),
        }
    }
}

impl Row {
    fn of(message: Message, named: &[Alias]) -> Self {
        let alias = named.iter().find(|alias| alias.id == message.alias_id);
        let row = message.row;
        let from = row.from_name.or(row.from_address).or(row.envelope_from);
        Self {
            id: row.id.to_string(),
            from: from.unwrap_or_else(|| "Unknown sender".into()),
            subject: if row.subject.is_empty() { "(no subject)".into() } else { row.subject },
            preview: row.preview,
            to: alias.map_or(row.rcpt, Alias::address),
            at: When(row.received_at),
            unread: row.read_at.is_none() && row.state == MessageState::Delivered,
            attachments: row.attachments,
            state: row.state,
            reason: row.reason,
        }
    }

    /// How a state is told that is not as usual: its tone and its word.
    fn badge(&self) -> Option<(&'static str, &'static str)> {
        state_badge(self.state)
    }
}

/// Nothing for mail that was delivered.
pub fn state_badge(state: MessageState) -> Option<(&'static str, &'static str)> {
    match state {
        MessageState::Denied => Some(("warning", "Denied")),
        MessageState::Rejected => Some(("danger", "Rejected")),
        _ => None,
    }
}
