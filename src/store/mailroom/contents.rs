//! Rows of `message_contents` and `attachments`.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer};

use super::aliases::{Alias, aliases};
use super::contacts::{Contact, contacts};
use super::messages::Message;
use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{AttachmentId, MessageId, TeamId};
use crate::store::schema::{attachments, message_contents, messages};

diesel::define_sql_function! { fn length(bytes: Binary) -> Integer; }
diesel::define_sql_function! { fn substr(bytes: Binary, first: Integer, count: Integer) -> Binary; }

/// Rows per statement: Postgres takes 65,535 values.
const ROWS: usize = 1000;
/// Bytes per statement, because each byte is copied several times before it is sent.
const BYTES: usize = 4 << 20;

#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = message_contents)]
#[diesel(treat_none_as_default_value = false)]
pub struct NewContent<'a> {
    pub seq: i64,
    pub team_id: TeamId,
    pub raw: &'a [u8],
    pub text: &'a str,
    pub html: Option<&'a str>,
    pub headers: String,
    pub authentication: String,
    pub recipients: String,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = message_contents)]
pub struct Content {
    pub text: String,
    pub html: Option<String>,
    /// JSON: `[[name, value], …]`.
    pub headers: String,
    pub authentication: String,
    /// JSON: `{"to": […], "cc": […]}`.
    pub recipients: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = attachments)]
#[diesel(treat_none_as_default_value = false)]
pub struct Attachment {
    pub id: AttachmentId,
    pub team_id: TeamId,
    pub seq: i64,
    pub part: i32,
    pub name: Option<String>,
    pub content_type: String,
    pub size: i64,
    pub inline: bool,
    pub content_id: Option<String>,
}

/// Inserts the contents of several messages. SQLite is faster row by row, Postgres in one statement.
pub fn insert(tx: &mut Tx<'_>, list: &[NewContent<'_>], files: &[Attachment]) -> Result<()> {
    match &mut *tx.connection {
        Engine::Sqlite(inner) => {
            for each in list {
                diesel::insert_into(message_contents::table).values(each).execute(inner)?;
            }
            for each in files {
                diesel::insert_into(attachments::table).values(each).execute(inner)?;
            }
        }
        Engine::Postgres(inner) => {
            let mut rest = list;
            while !rest.is_empty() {
                let (some, others) = rest.split_at(rows_per_statement(rest));
                rest = others;
                diesel::insert_into(message_contents::table).values(some).execute(inner)?;
            }
            for some in files.chunks(ROWS) {
                diesel::insert_into(attachments::table).values(some).execute(inner)?;
            }
        }
    }
    Ok(())
}

fn rows_per_statement(list: &[NewContent<'_>]) -> usize {
    let mut bytes = 0;
    let taken = list.iter().take(ROWS).take_while(|each| {
        let fits = bytes < BYTES;
        bytes += each.raw.len();
        fits
    });
    taken.count()
}

diesel::allow_tables_to_appear_in_same_query!(messages, message_contents, attachments, aliases, contacts);

/// Includes the alias, which may be deleted, and the contact, if it still exists.
pub type Opened = (Message, Content, Alias, Option<Contact>);

pub fn open(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<Option<Opened>> {
    messages::table
        .inner_join(message_contents::table.on(message_contents::seq.eq(messages::seq)))
        .inner_join(aliases::table.on(aliases::id.eq(messages::alias_id)))
        .left_join(contacts::table.on(contacts::id.nullable().eq(messages::contact_id)))
        .filter(messages::team_id.eq(team).and(messages::id.eq(id)))
        .select((
            Message::as_select(),
            Content::as_select(),
            Alias::as_select(),
            Option::<Contact>::as_select(),
        ))
        .get_result(tx.connection)
        .optional_row()
}

pub fn raw(tx: &mut Tx<'_>, seq: i64) -> Result<Vec<u8>> {
    Ok(message_contents::table.find(seq).select(message_contents::raw).get_result(tx.connection)?)
}

/// The content of a message, found by its id, because the `seq` of a deleted one can be reused.
macro_rules! content_of {
    ($team:expr, $message:expr) => {
        message_contents::table
            .inner_join(messages::table.on(messages::seq.eq(message_contents::seq)))
            .filter(messages::team_id.eq($team).and(messages::id.eq($message)))
    };
}

/// The stored size of the raw message, determined without reading it.
pub fn size(tx: &mut Tx<'_>, team: TeamId, message: MessageId) -> Result<Option<i32>> {
    let size = content_of!(team, message).select(length(message_contents::raw));
    size.get_result(tx.connection).optional_row()
}

/// Returns up to `count` bytes of the raw message, starting at `at`.
pub fn piece(
    tx: &mut Tx<'_>,
    team: TeamId,
    message: MessageId,
    at: usize,
    count: usize,
) -> Result<Option<Vec<u8>>> {
    let (Ok(first), Ok(count)) = (i32::try_from(at + 1), i32::try_from(count)) else { return Ok(None) };
    let piece = content_of!(team, message).select(substr(message_contents::raw, first, count));
    piece.get_result(tx.connection).optional_row()
}

pub fn attachments(tx: &mut Tx<'_>, seq: i64) -> Result<Vec<Attachment>> {
    Ok(attachments::table
        .filter(attachments::seq.eq(seq))
        .order(attachments::id)
        .select(Attachment::as_select())
        .load(tx.connection)?)
}

pub fn attachment(
    tx: &mut Tx<'_>,
    team: TeamId,
    message: MessageId,
    id: AttachmentId,
) -> Result<Option<Attachment>> {
    attachments::table
        .inner_join(messages::table.on(messages::seq.eq(attachments::seq)))
        .filter(messages::team_id.eq(team).and(messages::id.eq(message)))
        .filter(attachments::id.eq(id).and(attachments::team_id.eq(team)))
        .select(Attachment::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// Like [`attachment`], with the raw message.
pub fn attachment_with_raw(
    tx: &mut Tx<'_>,
    team: TeamId,
    message: MessageId,
    id: AttachmentId,
) -> Result<Option<(Attachment, Vec<u8>)>> {
    content_of!(team, message)
        .inner_join(attachments::table.on(attachments::seq.eq(message_contents::seq)))
        .filter(attachments::id.eq(id).and(attachments::team_id.eq(team)))
        .select((Attachment::as_select(), message_contents::raw))
        .get_result(tx.connection)
        .optional_row()
}

pub fn delete(tx: &mut Tx<'_>, seq: i64) -> Result<()> {
    diesel::delete(attachments::table.filter(attachments::seq.eq(seq))).execute(tx.connection)?;
    diesel::delete(message_contents::table.find(seq)).execute(tx.connection)?;
    Ok(())
}
