//! Usage: requests of this hour against the limit, and a chart of the last 24 hours.

use askama::Template;

use crate::domain::access::usage::{Grouped, Outcomes, Period, Span};
use crate::gate::Allowance;
use crate::web::pages::charts::{self, Chart};
use crate::web::pages::format::{self, When};
use crate::web::paths;

/// The section of the Developer page.
#[derive(Template)]
#[template(path = "developer/_usage.html")]
pub struct UsageSection {
    limit: i64,
    used: String,
    remaining: String,
    reset: When,
    succeeded: String,
    refused: String,
    chart: Chart,
}

impl UsageSection {
    /// The last of the spans is the current hour.
    pub fn of(allowance: Allowance, hours: &[Span]) -> Self {
        let sum: Outcomes = hours.iter().map(|hour| hour.calls).sum();
        let count = |calls: i64| {
            let more = if sum.cut_off { "more than " } else { "" };
            format!("{more}{}", Grouped(calls))
        };
        let limit = allowance.limit.into();
        Self {
            limit,
            used: Grouped((allowance.limit - allowance.remaining).into()).to_string(),
            remaining: Grouped(allowance.remaining.into()).to_string(),
            reset: When(allowance.reset),
            succeeded: count(sum.succeeded),
            refused: count(sum.troubled()),
            chart: charts::calls("usage-chart", Period::Day, hours, Some(limit), 188),
        }
    }

    fn limit(&self) -> Grouped {
        Grouped(self.limit)
    }

    /// `10:00 UTC`
    fn resets_at(&self) -> String {
        format!("{} UTC", format::clock(self.reset.0))
    }
}
