//! The words of messages: FTS5 in SQLite, a tsvector in Postgres. Words come and are asked
//! for as plain ASCII letters and digits, so that neither engine reads anything into them.
//!
//! Either writes many messages' words at once in a fraction of the time that one after another
//! takes. So they lie in a table of their own until somebody takes them up; a search reads both
//! in one view of the store, and misses nothing.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Text};

use super::messages::{self as rows, Filter, Message};
use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{MessageId, TeamId};
use crate::store::schema::{messages, unindexed_words};

/// The words of a message, in alphabetical order.
#[derive(Debug, Insertable)]
#[diesel(table_name = unindexed_words)]
pub struct Words {
    seq: i64,
    team_id: TeamId,
    words: String,
}

impl Words {
    /// With a space on either side of each, so that one can be looked for in the text.
    pub fn new(seq: i64, team_id: TeamId, words: &[String]) -> Self {
        Self { seq, team_id, words: format!(" {} ", words.join(" ")) }
    }
}

/// Keeps words until [`index`] takes them up. They are found meanwhile.
pub fn insert(tx: &mut Tx<'_>, words: &[Words]) -> Result<()> {
    match &mut *tx.connection {
        Engine::Sqlite(inner) => {
            for each in words {
                diesel::insert_into(unindexed_words::table).values(each).execute(inner)?;
            }
        }
        Engine::Postgres(inner) => {
            diesel::insert_into(unindexed_words::table).values(words).execute(inner)?;
        }
    }
    Ok(())
}

/// Takes up the words of the oldest messages that wait for it, and says of how many.
pub fn index(tx: &mut Tx<'_>, most: i64) -> Result<usize> {
    match &mut *tx.connection {
        Engine::Sqlite(inner) => {
            let oldest = unindexed_words::table.order(unindexed_words::seq.asc()).limit(most);
            let seqs: Vec<i64> = oldest.select(unindexed_words::seq).load(inner)?;
            let Some(last) = seqs.last() else { return Ok(0) };
            sql_query("INSERT INTO message_words (rowid, words) SELECT seq, words FROM unindexed_words WHERE seq <= ? ORDER BY seq")
                .bind::<BigInt, _>(last)
                .execute(inner)?;
            Ok(diesel::delete(unindexed_words::table.filter(unindexed_words::seq.le(last))).execute(inner)?)
        }
        Engine::Postgres(inner) => Ok(sql_query(
            "WITH taken AS (
                DELETE FROM unindexed_words WHERE seq IN (
                    SELECT seq FROM unindexed_words ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED
                ) RETURNING seq, team_id, words
             )
             INSERT INTO message_words
             SELECT seq, team_id, array_to_tsvector(string_to_array(trim(words), ' ')) FROM taken",
        )
        .bind::<BigInt, _>(most)
        .execute(inner)?),
    }
}

/// Whether words wait to be taken up.
pub fn waits(tx: &mut Tx<'_>) -> Result<bool> {
    let any = diesel::select(diesel::dsl::exists(unindexed_words::table.select(unindexed_words::seq)));
    Ok(any.get_result(tx.connection)?)
}

pub fn delete(tx: &mut Tx<'_>, seq: i64) -> Result<()> {
    // First where they leave, then where they come: they are in one of the two.
    diesel::delete(unindexed_words::table.find(seq)).execute(tx.connection)?;
    match &mut *tx.connection {
        Engine::Sqlite(inner) => {
            sql_query("DELETE FROM message_words WHERE rowid = ?").bind::<BigInt, _>(seq).execute(inner)?
        }
        Engine::Postgres(inner) => {
            sql_query("DELETE FROM message_words WHERE seq = $1").bind::<BigInt, _>(seq).execute(inner)?
        }
    };
    Ok(())
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// The places, below `before`, of messages that have all the words, newest first. The last
/// word may be the beginning of one.
pub fn places(
    tx: &mut Tx<'_>,
    team: TeamId,
    words: &[String],
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<i64>> {
    let before = before.unwrap_or(i64::MAX);
    let mut places = unindexed(tx, team, words, before, limit)?;
    places.extend(indexed(tx, team, words, before, limit)?);
    places.sort_unstable_by(|a, b| b.cmp(a));
    places.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(places)
}

fn unindexed(tx: &mut Tx<'_>, team: TeamId, words: &[String], before: i64, limit: i64) -> Result<Vec<i64>> {
    let Some((last, whole)) = words.split_last() else { return Ok(Vec::new()) };
    let mut query = unindexed_words::table
        .filter(unindexed_words::team_id.eq(team).and(unindexed_words::seq.lt(before)))
        .filter(unindexed_words::words.like(format!("% {last}%")))
        .select(unindexed_words::seq)
        .order(unindexed_words::seq.desc())
        .limit(limit)
        .into_boxed();
    for word in whole {
        query = query.filter(unindexed_words::words.like(format!("% {word} %")));
    }
    Ok(query.load(tx.connection)?)
}

fn indexed(tx: &mut Tx<'_>, team: TeamId, words: &[String], before: i64, limit: i64) -> Result<Vec<i64>> {
    let places: Vec<Place> = match &mut *tx.connection {
        Engine::Sqlite(inner) => sql_query(
            "SELECT rowid AS seq FROM message_words WHERE message_words MATCH ? AND rowid < ?
             ORDER BY rowid DESC LIMIT ?",
        )
        .bind::<Text, _>(format!("{}*", words.join(" AND ")))
        .bind::<BigInt, _>(before)
        .bind::<BigInt, _>(limit)
        .load(inner)?,
        Engine::Postgres(inner) => sql_query(
            "SELECT seq FROM message_words WHERE team_id = $1 AND words @@ $2::tsquery AND seq < $3
             ORDER BY seq DESC LIMIT $4",
        )
        .bind::<Binary, _>(team)
        .bind::<Text, _>(format!("{}:*", words.join(" & ")))
        .bind::<BigInt, _>(before)
        .bind::<BigInt, _>(limit)
        .load(inner)?,
    };
    Ok(places.into_iter().map(|place| place.seq).collect())
}

/// The team's messages at these places that pass the filter, newest first.
pub fn at(tx: &mut Tx<'_>, team: TeamId, filter: &Filter, places: &[i64]) -> Result<Vec<Message>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    Ok(rows::narrowed(team, filter)
        .filter(messages::seq.eq_any(places.to_vec()))
        .order(messages::seq.desc())
        .select(Message::as_select())
        .load(tx.connection)?)
}

pub fn id_at(tx: &mut Tx<'_>, team: TeamId, place: i64) -> Result<Option<MessageId>> {
    messages::table
        .filter(messages::seq.eq(place).and(messages::team_id.eq(team)))
        .select(messages::id)
        .get_result(tx.connection)
        .optional_row()
}

/// Where a page goes on: the place of the last message told, or, when that was deleted
/// meanwhile, the one above the next older.
pub fn place_of(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<Option<i64>> {
    let found = messages::table
        .filter(messages::team_id.eq(team).and(messages::id.le(id)))
        .order(messages::id.desc())
        .select((messages::id, messages::seq))
        .first::<(MessageId, i64)>(tx.connection)
        .optional_row()?;
    Ok(found.map(|(there, seq)| if there == id { seq } else { seq + 1 }))
}
