//! What a page of the inbox shows already, as it says when it asks for what is new.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::query::Filters;
use crate::domain::mailroom::messages::Message;
use crate::web::pages::Member;
use crate::web::pages::list::{self, Asked};
use crate::web::paths;

/// What the page that asks has.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Known {
    #[serde(rename = "known-team")]
    pub team: String,
    /// How many were unread.
    #[serde(rename = "known-count")]
    pub count: i64,
    /// The newest message; empty for an empty list.
    #[serde(rename = "known-newest")]
    pub newest: String,
    /// A hash of all its rows.
    #[serde(rename = "known-rows")]
    pub rows: String,
}

impl Known {
    pub fn of(member: &Member, rows: &[Message]) -> Self {
        Self {
            team: member.team.id.to_string(),
            count: member.unread,
            newest: rows.first().map(|message| message.id.to_string()).unwrap_or_default(),
            rows: hash(rows),
        }
    }

    /// Where to ask for what is new in this list.
    pub fn address(&self, asked: &Asked<Filters>) -> String {
        let count = self.count.to_string();
        let mut pairs = list::Filters::pairs(&asked.filters);
        pairs.extend([
            ("known-team", &*self.team),
            ("known-count", &count),
            ("known-newest", &self.newest),
            ("known-rows", &self.rows),
        ]);
        paths::INBOX_UPDATES.query(&pairs)
    }
}

/// The same for the same rows in the same state.
pub fn hash(rows: &[Message]) -> String {
    let mut hasher = DefaultHasher::new();
    for message in rows {
        (message.id.to_string(), message.read_at.is_some()).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
