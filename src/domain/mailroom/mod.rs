//! Mail: the addresses that receive it, who writes, and what was written.

pub mod address;
pub mod aliases;
pub mod authentication;
pub mod authors;
mod clean;
pub mod contacts;
pub mod conversations;
mod decoding;
mod defuse;
pub mod downloads;
mod excerpt;
mod fields;
pub mod html;
pub mod mail_domains;
mod mailboxes;
pub mod messages;
pub mod parse;
mod part_headers;
pub mod parts;
pub mod pictures;
pub mod quota;
pub mod receive;
pub mod received_header;
mod route;
mod words;

pub use crate::store::mailroom::Window;

/// A part of a list, newest first, and where the next one starts.
#[derive(Clone, Debug)]
pub struct Page<T, Id> {
    pub rows: Vec<T>,
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// Of rows that were asked for one more than `limit`, to see whether there are more.
    fn of(mut rows: Vec<T>, limit: i64, id: impl Fn(&T) -> Id) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(id) } else { None };
        Self { rows, next }
    }
}

/// The window that [`Page::of`] needs.
fn and_one_more<Id>(window: Window<Id>) -> Window<Id> {
    Window { limit: window.limit + 1, ..window }
}
