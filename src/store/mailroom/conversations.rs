use diesel::dsl::exists;
use diesel::prelude::*;

use crate::store::Tx;
use crate::store::columns::{ConversationState, Timestamp};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{ConversationId, TeamId};
use crate::store::mailroom::contacts::ContactId;
use crate::store::schema::{conversations, messages};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = conversations)]
#[diesel(treat_none_as_default_value = false)]
pub struct Conversation {
    pub id: ConversationId,
    pub team_id: TeamId,
    pub subject: String,
    pub subject_key: String,
    /// The contact whose message began the conversation.
    pub contact_id: Option<ContactId>,
    pub state: ConversationState,
    pub messages: i32,
    pub created_at: Timestamp,
    pub last_message_at: Timestamp,
}

pub fn insert(tx: &mut Tx<'_>, conversation: &Conversation) -> Result<()> {
    diesel::insert_into(conversations::table).values(conversation).execute(tx.connection)?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, team: TeamId, id: ConversationId) -> Result<Option<Conversation>> {
    conversations::table
        .filter(conversations::id.eq(id).and(conversations::team_id.eq(team)))
        .select(Conversation::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// The maximum number of messages read to find a conversation, because anyone can send many similar ones.
const MAX_READ: i64 = 50;

/// The latest conversation that contains a message with this Message-ID.
pub fn find_by_header(tx: &mut Tx<'_>, team: TeamId, header_id: &str) -> Result<Option<ConversationId>> {
    let found: Vec<(i64, Option<ConversationId>)> = messages::table
        .filter(messages::team_id.eq(team).and(messages::header_id.eq(header_id)))
        .limit(MAX_READ)
        .select((messages::seq, messages::conversation_id))
        .load(tx.connection)?;
    Ok(found.into_iter().filter_map(|(seq, id)| Some((seq, id?))).max_by_key(|it| it.0).map(|it| it.1))
}

/// The latest conversation with this contact and subject, among the contact's recent ones.
pub fn find_by_subject(
    tx: &mut Tx<'_>,
    team: TeamId,
    contact: ContactId,
    subject_key: &str,
) -> Result<Option<ConversationId>> {
    let written_in: Vec<Option<ConversationId>> = messages::table
        .filter(messages::team_id.eq(team).and(messages::contact_id.eq(contact)))
        .order(messages::id.desc())
        .limit(MAX_READ)
        .select(messages::conversation_id)
        .load(tx.connection)?;
    let written_in: Vec<_> = written_in.into_iter().flatten().collect();
    conversations::table
        .filter(conversations::id.eq_any(written_in).and(conversations::team_id.eq(team)))
        .filter(conversations::contact_id.eq(contact).and(conversations::subject_key.eq(subject_key)))
        .order(conversations::id.desc())
        .select(conversations::id)
        .first(tx.connection)
        .optional_row()
}

/// Whether the contact began the conversation or wrote in it.
pub fn takes_part(tx: &mut Tx<'_>, id: ConversationId, contact: ContactId) -> Result<bool> {
    let wrote =
        messages::table.filter(messages::conversation_id.eq(id)).filter(messages::contact_id.eq(contact));
    let with = conversations::table.find(id).filter(conversations::contact_id.eq(contact));
    Ok(diesel::select(exists(wrote)).get_result::<bool>(tx.connection)?
        || diesel::select(exists(with)).get_result::<bool>(tx.connection)?)
}

/// Increments the number of messages, and reopens the conversation if `reopen` is set.
pub fn add_message(tx: &mut Tx<'_>, id: ConversationId, now: Timestamp, reopen: bool) -> Result<()> {
    diesel::update(conversations::table.find(id))
        .set((
            conversations::messages.eq(conversations::messages + 1),
            conversations::last_message_at.eq(now),
        ))
        .execute(tx.connection)?;
    if reopen {
        let resolved = conversations::state.eq(ConversationState::Resolved);
        diesel::update(conversations::table.find(id).filter(resolved))
            .set(conversations::state.eq(ConversationState::Open))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// Decrements the number of messages, and deletes a conversation without messages.
pub fn remove_message(tx: &mut Tx<'_>, id: ConversationId) -> Result<()> {
    diesel::update(conversations::table.find(id))
        .set(conversations::messages.eq(conversations::messages - 1))
        .execute(tx.connection)?;
    diesel::delete(conversations::table.find(id).filter(conversations::messages.le(0)))
        .execute(tx.connection)?;
    Ok(())
}

pub fn set_state(
    tx: &mut Tx<'_>,
    team: TeamId,
    id: ConversationId,
    state: ConversationState,
) -> Result<bool> {
    let there = conversations::table.filter(conversations::id.eq(id).and(conversations::team_id.eq(team)));
    Ok(diesel::update(there).set(conversations::state.eq(state)).execute(tx.connection)? == 1)
}
