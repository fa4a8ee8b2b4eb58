//! A page of the inbox: its rows, and the URLs of other pages.

use super::first_message::FirstMessage;
use super::known::Known;
use super::query::{Filters, Tab, View, tabs};
use crate::domain::lists::Page;
use crate::domain::mailroom::aliases::{Alias, AliasId};
use crate::domain::mailroom::messages::{Folder, Message, MessageId, Neighbors, Tallies};
use crate::web::pages::Member;
use crate::web::pages::format::{self, When};
use crate::web::pages::list::ListQuery;
use crate::web::paths;

pub struct List {
    pub asked: ListQuery<Filters>,
    pub tabs: Vec<Tab>,
    pub rows: Vec<Row>,
    /// The open message, or empty.
    pub open: String,
    /// The URLs of this, the first and the next page. `newest` is empty on the first page, `older` on the last.
    pub address: String,
    pub newest: String,
    pub older: String,
    /// The URL for polling updates, only on the first page.
    pub updates: String,
    /// The name of the contact in the filter, or empty.
    pub contact: String,
    /// The URL of this search in all mail.
    pub in_all: String,
    /// Instructions for sending the first message, if there is none.
    pub first: Option<FirstMessage>,
    pub team: String,
}

pub struct Row {
    pub id: String,
    /// The URL that opens the message beside this list.
    pub address: String,
    pub from: String,
    pub from_address: String,
    pub subject: String,
    pub preview: String,
    /// The alias's local part and address.
    pub alias: (String, String),
    pub at: When,
    pub short: String,
    pub unread: bool,
    pub attachments: i32,
    /// The name of the folder, or empty for the inbox.
    pub folder: &'static str,
}

pub fn aliases_of(rows: &[Message]) -> Vec<AliasId> {
    rows.iter().map(|message| message.alias_id).collect()
}

impl List {
    pub fn of(
        member: &Member,
        asked: ListQuery<Filters>,
        (page, tallies): (Page<Message, MessageId>, Tallies),
        named: &[Alias],
    ) -> Self {
        let is_first = asked.before.is_empty();
        let known = Known::of(member, &page.rows, tallies);
        Self {
            tabs: tabs(&asked, tallies),
            rows: page.rows.into_iter().map(|message| Row::of(member, message, named, &asked)).collect(),
            contact: String::new(),
            in_all: paths::INBOX.query(&[("view", View::All.code()), ("q", &asked.filters.q)]),
            open: String::new(),
            address: asked.address(&asked.before),
            newest: if is_first { String::new() } else { asked.address("") },
            older: page.next.map(|id| asked.address(&id.to_string())).unwrap_or_default(),
            updates: if is_first { known.address(&asked) } else { String::new() },
            first: None,
            team: member.team.id.to_string(),
            asked,
        }
    }

    /// The neighbors of a message, if this page has them.
    pub fn neighbors(&self, id: MessageId) -> Option<Neighbors> {
        let ids: Vec<_> = self.rows.iter().map(|row| MessageId::parse(&row.id)).collect();
        let at = ids.iter().position(|other| *other == Some(id))?;
        let newer = at.checked_sub(1).and_then(|at| ids[at]);
        let older = ids.get(at + 1).copied().flatten();
        let is_known =
            (newer.is_some() || self.newest.is_empty()) && (older.is_some() || self.older.is_empty());
        is_known.then_some(Neighbors { newer, older })
    }

    /// The title, sentence and icon of an empty tab.
    pub fn nothing(&self) -> (&'static str, &'static str, &'static str) {
        match self.asked.filters.view() {
            View::Inbox => (
                "Inbox is empty",
                "New messages appear here automatically. Archived ones are under All.",
                "inbox",
            ),
            View::Unread => ("All read", "New messages appear here automatically.", "mail-open"),
            View::Blocked => (
                "No blocked mail",
                "Mail from blocked contacts and mail that failed DMARC appears here.",
                "ban",
            ),
            View::All => ("No messages", "New messages appear here automatically.", "inbox"),
        }
    }

    /// The sentence above the rows, also announced by screen readers.
    pub fn summary(&self) -> String {
        let more = if self.older.is_empty() { "" } else { ", and older ones" };
        match self.rows.len() {
            0 => "No messages".into(),
            1 => format!("1 message{more}"),
            count => format!("{count} messages{more}"),
        }
    }
}

impl Row {
    pub fn of(member: &Member, message: Message, named: &[Alias], asked: &ListQuery<Filters>) -> Self {
        let alias = named.iter().find(|alias| alias.id == message.alias_id).map(Alias::address);
        let row = message.row;
        let alias = alias.unwrap_or(row.rcpt);
        let local = alias.split('@').next().unwrap_or_default().to_owned();
        let address = row.from_address.or(row.envelope_from).unwrap_or_default();
        let named = row.from_name.filter(|name| !name.trim().is_empty());
        let from = named.unwrap_or_else(|| address.clone());
        Self {
            address: asked.beside(&paths::MESSAGE.of(row.id), &[]),
            id: row.id.to_string(),
            from: if from.is_empty() { "Unknown sender".into() } else { from },
            from_address: address,
            subject: if row.subject.is_empty() { "(no subject)".into() } else { row.subject },
            preview: row.preview,
            alias: (local, alias),
            at: When(row.received_at),
            short: format::short(row.received_at, member.request.now),
            unread: row.read_at.is_none() && row.folder == Folder::Inbox,
            attachments: row.attachments,
            folder: match row.folder {
                Folder::Inbox => "",
                Folder::Archive => "Archived",
                // The open tab shows it.
                Folder::Blocked if asked.filters.view() == View::Blocked => "",
                Folder::Blocked => "Blocked",
            },
        }
    }
}
