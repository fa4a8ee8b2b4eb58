//! Rows of mail: domains, aliases, contacts, conversations, messages.

pub mod aliases;
pub mod contacts;
pub mod contents;
pub mod conversations;
pub mod mail_domains;
pub mod mail_usage;
pub mod messages;
pub mod search;

/// A part of a list, newest first: below the row `before`, past the first `offset` of those.
#[derive(Clone, Copy, Debug)]
pub struct Window<Id> {
    pub before: Option<Id>,
    pub offset: i64,
    pub limit: i64,
}

impl<Id> Window<Id> {
    pub fn first(limit: i64) -> Self {
        Self { before: None, offset: 0, limit }
    }

    pub fn below(before: Option<Id>, limit: i64) -> Self {
        Self { before, offset: 0, limit }
    }
}

/// What takes the meaning off `%` and `_` in a pattern.
const ESCAPE: char = '\\';

/// The text as a part of a pattern that it alone matches.
fn like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
