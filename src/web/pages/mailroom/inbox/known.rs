//! The state of the page in the browser, sent with each poll for updates.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::query::Filters;
use crate::domain::mailroom::messages::{Message, Tallies};
use crate::web::pages::Member;
use crate::web::pages::list::{self, ListQuery};
use crate::web::paths;

/// The state of the polling page.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Known {
    #[serde(rename = "known-team")]
    pub team: String,
    /// The number of unread messages.
    #[serde(rename = "known-count")]
    pub count: i64,
    /// A hash of the counts in its tabs.
    #[serde(rename = "known-tabs")]
    pub tabs: String,
    /// The newest message, or empty.
    #[serde(rename = "known-newest")]
    pub newest: String,
    /// A hash of all its rows.
    #[serde(rename = "known-rows")]
    pub rows: String,
}

impl Known {
    pub fn of(member: &Member, rows: &[Message], tallies: Tallies) -> Self {
        Self {
            team: member.team.id.to_string(),
            count: member.unread,
            tabs: of((tallies.inbox, tallies.unread, tallies.blocked)),
            newest: rows.first().map(|message| message.id.to_string()).unwrap_or_default(),
            rows: hash(rows),
        }
    }

    /// The URL for polling updates of this list.
    pub fn address(&self, asked: &ListQuery<Filters>) -> String {
        let count = self.count.to_string();
        let mut pairs = list::Filters::pairs(&asked.filters);
        pairs.extend([
            ("known-team", &*self.team),
            ("known-count", &count),
            ("known-tabs", &self.tabs),
            ("known-newest", &self.newest),
            ("known-rows", &self.rows),
        ]);
        paths::INBOX_UPDATES.query(&pairs)
    }
}

/// Covers the ids of the rows, and whether they are read and archived.
pub fn hash(rows: &[Message]) -> String {
    let shown =
        |message: &Message| (message.id.to_string(), message.read_at.is_some(), message.folder.as_str());
    of(rows.iter().map(shown).collect::<Vec<_>>())
}

fn of(shown: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    shown.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
