//! Moments on pages.

use crate::domain::Timestamp;

/// A moment as templates write it.
#[derive(Clone, Copy)]
pub struct When(pub Timestamp);

impl When {
    /// For `<time datetime>`: RFC 3339 in UTC.
    pub fn rfc3339(&self) -> String {
        self.0.to_string()
    }

    /// For people: `2026-03-01 09:14:05 UTC`.
    pub fn utc(&self) -> String {
        let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
        self.0.utc().format(format).unwrap_or_default()
    }
}
