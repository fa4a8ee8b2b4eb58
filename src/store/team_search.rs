//! Searches the names in a team with one statement over several tables.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::Tx;
use super::backend::on_engine;
use super::error::Result;
use super::ids::TeamId;
use super::lists::like;

#[derive(Clone, Debug, QueryableByName)]
pub struct Named {
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The bytes of the kind's id.
    #[diesel(sql_type = Binary)]
    pub id: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
}

/// The tables, each with its team in the condition. Both engines number parameters by their first use.
const CONTACTS: &str = "SELECT 'contact' AS kind, id, COALESCE(name, address) AS name, address AS detail
    FROM contacts WHERE team_id = $1 AND search_text LIKE $2 ESCAPE '\\'
    ORDER BY id DESC LIMIT $3";
const ALIASES: &str = "SELECT 'alias', id, local || '@' || domain_name, note
    FROM aliases WHERE team_id = $1 AND deleted_at IS NULL
    AND local_key || '@' || domain_name LIKE $4 ESCAPE '\\'
    AND (domain_id IS NULL OR domain_id IN
        (SELECT id FROM domains WHERE team_id = $1 AND removed_at IS NULL))
    ORDER BY id DESC LIMIT $3";
const DOMAINS: &str = "SELECT 'domain', id, name, NULL
    FROM domains WHERE team_id = $1 AND removed_at IS NULL AND name LIKE $4 ESCAPE '\\'
    ORDER BY name LIMIT $3";
const PEOPLE: &str = "SELECT 'person', users.id, users.name, users.email
    FROM memberships JOIN users ON users.id = memberships.user_id
    WHERE memberships.team_id = $1
    AND (users.email_key LIKE $4 ESCAPE '\\' OR lower(users.name) LIKE $4 ESCAPE '\\')
    ORDER BY users.name LIMIT $3";
const TOKENS: &str = "SELECT 'token', id, name, start || '…'
    FROM tokens WHERE team_id = $1 AND kind = 'token' AND revoked_at IS NULL
    AND name_key LIKE $4 ESCAPE '\\'
    ORDER BY id DESC LIMIT $3";

/// Returns up to `limit` rows of each kind: contacts whose search text contains `text`, and others whose name contains
/// the name key `key`.
pub fn find(
    tx: &mut Tx<'_>,
    team: TeamId,
    (text, key): (&str, &str),
    tokens: bool,
    limit: i64,
) -> Result<Vec<Named>> {
    let tables = [CONTACTS, ALIASES, DOMAINS, PEOPLE].into_iter().chain(tokens.then_some(TOKENS));
    let parts: Vec<_> =
        tables.enumerate().map(|(at, select)| format!("SELECT * FROM ({select}) AS part{at}")).collect();
    let statement = parts.join(" UNION ALL ");
    Ok(on_engine!(&mut *tx.connection, inner => sql_query(statement)
        .bind::<Binary, _>(team)
        .bind::<Text, _>(format!("%{}%", like(text)))
        .bind::<BigInt, _>(limit)
        .bind::<Text, _>(format!("%{}%", like(key)))
        .load(inner))?)
}
