//! Names and their keys. Tables with a column `name_key` store the key of `name` in it.

use std::fmt;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Text};

use super::Tx;
use super::backend::{Engine, on_engine};
use super::error::Result;
use super::schema::instance;

#[derive(Clone, Debug, QueryableByName)]
pub struct NamedTable {
    #[diesel(sql_type = Text)]
    table_name: String,
}

impl fmt::Display for NamedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.table_name)
    }
}

#[derive(QueryableByName)]
pub struct Name {
    #[diesel(sql_type = Binary)]
    pub id: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub name_key: String,
}

/// The version of the rule for the stored keys.
pub fn rule(tx: &mut Tx<'_>) -> Result<i32> {
    Ok(instance::table.select(instance::name_keys).get_result(tx.connection)?)
}

pub fn set_rule(tx: &mut Tx<'_>, rule: i32) -> Result<()> {
    diesel::update(instance::table).set(instance::name_keys.eq(rule)).execute(tx.connection)?;
    Ok(())
}

/// Reads the tables from the database's schema, so that none is missed.
pub fn tables(tx: &mut Tx<'_>) -> Result<Vec<NamedTable>> {
    const SQLITE: &str = "SELECT t.name AS table_name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' AND c.name = 'name_key' ORDER BY 1";
    const POSTGRES: &str = "SELECT CAST(table_name AS TEXT) AS table_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND column_name = 'name_key' ORDER BY 1";
    Ok(match &mut *tx.connection {
        Engine::Sqlite(inner) => sql_query(SQLITE).load(inner)?,
        Engine::Postgres(inner) => sql_query(POSTGRES).load(inner)?,
    })
}

/// The next names after an id, in the order of creation.
pub fn after(tx: &mut Tx<'_>, table: &NamedTable, id: &[u8], limit: i64) -> Result<Vec<Name>> {
    let [first, second] = parameters(tx);
    let sql = format!(
        "SELECT id, name, name_key FROM \"{table}\"
         WHERE id > {first} AND name IS NOT NULL AND name_key IS NOT NULL ORDER BY id LIMIT {second}"
    );
    let query = sql_query(sql).bind::<Binary, _>(id).bind::<BigInt, _>(limit);
    Ok(on_engine!(&mut *tx.connection, inner => query.load(inner))?)
}

/// # Errors
/// `Conflict` if another row has that key.
pub fn set_key(tx: &mut Tx<'_>, table: &NamedTable, id: &[u8], key: &str) -> Result<()> {
    let [first, second] = parameters(tx);
    let sql = format!("UPDATE \"{table}\" SET name_key = {first} WHERE id = {second}");
    let query = sql_query(sql).bind::<Text, _>(key).bind::<Binary, _>(id);
    on_engine!(&mut *tx.connection, inner => query.execute(inner))?;
    Ok(())
}

/// The engine's syntax for the first two parameters of a statement.
fn parameters(tx: &Tx<'_>) -> [&'static str; 2] {
    match &*tx.connection {
        Engine::Sqlite(_) => ["?", "?"],
        Engine::Postgres(_) => ["$1", "$2"],
    }
}
