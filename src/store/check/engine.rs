//! Checks of the engine itself: intact pages and no dangling foreign keys.

use diesel::prelude::*;
use diesel::sql_query;

use super::{Finding, named, of_query};
use crate::store::backend::Engine;
use crate::store::error::Result;

const PAGES: &str = "SELECT 'SQLite: ' || integrity_check AS finding FROM pragma_integrity_check
    WHERE integrity_check <> 'ok'";
const KEYS: &str =
    "SELECT 'a row of ' || \"table\" || ' refers to a row of ' || parent || ' that is missing' AS finding
    FROM pragma_foreign_key_check";

/// One query per foreign key. Postgres enforces them, unless its files are damaged.
const QUERIES: &str = "SELECT format(
        'SELECT ''a row of %1$s refers to a row of %2$s that is missing'' AS finding FROM %1$s a
         WHERE %3$s AND NOT EXISTS (SELECT 1 FROM %2$s b WHERE %4$s)',
        conrelid::regclass, confrelid::regclass,
        string_agg(format('a.%I IS NOT NULL', x.attname), ' AND '),
        string_agg(format('b.%I = a.%I', y.attname, x.attname), ' AND ')) AS finding
    FROM pg_constraint
    CROSS JOIN LATERAL unnest(conkey, confkey) AS key (from_column, to_column)
    JOIN pg_attribute x ON x.attrelid = conrelid AND x.attnum = key.from_column
    JOIN pg_attribute y ON y.attrelid = confrelid AND y.attnum = key.to_column
    WHERE contype = 'f' AND connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    GROUP BY pg_constraint.oid, conrelid, confrelid";

pub fn findings(engine: &mut Engine) -> Result<Vec<String>> {
    let queries = match engine {
        Engine::Sqlite(_) => vec![PAGES.to_owned(), KEYS.to_owned()],
        Engine::Postgres(inner) => {
            let queries: Vec<Finding> = sql_query(QUERIES).load(inner)?;
            queries.into_iter().map(|it| it.finding).collect()
        }
    };
    let mut findings = Vec::new();
    for query in queries {
        findings.extend(named(of_query(engine, &query)?));
    }
    Ok(findings)
}
