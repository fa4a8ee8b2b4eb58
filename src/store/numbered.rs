//! Hand-written queries for both engines.

use super::backend::Engine;

/// Replaces `{1}`, `{2}`, … with the engine's parameters. Each is bound once, in order, even if it occurs several times.
pub fn numbered(connection: &Engine, sql: &str) -> String {
    match connection {
        Engine::Sqlite(_) => sql.replace('{', "?").replace('}', ""),
        Engine::Postgres(_) => sql.replace('{', "$").replace('}', ""),
    }
}
