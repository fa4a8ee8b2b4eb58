//! Folds refused calls into one record per caller, status and minute, with a count. No limit applies to
//! refused callers, so one that keeps calling could otherwise fill the store.

use std::collections::HashMap;

use super::call::{Call, Caller};
use crate::domain::Timestamp;
use crate::domain::access::activity::{Record, TokenId};
use crate::domain::people::users::UserId;

const MINUTE: i64 = 60_000_000;
/// The number of separate records per caller, status and minute. Calls over the limit get none.
const MAX_SINGLE: u32 = 20;

type Who = (Option<TokenId>, Option<UserId>);

#[derive(Default)]
pub struct RefusalCounts {
    minute: i64,
    counts: HashMap<(Who, u16), u32>,
}

impl RefusalCounts {
    /// Counts a refused call and returns whether it is folded.
    pub fn folds(&mut self, call: &Call<'_>) -> bool {
        let who = match &call.caller {
            Caller::Token(token) => (Some(*token), None),
            Caller::Person { id, .. } => (None, Some(*id)),
        };
        let now = minute(call.request.moment());
        if is_over(self.minute, now) {
            self.minute = now;
            self.counts.clear();
        }
        let count = self.counts.entry((who, call.status)).or_default();
        *count = count.saturating_add(1);
        call.status == 429 || *count > MAX_SINGLE
    }
}

#[derive(Default)]
pub struct FoldedRefusals {
    open: HashMap<(Who, Option<i16>), Record>,
    closed: Vec<Record>,
}

impl FoldedRefusals {
    /// The first refusal of a minute becomes the record, and later ones increase its count.
    pub fn add(&mut self, refused: Record) {
        let key = ((refused.token_id, refused.person_id), refused.status);
        match self.open.get_mut(&key) {
            Some(record) if minute(record.at) == minute(refused.at) => record.count += 1,
            _ => self.closed.extend(self.open.insert(key, refused)),
        }
    }

    pub fn close_before(&mut self, now: Timestamp) -> Vec<Record> {
        let over = self.open.extract_if(|_, record| is_over(minute(record.at), minute(now)));
        self.closed.extend(over.map(|(_, record)| record));
        std::mem::take(&mut self.closed)
    }

    pub fn close_all(&mut self) {
        self.closed.extend(self.open.drain().map(|(_, record)| record));
    }

    pub fn put_back(&mut self, records: Vec<Record>) {
        self.closed.extend(records);
    }
}

/// A minute is over after the next one, because calls can be late. A minute further ahead comes from a clock that has
/// since been set back.
fn is_over(minute: i64, now: i64) -> bool {
    !(now..=now.saturating_add(1)).contains(&minute)
}

fn minute(at: Timestamp) -> i64 {
    at.micros().div_euclid(MINUTE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::RequestId;
    use crate::domain::people::teams::TeamId;
    use crate::gate::record::encoding::record_of;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros((1000 + minute) * MINUTE)
    }

    fn refused(minute: i64) -> Call<'static> {
        Call {
            team: TeamId::from_bytes([1; 16]),
            caller: Caller::Token(TokenId::from_bytes([2; 16])),
            request: RequestId::new(at(minute), [0; 8]),
            method: "GET",
            route: "/api/v1/me",
            status: 403,
            took: Duration::ZERO,
            ip: None,
            agent: None,
            admitted: false,
        }
    }

    #[test]
    fn a_clock_that_ran_ahead_delays_no_record() {
        let mut refusals = RefusalCounts::default();
        let single = |refusals: &mut RefusalCounts, minute| {
            (0..30).filter(|_| !refusals.folds(&refused(minute))).count()
        };
        assert_eq!(single(&mut refusals, 600), MAX_SINGLE as usize);
        assert_eq!(
            single(&mut refusals, 0),
            MAX_SINGLE as usize,
            "the other refusals were in another minute"
        );
        assert_eq!(single(&mut refusals, -1), 0, "a call can be late");

        let mut folded = FoldedRefusals::default();
        folded.add(record_of(&refused(600)));
        assert_eq!(folded.close_before(at(0)).len(), 1);
        folded.add(record_of(&refused(1)));
        assert!(folded.close_before(at(0)).is_empty(), "another thread may still count in this minute");
        assert_eq!(folded.close_before(at(2)).len(), 1);
    }
}
