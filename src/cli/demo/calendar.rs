//! The times of events in the sample team.

use std::sync::Arc;

use time::Duration;

use crate::domain::Timestamp;
use crate::domain::actor::{Actor, Identity};
use crate::domain::entropy::Entropy;
use crate::domain::people::users::User;

/// The team's own domain, with most of its aliases.
pub const DOMAIN: &str = "acme.test";

/// Days before the start, and the hour and minute in UTC: `(3, 16, 42)` is 16:42 three days ago.
/// With 0 days it is the time before the start: `(0, 1, 5)` is 65 minutes ago.
pub type When = (u16, u16, u16);

pub struct Calendar {
    now: Timestamp,
    /// All actors share its counter, so that ids of the same microsecond are ordered.
    root: Actor,
}

impl Calendar {
    pub fn new(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self { now, root: Actor::operator(now, entropy) }
    }

    pub fn at(&self, (days, hour, minute): When) -> Timestamp {
        let clock = Duration::minutes(i64::from(hour * 60 + minute));
        match days {
            0 => self.now.minus(clock),
            days => self.midnight(days).plus(clock),
        }
    }

    /// The start of a day, in UTC.
    pub fn midnight(&self, days: u16) -> Timestamp {
        let day = Duration::DAY.whole_microseconds() as i64;
        let today = Timestamp::from_micros(self.now.micros().div_euclid(day) * day);
        today.minus(Duration::days(i64::from(days)))
    }

    pub fn operator(&self, when: When) -> Actor {
        self.root.at(self.at(when))
    }

    pub fn system(&self, when: When) -> Actor {
        self.operator(when).with(Identity::System)
    }

    pub fn visitor(&self, when: When) -> Actor {
        self.operator(when).with(Identity::Visitor)
    }

    pub fn person(&self, who: &User, when: When) -> Actor {
        self.operator(when).as_person(who.id, &who.email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SystemEntropy;

    #[test]
    fn times_are_on_a_day_or_relative_to_now() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let calendar = Calendar::new(now, Arc::new(SystemEntropy));
        assert_eq!(now.to_string(), "2026-09-21T14:13:20Z");
        assert_eq!(calendar.at((3, 16, 42)).to_string(), "2026-09-18T16:42:00Z");
        assert_eq!(calendar.at((0, 1, 5)).to_string(), "2026-09-21T13:08:20Z");
    }
}
