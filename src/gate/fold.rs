//! Refusals, folded: one record a caller, status and minute, with a count. Somebody who goes on
//! calling must not fill the store, and who is refused is under no limit: whoever found a token
//! that was revoked can call with it as often as they like.

use std::collections::HashMap;

use super::record::{Call, Caller};
use crate::domain::Timestamp;
use crate::domain::access::activity::{Record, TokenId};
use crate::domain::people::users::UserId;

const MINUTE: i64 = 60_000_000;
/// Refusals of a caller and status that have records of their own, of each minute the first.
/// Those over the limit never have.
const SINGLE: u32 = 20;

/// The token or the person that called.
type Who = (Option<TokenId>, Option<UserId>);

/// The refusals of the minute that runs.
#[derive(Default)]
pub struct Refusals {
    minute: i64,
    counts: HashMap<(Who, u16), u32>,
}

impl Refusals {
    /// Counts a refused call; whether it is to be folded.
    pub fn fold(&mut self, call: &Call<'_>) -> bool {
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
        call.status == 429 || *count > SINGLE
    }
}

/// Refusals of the minute that runs, and records of minutes that are over.
#[derive(Default)]
pub struct Folder {
    open: HashMap<(Who, Option<i16>), Record>,
    closed: Vec<Record>,
}

impl Folder {
    /// Counts a refusal: the first of a minute gives the record its facts.
    pub fn add(&mut self, refused: Record) {
        let alike = ((refused.token_id, refused.person_id), refused.status);
        match self.open.get_mut(&alike) {
            Some(record) if minute(record.at) == minute(refused.at) => record.count += 1,
            _ => self.closed.extend(self.open.insert(alike, refused)),
        }
    }

    /// The records of minutes that are over by `now`.
    pub fn close_before(&mut self, now: Timestamp) -> Vec<Record> {
        let over = self.open.extract_if(|_, record| is_over(minute(record.at), minute(now)));
        self.closed.extend(over.map(|(_, record)| record));
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

/// The next minute goes on: a call can be late. One further ahead was begun by a clock that has
/// been set back since.
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
    use crate::gate::journal::record_of;

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
    fn a_clock_that_ran_ahead_holds_up_no_record() {
        let mut refusals = Refusals::default();
        let single =
            |refusals: &mut Refusals, minute| (0..30).filter(|_| !refusals.fold(&refused(minute))).count();
        assert_eq!(single(&mut refusals, 600), SINGLE as usize);
        assert_eq!(single(&mut refusals, 0), SINGLE as usize, "those were of another minute");
        assert_eq!(single(&mut refusals, -1), 0, "a call can be late");

        let mut folder = Folder::default();
        folder.add(record_of(&refused(600)));
        assert_eq!(folder.close_before(at(0)).len(), 1);
        folder.add(record_of(&refused(1)));
        assert!(folder.close_before(at(0)).is_empty(), "this minute has begun elsewhere");
        assert_eq!(folder.close_before(at(2)).len(), 1);
    }
}
