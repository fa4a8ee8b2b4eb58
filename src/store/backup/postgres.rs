//! The parts of a store in Postgres: the rows of each table, one line of JSON each, and at the end the
//! positions of the sequences. Migrations recreate the schema, so that any later version of Postgres can
//! restore the parts and no Postgres program is needed.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::pg::{PgConnection, PgRowByRowLoadingMode};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};

use super::{Add, Part, applied, problem};
use crate::store::backend::{Engine, Location};
use crate::store::error::{Error, Result};
use crate::store::migrations::{lock_schema, migrate_to};
use crate::store::{Mode, Rollback, begin};

/// The suffix of a part after the name of its table.
const ENDING: &str = ".jsonl";
const SEQUENCES: &str = "sequences.jsonl";
/// The rows of one statement, and their bytes.
const ROWS: usize = 1000;
const BYTES: usize = 4 << 20;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Text)]
    from_table: String,
    #[diesel(sql_type = Text)]
    to_table: String,
}

/// Reads everything in one transaction, which sees a snapshot of the store.
pub fn take(location: &Location, add: &mut Add<'_>) -> Result<Vec<String>> {
    let mut engine = location.connect_patiently()?;
    begin(&mut engine, Mode::Read)?;
    let guard = Rollback(&mut engine);
    let schema = applied(guard.0)?;
    let Engine::Postgres(inner) = &mut *guard.0 else { return Ok(schema) };
    for table in tables(inner)? {
        let rows = format!("SELECT row_to_json(each_row)::text AS line FROM \"{table}\" AS each_row");
        add(&format!("{table}{ENDING}"), &mut |to| write_lines(inner, &rows, to))?;
    }
    // Sequences are not transactional, so they are read last, when they are past all copied rows.
    let sequences = "SELECT json_build_object('name', sequencename, 'value', last_value)::text AS line
        FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL";
    add(SEQUENCES, &mut |to| write_lines(inner, sequences, to))?;
    Ok(schema)
}

/// Returns the tables in the order of their references. Deferred foreign keys impose no order.
fn tables(inner: &mut PgConnection) -> Result<Vec<String>> {
    let all: Vec<Line> = sql_query(
        "SELECT tablename::text AS line FROM pg_tables
         WHERE schemaname = current_schema() AND tablename <> '__diesel_schema_migrations' ORDER BY 1",
    )
    .load(inner)?;
    let references: Vec<Reference> = sql_query(
        "SELECT a.relname::text AS from_table, b.relname::text AS to_table FROM pg_constraint
         JOIN pg_class a ON a.oid = conrelid JOIN pg_class b ON b.oid = confrelid
         WHERE contype = 'f' AND NOT condeferrable AND conrelid <> confrelid
           AND connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
    )
    .load(inner)?;
    let mut left: Vec<String> = all.into_iter().map(|each| each.line).collect();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |table: &String| {
            references.iter().any(|each| each.from_table == *table && left.contains(&each.to_table))
        };
        let at = left.iter().position(|table| !waits(table));
        let at = at.ok_or_else(|| Error::Fault("the tables refer to each other in a circle".into()))?;
        ordered.push(left.remove(at));
    }
    Ok(ordered)
}

/// Writes row by row, because a table may not fit into memory.
fn write_lines(inner: &mut PgConnection, query: &str, to: &Path) -> Result<()> {
    let failed = |cause| problem(to, &cause);
    let mut file = BufWriter::new(File::create(to).map_err(failed)?);
    for row in sql_query(query).load_iter::<Line, PgRowByRowLoadingMode>(inner)? {
        writeln!(file, "{}", row?.line).map_err(failed)?;
    }
    file.flush().map_err(failed)
}

pub fn require_none(engine: &mut Engine) -> Result<()> {
    let Engine::Postgres(inner) = engine else { return Ok(()) };
    match tables(inner)?.first() {
        Some(table) => Err(Error::Unusable(format!(
            "the database already has tables, like {table}. Restore into an empty one"
        ))),
        None => Ok(()),
    }
}

/// Restores the schema and all rows in one transaction.
pub fn restore(location: &Location, schema: &[String], parts: &[Part]) -> Result<()> {
    let mut engine = location.connect_patiently()?;
    begin(&mut engine, Mode::Write)?;
    let guard = Rollback(&mut engine);
    lock_schema(guard.0)?;
    require_none(guard.0)?;
    migrate_to(guard.0, schema)?;
    if let Engine::Postgres(inner) = &mut *guard.0 {
        load(inner, parts)?;
    }
    guard.commit()
}

fn load(inner: &mut PgConnection, parts: &[Part]) -> Result<()> {
    let there = tables(inner)?;
    inner.batch_execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")?;
    // Migrations add rows to some tables, and triggers are for later changes.
    for table in &there {
        let empty = format!("ALTER TABLE \"{table}\" DISABLE TRIGGER USER; DELETE FROM \"{table}\"");
        inner.batch_execute(&empty)?;
    }
    for (name, path) in parts.iter().filter(|(name, _)| name != SEQUENCES) {
        let table = name.strip_suffix(ENDING).filter(|table| there.iter().any(|each| each == table));
        let table = table.ok_or_else(|| Error::Unusable(format!("this schema has no table for {name}")))?;
        load_table(inner, table, path)?;
    }
    inner.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
    for table in &there {
        inner.batch_execute(&format!("ALTER TABLE \"{table}\" ENABLE TRIGGER USER"))?;
    }
    let mut sequences = parts.iter().filter(|(name, _)| name == SEQUENCES);
    sequences.try_for_each(|(_, path)| each_batch(path, |lines| set_sequences(inner, lines)))
}

fn load_table(inner: &mut PgConnection, table: &str, path: &Path) -> Result<()> {
    // Excludes generated columns.
    let columns: Line = sql_query(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS line FROM pg_attribute
         WHERE attrelid = quote_ident($1)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
    )
    .bind::<Text, _>(table)
    .get_result(inner)?;
    let columns = columns.line;
    let insert = format!(
        "INSERT INTO \"{table}\" ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}
         FROM unnest($1) AS json_lines (json_line), json_populate_record(NULL::\"{table}\", json_line::json)"
    );
    each_batch(path, |lines| {
        sql_query(&insert).bind::<Array<Text>, _>(lines).execute(inner)?;
        Ok(())
    })
}

fn set_sequences(inner: &mut PgConnection, lines: &[String]) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Sequence {
        name: String,
        value: i64,
    }
    for line in lines {
        let sequence: Sequence = serde_json::from_str(line).map_err(|it| Error::Fault(it.to_string()))?;
        sql_query("SELECT setval($1::regclass, $2)")
            .bind::<Text, _>(format!("\"{}\"", sequence.name))
            .bind::<BigInt, _>(sequence.value)
            .execute(inner)?;
    }
    Ok(())
}

/// Reads the lines of a file in batches.
fn each_batch(path: &Path, mut f: impl FnMut(&[String]) -> Result<()>) -> Result<()> {
    let failed = |cause| problem(path, &cause);
    let (mut lines, mut bytes) = (Vec::new(), 0);
    for line in BufReader::new(File::open(path).map_err(failed)?).lines() {
        let line = line.map_err(failed)?;
        bytes += line.len();
        lines.push(line);
        if lines.len() == ROWS || bytes >= BYTES {
            f(&lines)?;
            (lines, bytes) = (Vec::new(), 0);
        }
    }
    if lines.is_empty() { Ok(()) } else { f(&lines) }
}
