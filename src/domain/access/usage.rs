//! How much a team calls, hour by hour.

use std::fmt;

use time::Duration;

use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::access::usage as rows;
use crate::store::ids::TeamId;

/// Records of an hour that are read at most: counts are for people, and must not cost more as
/// a team grows. It is above every default limit, so it cuts off only where those were raised.
const MOST: i64 = 25_000;

/// Calls of the hour that began at `began`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub began: Timestamp,
    /// Let in by the gate, whatever came of it.
    pub answered: i64,
    pub refused: i64,
    /// There were more than were counted.
    pub cut_off: bool,
}

/// The start of the hour of UTC that a moment lies in.
pub fn hour_of(at: Timestamp) -> Timestamp {
    let hour = Duration::HOUR.whole_microseconds() as i64;
    Timestamp::from_micros(at.micros().div_euclid(hour) * hour)
}

/// Counts the calls of one hour out of the record.
pub fn of_hour(tx: &mut Tx<'_>, team: TeamId, began: Timestamp) -> Result<Hour> {
    let counted = rows::count(tx, team, (began, began.plus(Duration::HOUR)), MOST)?;
    let (answered, refused) = (counted.answered, counted.refused);
    Ok(Hour { began, answered, refused, cut_off: counted.records >= MOST })
}

/// A number as people read it: `12,345`.
pub struct Grouped(pub i64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let written = [0, 999, 1_000, 12_345, 1_234_567].map(|n| Grouped(n).to_string());
        assert_eq!(written, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
