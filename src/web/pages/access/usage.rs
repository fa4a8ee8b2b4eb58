//! Usage: requests of this hour against the limit, and a chart of the last 24 hours.

use askama::Template;
use time::Duration;
use time::macros::format_description;

use crate::domain::Timestamp;
use crate::domain::access::usage::{Grouped, Hour};
use crate::gate::Allowance;
use crate::web::pages::format::When;
use crate::web::paths;

/// The SVG's units; keep them as in the template's viewBox.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 100.0;
const GAP: f64 = 3.0;
/// Keeps small bars visible.
const MIN_BAR_HEIGHT: f64 = 1.5;

/// The section of the Developer page.
#[derive(Template)]
#[template(path = "developer/_usage.html")]
pub struct UsageSection {
    limit: i64,
    used: String,
    remaining: String,
    reset: When,
    accepted: String,
    refused: String,
    chart: Option<Chart>,
}

struct Chart {
    bars: Vec<Bar>,
    highest: String,
    summary: String,
}

struct Bar {
    hour: String,
    answered: String,
    refused: String,
    at: f64,
    width: f64,
    answered_from: f64,
    answered_height: f64,
    refused_from: f64,
    refused_height: f64,
}

impl UsageSection {
    /// The last of the hours is the current one.
    pub fn of(allowance: Allowance, hours: &[Hour]) -> Self {
        let cut_off = hours.iter().any(|hour| hour.cut_off);
        let sum = |of: fn(&Hour) -> i64| count(hours.iter().map(of).sum(), cut_off);
        Self {
            limit: allowance.limit.into(),
            used: Grouped((allowance.limit - allowance.remaining).into()).to_string(),
            remaining: Grouped(allowance.remaining.into()).to_string(),
            reset: When(allowance.reset),
            accepted: sum(|hour| hour.answered),
            refused: sum(|hour| hour.refused),
            chart: Chart::of(hours),
        }
    }

    fn limit(&self) -> Grouped {
        Grouped(self.limit)
    }

    /// `10:00 UTC`
    fn resets_at(&self) -> String {
        format!("{} UTC", clock(self.reset.0))
    }
}

impl Chart {
    fn of(hours: &[Hour]) -> Option<Self> {
        let total = |hour: &Hour| hour.answered + hour.refused;
        let busiest = hours.iter().max_by_key(|hour| total(hour)).filter(|hour| total(hour) > 0)?;
        let highest = count(total(busiest), busiest.cut_off);
        let summary = format!("Requests per hour. The busiest hour, {}, had {highest}.", hour_name(busiest));
        let bars = hours.iter().enumerate().map(|(index, hour)| Bar::of(hour, index, total(busiest)));
        Some(Self { bars: bars.collect(), highest, summary })
    }

    fn first(&self) -> &str {
        self.bars.first().and_then(|bar| bar.hour.split(' ').next()).unwrap_or_default()
    }
}

impl Bar {
    fn of(hour: &Hour, index: usize, highest: i64) -> Self {
        let slot = WIDTH / 24.0;
        let height = |calls: i64| match calls {
            0 => 0.0,
            calls => (calls as f64 / highest as f64 * HEIGHT).max(MIN_BAR_HEIGHT),
        };
        let refused_height = height(hour.refused);
        let answered_height = height(hour.answered).min(HEIGHT - refused_height);
        Self {
            hour: hour_name(hour),
            answered: count(hour.answered, hour.cut_off),
            refused: count(hour.refused, hour.cut_off),
            at: slot * index as f64 + GAP / 2.0,
            width: slot - GAP,
            answered_from: HEIGHT - answered_height,
            answered_height,
            refused_from: HEIGHT - answered_height - refused_height,
            refused_height,
        }
    }
}

/// `14:00 to 15:00`
fn hour_name(hour: &Hour) -> String {
    format!("{} to {}", clock(hour.began), clock(hour.began.plus(Duration::HOUR)))
}

fn clock(at: Timestamp) -> String {
    at.utc().format(format_description!("[hour]:[minute]")).unwrap_or_default()
}

fn count(calls: i64, cut_off: bool) -> String {
    let more = if cut_off { "more than " } else { "" };
    format!("{more}{}", Grouped(calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(answered: i64, refused: i64) -> Hour {
        Hour { began: Timestamp::from_micros(0), answered, refused, cut_off: false }
    }

    #[test]
    fn bars_stay_within_the_drawing() {
        let hours = [hour(1_000_000, 1), hour(1, 0), hour(0, 0), hour(0, 5), hour(400_000, 600_001)];
        let chart = Chart::of(&hours).expect("calls");
        for bar in &chart.bars {
            let top = bar.answered_from.min(bar.refused_from);
            assert!(top >= -1e-9 && bar.answered_from + bar.answered_height <= HEIGHT + 1e-9);
            assert!(bar.refused_from + bar.refused_height <= bar.answered_from + 1e-9);
        }
        assert!(chart.bars[1].answered_height >= MIN_BAR_HEIGHT);
        assert_eq!(chart.bars[2].answered_height, 0.0);
    }

    #[test]
    fn an_empty_day_has_no_bars() {
        assert!(Chart::of(&[hour(0, 0); 24]).is_none());
    }
}
