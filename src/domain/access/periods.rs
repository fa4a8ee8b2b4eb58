//! The periods of charts of API requests, and their spans.

use std::collections::BTreeMap;

use time::Duration;

use crate::domain::Timestamp;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// The status is below 400.
    pub succeeded: i64,
    /// 4xx, other than those over the limit.
    pub refused: i64,
    /// 429: over a limit.
    pub limited: i64,
    /// 5xx.
    pub failed: i64,
    /// Whether counting stopped at the maximum.
    pub cut_off: bool,
}

impl Outcomes {
    pub fn total(&self) -> i64 {
        self.succeeded + self.refused + self.limited + self.failed
    }

    /// Requests that were not admitted, for any reason.
    pub fn all_refused(&self) -> i64 {
        self.refused + self.limited
    }

    pub(crate) fn unsuccessful(&self) -> i64 {
        self.total() - self.succeeded
    }
}

impl std::ops::AddAssign for Outcomes {
    fn add_assign(&mut self, more: Self) {
        self.succeeded += more.succeeded;
        self.refused += more.refused;
        self.limited += more.limited;
        self.failed += more.failed;
        self.cut_off |= more.cut_off;
    }
}

impl std::iter::Sum for Outcomes {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |mut sum, each| {
            sum += each;
            sum
        })
    }
}

/// Calls by the start of their hour. Hours without calls may be missing.
pub type Hours = BTreeMap<Timestamp, Outcomes>;

/// The last day by hours, the last week by six hours, or the last month by days, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    #[default]
    Day,
    Week,
    Month,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub began: Timestamp,
    pub ends: Timestamp,
    pub calls: Outcomes,
    pub is_running: bool,
}

impl Period {
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The value in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Day => "24 h",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// The length and number of the spans.
    const fn shape(self) -> (Duration, i32) {
        match self {
            Self::Day => (Duration::HOUR, 24),
            Self::Week => (Duration::hours(6), 28),
            Self::Month => (Duration::DAY, 30),
        }
    }

    /// The start of the first span.
    pub fn start(self, now: Timestamp) -> Timestamp {
        let (length, count) = self.shape();
        floor(now, length).minus(length * (count - 1))
    }

    /// Returns the spans up to the running one, oldest first.
    pub fn spans(self, hours: &Hours, now: Timestamp) -> Vec<Span> {
        let (length, count) = self.shape();
        let first = self.start(now);
        let spans = (0..count).map(|index| {
            let began = first.plus(length * index);
            let ends = began.plus(length);
            let calls = hours.range(began..ends).map(|(_, calls)| *calls).sum();
            Span { began, ends, calls, is_running: index + 1 == count }
        });
        spans.collect()
    }
}

pub fn hour_of(at: Timestamp) -> Timestamp {
    floor(at, Duration::HOUR)
}

pub fn day_of(at: Timestamp) -> Timestamp {
    floor(at, Duration::DAY)
}

fn floor(at: Timestamp, length: Duration) -> Timestamp {
    let length = length.whole_microseconds() as i64;
    Timestamp::from_micros(at.micros().div_euclid(length) * length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spans_of_a_period_add_up_to_all_its_calls() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let calls = |succeeded| Outcomes { succeeded, ..Outcomes::default() };
        let hours: Hours =
            (0..1_000).map(|ago| (hour_of(now).minus(Duration::hours(ago)), calls(1 + ago))).collect();
        for period in Period::ALL {
            let spans = period.spans(&hours, now);
            let (first, last) = (spans[0], spans[spans.len() - 1]);
            assert_eq!(first.began, period.start(now));
            assert!(last.began <= now && now < last.ends && last.is_running && !first.is_running);
            assert!(spans.windows(2).all(|pair| pair[0].ends == pair[1].began));
            let sum: i64 = spans.iter().map(|span| span.calls.total()).sum();
            assert_eq!(sum, hours.range(first.began..).map(|(_, calls)| calls.total()).sum::<i64>());
        }
        assert_eq!(Period::ALL.map(|period| period.spans(&hours, now).len()), [24, 28, 30]);
    }

    #[test]
    fn periods_are_parsed_from_urls() {
        assert_eq!(Period::ALL.map(|period| Period::parse(period.as_str())), Period::ALL.map(Some));
        assert_eq!(Period::parse("1y"), None);
    }
}
