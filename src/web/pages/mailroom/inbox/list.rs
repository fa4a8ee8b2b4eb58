//! A page of the inbox: its rows, and where more of them are.

use super::first_message::FirstMessage;
use super::known::Known;
use super::query::Filters;
use crate::domain::lists::Page;
use crate::domain::mailroom::aliases::{Alias, AliasId};
use crate::domain::mailroom::messages::{Message, MessageId, MessageState};
use crate::web::pages::format::When;
use crate::web::pages::list::ListQuery;
use crate::web::pages::mailroom::message::state_badge;
use crate::web::pages::{Badge, Member};

pub struct List {
    pub asked: ListQuery<Filters>,
    pub rows: Vec<Row>,
    /// The addresses of the first page and of the next: empty on the first, and on the last.
    pub newest: String,
    pub older: String,
    /// The URL for polling updates; empty except on the first page.
    pub updates: String,
    /// Instructions for sending the first message, while there is none.
    pub first: Option<FirstMessage>,
    pub team: String,
}

pub struct Row {
    pub id: String,
    pub from: String,
    pub subject: String,
    pub preview: String,
    pub to: String,
    pub at: When,
    pub unread: bool,
    pub attachments: i32,
    pub state: MessageState,
    pub reason: String,
}

pub fn aliases_of(rows: &[Message]) -> Vec<AliasId> {
    rows.iter().map(|message| message.alias_id).collect()
}

impl List {
    pub fn of(
        member: &Member,
        asked: ListQuery<Filters>,
        page: Page<Message, MessageId>,
        named: &[Alias],
        first: Option<FirstMessage>,
    ) -> Self {
        let is_first = asked.before.is_empty();
        let known = Known::of(member, &page.rows);
        Self {
            rows: page.rows.into_iter().map(|message| Row::of(message, named)).collect(),
            newest: if is_first { String::new() } else { asked.address("") },
            older: page.next.map(|id| asked.address(&id.to_string())).unwrap_or_default(),
            updates: if is_first { known.address(&asked) } else { String::new() },
            first,
            team: member.team.id.to_string(),
            asked,
        }
    }

    /// The announcement for screen readers.
    pub fn summary(&self) -> String {
        let more = if self.older.is_empty() { "" } else { ", and there are older ones" };
        match self.rows.len() {
            0 => "No messages match".into(),
            1 => format!("1 message{more}"),
            count => format!("{count} messages{more}"),
        }
    }
}

impl Row {
    pub fn of(message: Message, named: &[Alias]) -> Self {
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

    pub fn badge(&self) -> Option<Badge> {
        state_badge(self.state)
    }
}
