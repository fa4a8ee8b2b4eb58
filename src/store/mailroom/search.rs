//! Full-text search, with FTS5 in SQLite and a tsvector in Postgres. Words are ASCII letters and digits, so that they
//! contain no operators of either engine.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Text};

use super::messages::{self as rows, Filter, Message};
use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{MessageId, TeamId};
use crate::store::schema::{instance, message_contents, messages};

diesel::table! { #[sql_name = "message_words"] fts (rowid) { rowid -> BigInt, words -> Text, } }

diesel::table! {
    use diesel::sql_types::{BigInt, Binary};
    use super::Tsvector;

    message_words (seq) { seq -> BigInt, team_id -> Binary, words -> Tsvector, }
}

#[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
#[diesel(postgres_type(name = "tsvector"))]
pub struct Tsvector;

diesel::define_sql_function! { fn array_to_tsvector(words: Array<Text>) -> Tsvector; }
diesel::define_sql_function! { fn string_to_array(text: Text, between: Text) -> Array<Text>; }

/// The longest prefix in SQLite's index, including the team's.
const MAX_PREFIX: usize = 9;
/// The maximum number of words with one prefix that are searched one by one.
const MAX_WORDS: i64 = 32;

/// The words of each message are separated by spaces.
pub fn insert(tx: &mut Tx<'_>, list: &[(TeamId, i64, String)]) -> Result<()> {
    match &mut *tx.connection {
        Engine::Sqlite(inner) => {
            for (_, seq, words) in list {
                let row = (fts::rowid.eq(seq), fts::words.eq(words));
                diesel::insert_into(fts::table).values(row).execute(inner)?;
            }
        }
        Engine::Postgres(_) if list.is_empty() => {}
        Engine::Postgres(inner) => {
            let rows = list.iter().map(|(team, seq, words)| {
                let words = array_to_tsvector(string_to_array(words, " "));
                (message_words::seq.eq(seq), message_words::team_id.eq(team), message_words::words.eq(words))
            });
            let rows: Vec<_> = rows.collect();
            diesel::insert_into(message_words::table).values(rows).execute(inner)?;
        }
    }
    Ok(())
}

pub fn delete(tx: &mut Tx<'_>, seq: i64) -> Result<()> {
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

/// Returns the `seq` of messages below `before` with all words, newest first. The last can be a prefix.
pub fn places(
    tx: &mut Tx<'_>,
    team: TeamId,
    words: &[String],
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<i64>> {
    let before = before.unwrap_or(i64::MAX);
    let places = match &mut *tx.connection {
        Engine::Sqlite(inner) => sql_query(
            "SELECT rowid AS seq FROM message_words WHERE message_words MATCH ? AND rowid < ?
             ORDER BY rowid DESC LIMIT ?",
        )
        .bind::<Text, _>(fts_query(inner, words)?)
        .bind::<BigInt, _>(before)
        .bind::<BigInt, _>(limit)
        .load(inner)?,
        Engine::Postgres(inner) => {
            let newest = places_in_postgres(inner, AMONG_NEWEST, team, words, (before, limit))?;
            match newest.len() as i64 == limit {
                true => newest,
                false => places_in_postgres(inner, AMONG_ALL, team, words, (before, limit))?,
            }
        }
    };
    Ok(places.into_iter().map(|place| place.seq).collect())
}

/// Postgres's index returns all messages with a word, unordered. Common words are soon found among the newest messages, so only
/// rare ones use the index.
const AMONG_NEWEST: &str = "SELECT seq FROM
    (SELECT seq, words FROM message_words WHERE team_id = $1 AND seq < $3 ORDER BY seq DESC LIMIT 1000) AS newest
    WHERE words @@ $2::tsquery ORDER BY seq DESC LIMIT $4";
const AMONG_ALL: &str = "SELECT seq FROM message_words
    WHERE team_id = $1 AND words @@ $2::tsquery AND seq < $3 ORDER BY seq DESC LIMIT $4";

fn places_in_postgres(
    connection: &mut PgConnection,
    statement: &str,
    team: TeamId,
    words: &[String],
    (before, limit): (i64, i64),
) -> Result<Vec<Place>> {
    Ok(sql_query(statement)
        .bind::<Binary, _>(team)
        .bind::<Text, _>(format!("{}:*", words.join(" & ")))
        .bind::<BigInt, _>(before)
        .bind::<BigInt, _>(limit)
        .load(connection)?)
}

/// FTS5 reads all matches of a prefix before it returns the first one, unless the prefix is in its index, but it reads the
/// matches of a word newest first. So a longer prefix is replaced by the words that start with it, if they are few.
fn fts_query(connection: &mut SqliteConnection, words: &[String]) -> Result<String> {
    let Some((last, others)) = words.split_last() else { return Ok(String::new()) };
    let of_last = match last.len() > MAX_PREFIX {
        true => words_with_prefix(connection, last)?,
        false => None,
    };
    let of_last = of_last.map_or_else(|| format!("{last}*"), |words| format!("({})", words.join(" OR ")));
    Ok(others.iter().map(String::as_str).chain([of_last.as_str()]).collect::<Vec<_>>().join(" AND "))
}

/// The word itself and the words that start with it. `None` if there are many.
fn words_with_prefix(connection: &mut SqliteConnection, beginning: &str) -> Result<Option<Vec<String>>> {
    #[derive(QueryableByName)]
    struct Word {
        #[diesel(sql_type = Text)]
        term: String,
    }
    // Steps from one word to the next, because the table has a row for each message with a word. In a
    // word, digits sort first, and `{` sorts after the last letter.
    let longer: Vec<Word> = sql_query(
        "WITH RECURSIVE longer (term) AS (
            SELECT ?1
            UNION ALL
            SELECT (SELECT term FROM message_terms
                    WHERE term >= longer.term || '0' AND term < ?1 || '{' LIMIT 1)
            FROM longer WHERE longer.term IS NOT NULL
         )
         SELECT term FROM longer WHERE term IS NOT NULL LIMIT ?2",
    )
    .bind::<Text, _>(beginning)
    .bind::<BigInt, _>(MAX_WORDS + 1)
    .load(connection)?;
    let few = longer.len() as i64 <= MAX_WORDS;
    Ok(few.then(|| longer.into_iter().map(|word| word.term).collect()))
}

/// The team's messages with these `seq` that match the filter, newest first.
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

/// The progress of reindexing.
#[derive(Clone, Debug, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = instance)]
pub struct Progress {
    /// The rule for all messages, except that those up to `done` already follow the newest one.
    #[diesel(column_name = word_rule)]
    pub rule: i32,
    #[diesel(column_name = words_done)]
    pub done: i64,
}

pub fn progress(tx: &mut Tx<'_>) -> Result<Progress> {
    Ok(instance::table.select(Progress::as_select()).get_result(tx.connection)?)
}

pub fn set_progress(tx: &mut Tx<'_>, progress: &Progress) -> Result<()> {
    diesel::update(instance::table).set(progress).execute(tx.connection)?;
    Ok(())
}

/// The searchable text of a message.
#[derive(Clone, Debug, Queryable)]
pub struct SearchedText {
    pub seq: i64,
    pub team_id: TeamId,
    pub subject: String,
    pub from_address: Option<String>,
    pub from_name: Option<String>,
    pub text: String,
}

/// The next messages after a `seq`.
pub fn texts_after(tx: &mut Tx<'_>, seq: i64, limit: i64) -> Result<Vec<SearchedText>> {
    let contents = message_contents::table.on(message_contents::seq.eq(messages::seq));
    Ok(messages::table
        .inner_join(contents)
        .filter(messages::seq.gt(seq))
        .order(messages::seq)
        .limit(limit)
        .select((
            messages::seq,
            messages::team_id,
            messages::subject,
            messages::from_address,
            messages::from_name,
            message_contents::text,
        ))
        .load(tx.connection)?)
}

pub fn id_at(tx: &mut Tx<'_>, team: TeamId, place: i64) -> Result<Option<MessageId>> {
    messages::table
        .filter(messages::seq.eq(place).and(messages::team_id.eq(team)))
        .select(messages::id)
        .get_result(tx.connection)
        .optional_row()
}

/// The start of the next page: after this page's last message or, if it was deleted, at the next older one.
pub fn place_of(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<Option<i64>> {
    let found = messages::table
        .filter(messages::team_id.eq(team).and(messages::id.le(id)))
        .order(messages::id.desc())
        .select((messages::id, messages::seq))
        .first::<(MessageId, i64)>(tx.connection)
        .optional_row()?;
    Ok(found.map(|(there, seq)| if there == id { seq } else { seq + 1 }))
}
