//! The inbox: the matching messages of a tab, newest first, and the open message beside the list.

mod chosen;
mod first_message;
mod known;
mod list;
mod query;
mod updates;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use askama::Template;

use self::chosen::Toast;
use self::first_message::FirstMessage;
use self::list::{List, aliases_of};
use self::query::{View, alias_menu, contact_name};
use crate::domain::Tx;
use crate::domain::lists::Window;
use crate::domain::mailroom::aliases::{self, Alias, AliasId};
use crate::domain::mailroom::contacts;
use crate::domain::mailroom::messages::{self, MessageId};
use crate::domain::people::teams::TeamId;
use crate::web::headers::FRAMING;
use crate::web::htmx::Htmx;
use crate::web::pages::form::Choice;
use crate::web::pages::layout::Unread;
use crate::web::pages::list::ListQuery;
use crate::web::pages::{Answer, Layout, Member, PageError, html, part_at};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub use self::query::Filters;

/// The maximum number of aliases in the filter menu; the newest are listed.
const MAX_CHOICES: i64 = 100;

pub fn routes() -> Vec<PageRoute> {
    vec![
        page(paths::INBOX).get(show),
        page(paths::INBOX_UPDATES).get(updates::of_list),
        page(paths::INBOX_UNREAD).get(updates::of_count),
        page(paths::INBOX_CHOSEN).post(chosen::act),
        page(paths::INBOX_ALIAS).post(first_message::create_alias),
        page(paths::INBOX_TEST).post(first_message::send_test),
    ]
}

#[derive(Template)]
#[template(path = "mailroom/inbox.html")]
struct InboxPage {
    layout: Layout,
    aliases: Vec<Choice>,
    list: List,
    open: Option<Beside>,
}

/// A message beside the list.
pub struct Beside {
    pub id: MessageId,
    pub title: String,
    pub html: String,
    pub unread: Unread,
}

/// The list as a fragment for htmx.
#[derive(Template)]
#[template(path = "mailroom/_found.html")]
struct Found<'a> {
    list: &'a List,
    summary: String,
    unread: Unread,
    toast: Option<Toast>,
    /// Whether to close the open message.
    closes: bool,
}

async fn show(member: Member, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let (list, aliases) = load(&member, asked).await?;
    if htmx.0 {
        return part_at(&list.address, &Found::of(&list, Unread(member.unread)));
    }
    render(InboxPage { layout: Layout::new(&member, "inbox"), aliases, list, open: None })
}

/// The list that a message was opened from.
pub struct Around {
    pub list: List,
    aliases: Vec<Choice>,
}

impl Around {
    pub async fn load(member: &Member, asked: ListQuery<Filters>) -> Result<Self, PageError> {
        let (list, aliases) = load(member, asked).await?;
        Ok(Self { list, aliases })
    }
}

/// The page of one message, with the list it was opened from.
pub fn show_beside(member: &Member, around: Around, open: Beside) -> Answer {
    let Around { mut list, aliases } = around;
    list.open = open.id.to_string();
    // The list was loaded before the message was marked as read.
    for row in list.rows.iter_mut().filter(|row| row.id == list.open) {
        row.unread = false;
    }
    for tab in list.tabs.iter_mut().filter(|tab| tab.view == View::Unread) {
        tab.count = open.unread.text();
    }
    let mut layout = Layout::new(member, "inbox");
    layout.unread = open.unread;
    render(InboxPage { layout, aliases, list, open: Some(open) })
}

/// Allows frames, because the script can add HTML mail later.
fn render(page: InboxPage) -> Answer {
    let mut answer = html(StatusCode::OK, &page)?;
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAMING));
    Ok(answer)
}

impl<'a> Found<'a> {
    fn of(list: &'a List, unread: Unread) -> Self {
        Self { summary: list.summary(), list, unread, toast: None, closes: false }
    }
}

/// The list, and the menu of aliases to filter it by.
async fn load(member: &Member, asked: ListQuery<Filters>) -> Result<(List, Vec<Choice>), PageError> {
    let ((words, filter), window) = (asked.filters.parse()?, asked.window(MessageId::parse)?);
    let read = member.read(move |tx, team| {
        let page = messages::list_or_search(tx, team, &words, &filter, window)?;
        let known = aliases::list(tx, team, &aliases::Filter::default(), Window::first(MAX_CHOICES))?.rows;
        let named = name_missing(tx, team, known.clone(), aliases_of(&page.rows))?;
        let contact = filter.contact.and_then(|id| contacts::find(tx, team, id).ok());
        Ok(((page, messages::tallies(tx, team)?), known, named, contact))
    });
    let (found, aliases, named, contact) = read.await?;
    // Archived and blocked mail counts too.
    let is_empty = found.1.any == 0 && !asked.is_filtered() && asked.before.is_empty();
    let (menu, contact) = (alias_menu(&asked, &aliases), contact_name(&asked, contact));
    let mut list = List { contact, ..List::of(member, asked, found, &named) };
    if is_empty {
        list.first = Some(FirstMessage::of(member.app(), &aliases));
    }
    Ok((list, menu))
}

/// Adds needed aliases that are deleted or not among the newest.
fn name_missing(
    tx: &mut Tx<'_>,
    team: TeamId,
    mut known: Vec<Alias>,
    needed: Vec<AliasId>,
) -> crate::domain::Result<Vec<Alias>> {
    let missing: Vec<_> = needed.into_iter().filter(|id| known.iter().all(|alias| alias.id != *id)).collect();
    if !missing.is_empty() {
        known.extend(aliases::find_all(tx, team, &missing)?);
    }
    Ok(known)
}
