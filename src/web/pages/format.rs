//! Formats times and numbers for templates.

use crate::domain::Timestamp;
use crate::domain::access::usage::Grouped;

/// For people: `2026-03-01 09:14:05 UTC`.
pub fn utc(at: &Timestamp) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    at.utc().format(format).unwrap_or_default()
}

/// With thousands separated.
pub fn number(number: &i64) -> Grouped {
    Grouped(*number)
}

/// A time as templates write it.
#[derive(Clone, Copy)]
pub struct When(pub Timestamp);

impl When {
    /// For `<time datetime>`: RFC 3339 in UTC.
    pub fn rfc3339(&self) -> String {
        self.0.to_string()
    }

    pub fn utc(&self) -> String {
        utc(&self.0)
    }
}
