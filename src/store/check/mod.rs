//! Checks rules that the tables do not enforce, in one snapshot.

mod engine;
mod rules;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::backend::{Engine, Location, on_engine};
use super::error::{Error, Result};
use super::migrations::{applied, known};
use super::{Mode, Rollback, begin};

/// The maximum number of findings listed per kind.
const MAX_LISTED: usize = 20;

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    finding: String,
}

/// Returns the violations, one sentence each. A server can run at the same time.
///
/// # Errors
/// [`Error::Unusable`] if there is no store, or one of another version.
pub fn findings(location: &Location) -> Result<Vec<String>> {
    let mut engine = location.connect_patiently()?;
    begin(&mut engine, Mode::Read)?;
    let guard = Rollback(&mut engine);
    if applied(guard.0)? != known(location)? {
        return Err(Error::Unusable(
            "the store was last opened by another version of Gatepost; check it with that one, or start this one first"
                .into(),
        ));
    }
    let mut findings = engine::findings(guard.0)?;
    for rule in rules::COMMON.iter().chain(rules::of_engine(guard.0)) {
        match of_query(guard.0, rule) {
            Ok(found) => findings.extend(named(found)),
            // A damaged database cannot run further queries.
            Err(_) if !findings.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(findings)
}

/// Runs a query for sentences in the column `finding`, with one row more than is listed.
fn of_query(engine: &mut Engine, query: &str) -> Result<Vec<String>> {
    let query =
        format!("SELECT finding FROM ({}) AS findings LIMIT {}", expand_ids(engine, query), MAX_LISTED + 1);
    let found: Vec<Finding> = on_engine!(engine, inner => sql_query(query).load(inner))?;
    Ok(found.into_iter().map(|it| it.finding).collect())
}

/// Replaces `ID[x]` by SQL that returns the id `x` as text.
fn expand_ids(engine: &Engine, query: &str) -> String {
    match engine {
        Engine::Sqlite(_) => query.replace("ID[", "lower(hex(").replace(']', "))"),
        Engine::Postgres(_) => query.replace("ID[", "encode(").replace(']', ", 'hex')"),
    }
}

fn named(mut findings: Vec<String>) -> Vec<String> {
    if findings.len() > MAX_LISTED {
        findings.truncate(MAX_LISTED);
        findings.push("… and more of this kind".into());
    }
    findings
}
