//! Formats times and numbers for templates.

use crate::domain::Timestamp;
use crate::domain::access::usage::Grouped;

/// For people: `2026-03-01 09:14:05 UTC`.
pub fn utc(at: &Timestamp) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    at.utc().format(format).unwrap_or_default()
}

/// A short form for lists: `09:14`, `Mon`, `1 Mar` or `1 Mar 2025`. The script converts it from UTC to local time.
pub fn short(at: Timestamp, now: Timestamp) -> String {
    use time::macros::format_description;
    let (at, now) = (at.utc(), now.utc());
    let text = match (now.date() - at.date()).whole_days() {
        0 => at.format(format_description!("[hour]:[minute]")),
        1..=6 => at.format(format_description!("[weekday repr:short]")),
        _ if at.year() == now.year() => {
            at.format(format_description!("[day padding:none] [month repr:short]"))
        }
        _ => at.format(format_description!("[day padding:none] [month repr:short] [year]")),
    };
    text.unwrap_or_default()
}

/// Like [`short`], with the time of day: `09:14`, `Mon 09:14`, `1 Mar 09:14`.
pub fn short_with_clock(at: Timestamp, now: Timestamp) -> String {
    let clock = short(at, at);
    let day = short(at, now);
    if day == clock { clock } else { format!("{day} {clock}") }
}

/// The time of day in UTC: `09:14`.
pub fn clock(at: Timestamp) -> String {
    at.utc().format(time::macros::format_description!("[hour]:[minute]")).unwrap_or_default()
}

/// Formats a number with thousands separators.
pub fn number(number: &i64) -> Grouped {
    Grouped(*number)
}

/// A time with its formats for templates.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_times_are_shorter() {
        let now = Timestamp::from_micros(1_790_000_000_000_000); // Monday 21 September 2026, 14:13
        let ago = |hours: i64| short(now.minus(time::Duration::hours(hours)), now);
        let shown = [1, 24, 6 * 24, 7 * 24, 365 * 24].map(ago);
        assert_eq!(shown, ["13:13", "Sun", "Tue", "14 Sep", "21 Sep 2025"]);
        assert_eq!(short_with_clock(now.minus(time::Duration::DAY), now), "Sun 14:13");
    }
}
