//! Queries written by hand, for both engines.

use super::backend::Engine;

/// Writes `{1}`, `{2}`, … as the engine names its parameters. Each is bound once, in order,
/// however often it occurs.
pub fn numbered(connection: &Engine, sql: &str) -> String {
    match connection {
        Engine::Sqlite(_) => sql.replace('{', "?").replace('}', ""),
        Engine::Postgres(_) => sql.replace('{', "$").replace('}', ""),
    }
}
