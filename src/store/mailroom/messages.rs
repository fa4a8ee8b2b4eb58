use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Bool};

use super::contacts::ContactId;
use super::mail_usage::MailUsage;
use crate::store::Tx;
use crate::store::backend::{Backend, Engine, on_engine};
use crate::store::columns::{Direction, Folder, MessageState, Timestamp};
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
    /// The bytes of the stored beginning. `None` for the whole message.
    pub kept: Option<i64>,
    pub folder: Folder,
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
    pub folder: Option<Folder>,
    /// Whether it is in the inbox and not read.
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

team_rows! { messages, Message, MessageId: find, lock, list, count }

/// Finds a duplicate in the same alias.
pub fn find_duplicate(
    tx: &mut Tx<'_>,
    (team, alias): (TeamId, AliasId),
    header_id: Option<&str>,
    dedupe: &[u8],
) -> Result<Option<MessageId>> {
    let of_alias = messages::alias_id.eq(alias).and(messages::dedupe.eq(dedupe));
    // Each of the two keys has its own unique index.
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

/// Makes the key of a message without a Message-ID unique.
pub fn set_unique(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<()> {
    let there = messages::table
        .filter(messages::team_id.eq(team).and(messages::id.eq(id)))
        .filter(messages::header_id.is_null());
    diesel::update(there).set(messages::dedupe.eq(id.bytes().to_vec())).execute(tx.connection)?;
    Ok(())
}

/// Equal to the condition of the partial index, because otherwise engines don't use it. With `folder = 'inbox'`, SQLite would
/// use the folder's index instead.
const UNREAD: &str = "read_at IS NULL AND folder NOT IN ('archive', 'blocked')";

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
        // A literal, because with a parameter, Postgres would use one plan for common and rare states.
        query = query.filter(sql::<Bool>(&format!("state = '{state}'")));
    }
    if let Some(folder) = filter.folder {
        query = query.filter(sql::<Bool>(&format!("folder = '{folder}'")));
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

/// Locks the team's messages with these ids until the transaction ends. Returns them oldest first.
pub fn lock_all(tx: &mut Tx<'_>, team: TeamId, ids: &[MessageId]) -> Result<Vec<Message>> {
    let found = messages::table
        .filter(messages::team_id.eq(team).and(messages::id.eq_any(ids.to_vec())))
        .order(messages::id.asc());
    Ok(match &mut *tx.connection {
        Engine::Sqlite(inner) => found.select(Message::as_select()).load(inner)?,
        // Always in the same order, so that two actions can't deadlock.
        Engine::Postgres(inner) => found.select(Message::as_select()).for_no_key_update().load(inner)?,
    })
}

pub fn set_all_read(
    tx: &mut Tx<'_>,
    team: TeamId,
    ids: &[MessageId],
    read_at: Option<Timestamp>,
) -> Result<usize> {
    let those = messages::table.filter(messages::team_id.eq(team).and(messages::id.eq_any(ids.to_vec())));
    Ok(diesel::update(those).set(messages::read_at.eq(read_at)).execute(tx.connection)?)
}

pub fn set_folder(tx: &mut Tx<'_>, team: TeamId, ids: &[MessageId], folder: Folder) -> Result<usize> {
    let those = messages::table.filter(messages::team_id.eq(team).and(messages::id.eq_any(ids.to_vec())));
    Ok(diesel::update(those).set(messages::folder.eq(folder)).execute(tx.connection)?)
}

/// Moves the delivered messages of a contact from one folder to another.
pub fn move_delivered(
    tx: &mut Tx<'_>,
    team: TeamId,
    contact: ContactId,
    (from, to): (Folder, Folder),
) -> Result<usize> {
    let theirs = messages::table
        .filter(messages::team_id.eq(team).and(messages::contact_id.eq(contact)))
        .filter(messages::folder.eq(from).and(messages::state.eq(MessageState::Delivered)));
    Ok(diesel::update(theirs).set(messages::folder.eq(to)).execute(tx.connection)?)
}

/// The next newer and the next older message in a list.
pub fn neighbors(
    tx: &mut Tx<'_>,
    team: TeamId,
    filter: &Filter,
    id: MessageId,
) -> Result<(Option<MessageId>, Option<MessageId>)> {
    let newer = narrowed(team, filter)
        .filter(messages::id.gt(id))
        .order(messages::id.asc())
        .select(messages::id)
        .first(tx.connection)
        .optional_row()?;
    let older = narrowed(team, filter)
        .filter(messages::id.lt(id))
        .order(messages::id.desc())
        .select(messages::id)
        .first(tx.connection)
        .optional_row()?;
    Ok((newer, older))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Tallies {
    #[diesel(sql_type = BigInt)]
    pub inbox: i64,
    #[diesel(sql_type = BigInt)]
    pub unread: i64,
    #[diesel(sql_type = BigInt)]
    pub blocked: i64,
    /// 1 if the team has a message, else 0.
    #[diesel(sql_type = BigInt)]
    pub any: i64,
}

/// A subquery that counts the unread messages of the team in a column, and stops at `limit`.
pub(in crate::store) fn unread_of(team: &str, limit: i64) -> String {
    // The order makes the engine use an index.
    format!(
        "(SELECT COUNT(*) FROM (SELECT id FROM messages WHERE messages.team_id = {team} AND {UNREAD}
          ORDER BY id DESC LIMIT {limit}) AS shown)"
    )
}

/// Counts the messages of each list, and stops at `limit`. One statement, because polling pages use it.
pub fn tallies(tx: &mut Tx<'_>, team: TeamId, limit: i64) -> Result<Tallies> {
    // The order makes the engine use an index.
    let count = |condition: &str, limit: i64| {
        format!(
            "(SELECT COUNT(*) FROM (SELECT id FROM messages WHERE team_id = $1 {condition}
              ORDER BY id DESC LIMIT {limit}) AS found)"
        )
    };
    let statement = format!(
        "SELECT {} AS inbox, {} AS unread, {} AS blocked, {} AS \"any\"",
        count("AND folder = 'inbox'", limit),
        count(&format!("AND {UNREAD}"), limit),
        count("AND folder = 'blocked'", limit),
        count("", 1)
    );
    Ok(on_engine!(&mut *tx.connection, inner =>
        sql_query(statement).bind::<Binary, _>(team).get_result(inner))?)
}

pub fn set_read(tx: &mut Tx<'_>, team: TeamId, id: MessageId, read_at: Option<Timestamp>) -> Result<bool> {
    let there = messages::table.filter(messages::team_id.eq(team).and(messages::id.eq(id)));
    Ok(diesel::update(there).set(messages::read_at.eq(read_at)).execute(tx.connection)? == 1)
}

pub fn delete(tx: &mut Tx<'_>, seq: i64) -> Result<bool> {
    Ok(diesel::delete(messages::table.find(seq)).execute(tx.connection)? == 1)
}
