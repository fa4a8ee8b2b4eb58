use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::contacts::ContactId;
use super::mail_usage::MailUsage;
use crate::store::Tx;
use crate::store::backend::{Backend, on_engine};
use crate::store::columns::{Direction, MessageState, Timestamp};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{AliasId, ConversationId, MessageId, TeamId};
use crate::store::schema::messages;
use crate::store::team_rows::team_rows;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = messages)]
#[diesel(treat_none_as_default_value = false)]
pub struct NewMessage {
    pub id: MessageId,
    pub team_id: TeamId,
    pub direction: Direction,
    pub state: MessageState,
    pub reason: String,
    pub alias_id: AliasId,
    pub contact_id: Option<ContactId>,
    pub conversation_id: Option<ConversationId>,
    pub header_id: Option<String>,
    pub dedupe: Vec<u8>,
    pub received_at: Timestamp,
    pub envelope_from: Option<String>,
    pub from_address: Option<String>,
    pub from_name: Option<String>,
    /// The recipient's address, with its tag.
    pub rcpt: String,
    pub subject: String,
    pub preview: String,
    pub size: i64,
    pub attachments: i32,
    pub read_at: Option<Timestamp>,
    pub spf: String,
    pub dkim: String,
    pub dmarc: String,
    /// The bytes of the stored beginning; `None` for the whole message.
    pub kept: Option<i64>,
}

impl NewMessage {
    /// The bytes that the message adds to the team's usage.
    pub fn usage(&self) -> MailUsage {
        MailUsage::of(self.state, self.kept.unwrap_or(self.size))
    }
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = messages)]
pub struct Message {
    pub seq: i64,
    #[diesel(embed)]
    pub row: NewMessage,
}

impl std::ops::Deref for Message {
    type Target = NewMessage;

    fn deref(&self) -> &NewMessage {
        &self.row
    }
}

/// `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alias: Option<AliasId>,
    pub contact: Option<ContactId>,
    pub conversation: Option<ConversationId>,
    pub state: Option<MessageState>,
    /// Unread, and neither denied nor rejected.
    pub unread: bool,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Returns the `seq` of the new row.
///
/// # Errors
/// `Conflict` if the alias already has this message.
pub fn insert(tx: &mut Tx<'_>, message: &NewMessage) -> Result<i64> {
    Ok(on_engine!(&mut *tx.connection, inner => diesel::insert_into(messages::table)
        .values(message)
        .returning(messages::seq)
        .get_result(inner))?)
}

team_rows! { messages, Message, MessageId: find, hold, list, count }

/// Finds a duplicate in the same alias.
pub fn find_same(
    tx: &mut Tx<'_>,
    (team, alias): (TeamId, AliasId),
    header_id: Option<&str>,
    dedupe: &[u8],
) -> Result<Option<MessageId>> {
    let of_alias = messages::alias_id.eq(alias).and(messages::dedupe.eq(dedupe));
    // The two keys have unique indexes of their own.
    match header_id {
        Some(header_id) => on_engine!(&mut *tx.connection, inner => messages::table
            .filter(messages::team_id.eq(team).and(messages::header_id.eq(header_id)))
            .filter(of_alias)
            .select(messages::id)
            .get_result(inner)),
        None => on_engine!(&mut *tx.connection, inner => messages::table
            .filter(messages::header_id.is_null().and(of_alias))
            .select(messages::id)
            .get_result(inner)),
    }
    .optional_row()
}

/// The condition of the partial index, word for word: otherwise an engine does not use it.
const UNREAD: &str = "read_at IS NULL AND state NOT IN ('denied', 'rejected')";

pub(super) fn narrowed<'q>(team: TeamId, filter: &Filter) -> messages::BoxedQuery<'q, Backend> {
    let mut query = messages::table.filter(messages::team_id.eq(team)).into_boxed();
    if let Some(alias) = filter.alias {
        query = query.filter(messages::alias_id.eq(alias));
    }
    if let Some(contact) = filter.contact {
        query = query.filter(messages::contact_id.eq(contact));
    }
    if let Some(conversation) = filter.conversation {
        query = query.filter(messages::conversation_id.eq(conversation));
    }
    if let Some(state) = filter.state {
        // A literal: with a parameter, Postgres would use one plan for common and rare states.
        query = query.filter(sql::<Bool>(&format!("state = '{state}'")));
    }
    if filter.unread {
        query = query.filter(sql::<Bool>(UNREAD));
    }
    if let Some(from) = filter.from {
        query = query.filter(messages::id.ge(MessageId::floor(from)));
    }
    if let Some(until) = filter.until {
        query = query.filter(messages::id.lt(MessageId::floor(until)));
    }
    query
}

pub fn set_read(tx: &mut Tx<'_>, team: TeamId, id: MessageId, read_at: Option<Timestamp>) -> Result<bool> {
    let there = messages::table.filter(messages::team_id.eq(team).and(messages::id.eq(id)));
    Ok(diesel::update(there).set(messages::read_at.eq(read_at)).execute(tx.connection)? == 1)
}

pub fn delete(tx: &mut Tx<'_>, seq: i64) -> Result<bool> {
    Ok(diesel::delete(messages::table.find(seq)).execute(tx.connection)? == 1)
}
