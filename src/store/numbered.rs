//! Hand-written queries for both engines.

use super::backend::Engine;

/// Replaces `{1}`, `{2}`, … by the engine's parameters. Each is bound once, in order, however often it
/// occurs.
pub fn numbered(connection: &Engine, sql: &str) -> String {
    match connection {
        Engine::Sqlite(_) => sql.replace('{', "?").replace('}', ""),
        Engine::Postgres(_) => sql.replace('{', "$").replace('}', ""),
    }
}
