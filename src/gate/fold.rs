//! Refusals over the limit, folded: one record a caller and minute, with a count. Somebody
//! who goes on calling must not fill the store.

use std::collections::HashMap;

use crate::domain::Timestamp;
use crate::domain::access::activity::{Record, TokenId};
use crate::domain::people::users::UserId;

const MINUTE: i64 = 60_000_000;

/// The token or the person that called.
type Who = (Option<TokenId>, Option<UserId>);

/// Refusals of the minute that runs, and records of minutes that are over.
#[derive(Default)]
pub struct Folder {
    open: HashMap<Who, Record>,
    closed: Vec<Record>,
}

impl Folder {
    /// Counts a refusal: the first of a minute gives the record its facts.
    pub fn add(&mut self, refused: Record) {
        let who = (refused.token_id, refused.person_id);
        match self.open.get_mut(&who) {
            Some(record) if minute(record.at) == minute(refused.at) => record.count += 1,
            _ => self.closed.extend(self.open.insert(who, refused)),
        }
    }

    /// The records of minutes that are over by `now`.
    pub fn close_before(&mut self, now: Timestamp) -> Vec<Record> {
        let over: Vec<Who> = self
            .open
            .iter()
            .filter(|(_, record)| minute(record.at) < minute(now))
            .map(|(who, _)| *who)
            .collect();
        let records: Vec<Record> = over.iter().filter_map(|who| self.open.remove(who)).collect();
        self.closed.extend(records);
        std::mem::take(&mut self.closed)
    }

    /// Ends the minute that runs, too.
    pub fn close_all(&mut self) {
        self.closed.extend(self.open.drain().map(|(_, record)| record));
    }

    /// Takes records back that could not be written.
    pub fn keep(&mut self, records: Vec<Record>) {
        self.closed.extend(records);
    }
}

fn minute(at: Timestamp) -> i64 {
    at.micros().div_euclid(MINUTE)
}
