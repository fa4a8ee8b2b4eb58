//! The chart of API requests, by outcome.

use time::Duration;
use time::macros::format_description;

use super::columns::{Chart, Column, Limit, Series};
use crate::domain::Timestamp;
use crate::domain::access::usage::{Outcomes, Period, Span};
use crate::web::pages::format::clock;

/// "Refused" means that a request was not admitted, and "failed" that the server had an error.
const SERIES: [Series; 3] = [
    Series { name: "Succeeded", tone: 1 },
    Series { name: "Refused (4xx)", tone: 2 },
    Series { name: "Failed (5xx)", tone: 4 },
];

/// Builds the chart of a period. Draws the hourly limit if each column is an hour.
pub fn calls(
    id: &'static str,
    period: Period,
    spans: &[Span],
    hourly_limit: Option<i64>,
    height: u16,
) -> Chart {
    let (what, time) = match period {
        Period::Day => ("API requests per hour in the last 24 hours, by outcome", "Hour, UTC"),
        Period::Week => ("API requests per 6 hours in the last 7 days, by outcome", "Hours, UTC"),
        Period::Month => ("API requests per day in the last 30 days, by outcome", "Day, UTC"),
    };
    let limit = hourly_limit.filter(|limit| period == Period::Day && *limit > 0);
    let limit = limit.map(|at| Limit { name: "Hourly limit", at });
    Chart::of((id, what, time), &SERIES, columns(period, spans), limit, height)
}

fn columns(period: Period, spans: &[Span]) -> Vec<Column> {
    let count = spans.len();
    let column = |(index, span): (usize, &Span)| {
        let Outcomes { succeeded, refused, limited, failed, cut_off } = span.calls;
        Column {
            name: name(period, span),
            label: label(period, span, count - index - 1),
            values: vec![succeeded, refused + limited, failed],
            is_running: span.is_running,
            is_cut_off: cut_off,
        }
    };
    spans.iter().enumerate().map(column).collect()
}

/// `Thu 26 Nov, 09:00–10:00`, `Thursday 26 November`
fn name(period: Period, span: &Span) -> String {
    match period {
        Period::Month => long_day(span.began),
        _ => format!("{}, {}–{}", short_day(span.began), clock(span.began), clock(span.ends)),
    }
}

/// Labels every third hour, each day at noon, or every fifth day. `ago` counts back from the current span,
/// which is labeled "Now".
fn label(period: Period, span: &Span, ago: usize) -> String {
    let hour = span.began.utc().hour();
    match (period, ago) {
        (Period::Month, 0) => "Today".to_owned(),
        (_, 0) => "Now".to_owned(),
        (Period::Day, ago) if ago % 3 == 2 => clock(span.began),
        (Period::Week, ago) if ago > 2 && hour == 12 => day_and_month(span.began),
        (Period::Month, ago) if ago > 2 && ago % 5 == 4 => day_and_month(span.began),
        _ => String::new(),
    }
}

/// `26 Nov`
pub fn day_and_month(at: Timestamp) -> String {
    at.utc().format(format_description!("[day padding:none] [month repr:short]")).unwrap_or_default()
}

/// `Thu 26 Nov`
fn short_day(at: Timestamp) -> String {
    let format = format_description!("[weekday repr:short] [day padding:none] [month repr:short]");
    at.utc().format(format).unwrap_or_default()
}

/// `Thursday 26 November`
pub fn long_day(at: Timestamp) -> String {
    at.utc().format(format_description!("[weekday] [day padding:none] [month repr:long]")).unwrap_or_default()
}

/// Sums requests per day for the last `days` days, oldest first. The last day ends with the current span, so it is
/// always a full 24 hours.
pub fn by_day(spans: &[Span], now: Timestamp, days: i32) -> Vec<Outcomes> {
    let end = spans.last().map_or(now, |span| span.ends);
    let day = |ago: i32| {
        let (from, until) = (end.minus(Duration::DAY * (ago + 1)), end.minus(Duration::DAY * ago));
        spans.iter().filter(|span| span.began >= from && span.began < until).map(|span| span.calls).sum()
    };
    (0..days).rev().map(day).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn spans(period: Period) -> (Vec<Span>, Timestamp) {
        let now = Timestamp::from(time::macros::datetime!(2026-11-26 12:37 UTC));
        let calls = Outcomes { succeeded: 561, refused: 31, limited: 5, failed: 12, cut_off: false };
        (period.spans(&BTreeMap::from([(now.minus(Duration::hours(3)), calls)]), now), now)
    }

    fn labels(chart: &Chart) -> Vec<&str> {
        chart.bands.iter().map(|band| &*band.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn columns_have_a_time_and_figures() {
        let day = calls("calls", Period::Day, &spans(Period::Day).0, Some(1_000), 188);
        let band = &day.bands[20];
        assert_eq!(band.name, "Thu 26 Nov, 09:00–10:00");
        let figures: Vec<_> = band.figures.iter().map(|each| (each.name, &*each.value)).collect();
        assert_eq!(figures, [("Succeeded", "561"), ("Refused (4xx)", "36"), ("Failed (5xx)", "12")]);
        assert_eq!(band.total, "609");
        assert_eq!(day.limit.expect("a limit").label, "Hourly limit 1,000");
        let month = calls("calls", Period::Month, &spans(Period::Month).0, Some(1_000), 188);
        assert_eq!(month.bands[29].name, "Thursday 26 November");
        assert!(month.limit.is_none());
    }

    #[test]
    fn labels_are_sparse_and_end_with_now() {
        let of = |period| calls("calls", period, &spans(period).0, None, 188);
        assert_eq!(
            labels(&of(Period::Day)),
            ["13:00", "16:00", "19:00", "22:00", "01:00", "04:00", "07:00", "10:00", "Now"]
        );
        assert_eq!(
            labels(&of(Period::Week)),
            ["20 Nov", "21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov", "Now"]
        );
        assert_eq!(
            labels(&of(Period::Month)),
            ["28 Oct", "2 Nov", "7 Nov", "12 Nov", "17 Nov", "22 Nov", "Today"]
        );
    }

    #[test]
    fn days_sum_their_spans() {
        let (spans, now) = spans(Period::Week);
        let days: Vec<_> = by_day(&spans, now, 7).iter().map(Outcomes::total).collect();
        assert_eq!(days, [0, 0, 0, 0, 0, 0, 609]);
    }
}
