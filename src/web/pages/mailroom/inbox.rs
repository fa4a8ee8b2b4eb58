//! The inbox: the messages that match the filters, newest first.

mod first_message;
mod known;
mod list;
mod query;
mod updates;

use actix_web::http::StatusCode;
use askama::Template;

use self::first_message::FirstMessage;
use self::list::{List, aliases_of};
use self::query::{Filters, Menus};
use crate::domain::lists::Window;
use crate::domain::mailroom::aliases;
use crate::domain::mailroom::contacts;
use crate::domain::mailroom::messages::{self, MessageId};
use crate::web::htmx::Htmx;
use crate::web::pages::layout::Unread;
use crate::web::pages::list::ListQuery;
use crate::web::pages::{Answer, Layout, Member, PageError, html, part_at};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

/// The maximum number of aliases and of contacts in the filter menus; the newest are listed.
const CHOICES: i64 = 100;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::INBOX).get(list),
        page(paths::INBOX_UPDATES).get(updates::of_list),
        page(paths::INBOX_UNREAD).get(updates::of_count),
        page(paths::INBOX_ALIAS).post(first_message::create_alias),
    ]
}

#[derive(Template)]
#[template(path = "mailroom/inbox.html")]
struct InboxPage<'a> {
    layout: Layout,
    menus: Menus,
    list: &'a List,
}

/// The list, as the fragment that htmx swaps.
#[derive(Template)]
#[template(path = "mailroom/_found.html")]
struct Found<'a> {
    list: &'a List,
    summary: String,
    unread: Unread,
}

async fn list(member: Member, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let (list, menus) = load(&member, asked).await?;
    if htmx.0 {
        let found = Found { summary: list.summary(), unread: Unread(member.unread), list: &list };
        return part_at(&list.asked.address(&list.asked.before), &found);
    }
    html(StatusCode::OK, &InboxPage { layout: Layout::new(&member, "inbox"), menus, list: &list })
}

/// The list, and the menus of its filters.
async fn load(member: &Member, asked: ListQuery<Filters>) -> Result<(List, Menus), PageError> {
    let ((words, filter), window) = (asked.filters.parse()?, asked.window(MessageId::parse)?);
    let read = member.read(move |tx, team| {
        let page = messages::list_or_search(tx, team, &words, &filter, window)?;
        let named = aliases::find_all(tx, team, &aliases_of(&page.rows))?;
        let aliases = aliases::list(tx, team, &aliases::Filter::default(), Window::first(CHOICES))?.rows;
        let contacts = contacts::list(tx, team, &contacts::Filter::default(), Window::first(CHOICES))?.rows;
        let chosen = filter.contact.map(|id| contacts::find(tx, team, id));
        // A contact can be deleted while its messages remain.
        let chosen = chosen.and_then(|found| found.ok());
        Ok((page, named, aliases, contacts, chosen))
    });
    let (page, named, aliases, contacts, chosen) = read.await?;
    let is_empty = page.rows.is_empty() && !asked.is_filtered() && asked.before.is_empty();
    let first = is_empty.then(|| FirstMessage::of(member.app(), &aliases));
    let menus = Menus::of(&asked, &aliases, contacts.into_iter().chain(chosen));
    Ok((List::of(member, asked, page, &named, first), menus))
}
