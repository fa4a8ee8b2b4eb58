//! The figures, charts and rankings of Home.

use time::Duration;

use crate::domain::Timestamp;
use crate::domain::access::usage::{Grouped, Hours, Outcomes, Period};
use crate::domain::home::{BusyAlias, MailDay, TokenUse};
use crate::gate::Allowance;
use crate::web::pages::charts::{self, Chart, Column, Line, Meter, Ranked, Series, Strip};
use crate::web::pages::format;
use crate::web::paths;

const MAIL: [Series; 2] = [Series { name: "Delivered", tone: 1 }, Series { name: "Blocked", tone: 2 }];
/// The maximum number of rows in a ranking.
const MAX_RANKED: usize = 5;
/// The API counts as unhealthy if at least this percentage of requests fails.
const FAILING_PERCENT: i64 = 1;

/// The change from the previous value of a figure.
pub struct Delta {
    pub is_up: bool,
    pub text: String,
}

impl Delta {
    /// Returns `None` without a previous value, or without a difference.
    fn of(now: i64, before: i64) -> Option<Self> {
        let percent = (now - before) * 100 / (before > 0).then_some(before)?;
        (percent != 0).then(|| Self { is_up: percent > 0, text: format!("{}%", Grouped(percent.abs())) })
    }
}

pub struct MailFigures {
    pub today: String,
    pub yesterday: String,
    pub blocked: String,
    pub unread: String,
    pub week: String,
    pub trend: Option<Line>,
    pub blocked_trend: Strip,
    pub chart: Chart,
    has_any: bool,
}

impl MailFigures {
    pub fn of(days: &[MailDay], unread: i64) -> Self {
        let all = |day: &MailDay| day.delivered + day.blocked;
        let week = &days[days.len().saturating_sub(7)..];
        let at = |ago: usize| days.len().checked_sub(ago + 1).map_or(0, |index| days[index].delivered);
        let trend: Vec<_> = week.iter().map(|day| day.delivered).collect();
        let blocked: Vec<_> = week.iter().map(|day| (0, day.blocked)).collect();
        Self {
            today: Grouped(at(0)).to_string(),
            yesterday: Grouped(at(1)).to_string(),
            blocked: Grouped(blocked.iter().map(|(_, blocked)| blocked).sum()).to_string(),
            unread: Grouped(unread).to_string(),
            week: Grouped(trend.iter().sum()).to_string(),
            trend: Line::of("Messages delivered in the last 7 days", &trend),
            blocked_trend: Strip::of("Messages blocked in the last 7 days", &blocked),
            chart: mail_chart(days),
            has_any: week.iter().map(all).sum::<i64>() > 0,
        }
    }
}

fn mail_chart(days: &[MailDay]) -> Chart {
    let count = days.len();
    let column = |(index, day): (usize, &MailDay)| {
        let is_running = index + 1 == count;
        let label = match index {
            _ if is_running => "Today".to_owned(),
            index if index % 2 == 0 && index + 2 < count => charts::day_and_month(day.began),
            _ => String::new(),
        };
        let values = vec![day.delivered, day.blocked];
        Column { name: charts::long_day(day.began), label, values, is_running, is_cut_off: false }
    };
    let columns = days.iter().enumerate().map(column).collect();
    let what = "Messages per day in the last 14 days, delivered and blocked";
    Chart::of(("mail-chart", what, "Day, UTC"), &MAIL, columns, None, 132)
}

pub struct CallFigures {
    pub in_24h: String,
    pub delta: Option<Delta>,
    pub trend: Option<Line>,
    pub refused: String,
    /// `3.1%`
    pub refused_share: String,
    /// `None` if no request failed.
    pub failed: Option<String>,
    pub refused_trend: Strip,
    pub used: String,
    pub limit: String,
    /// `13:00`
    pub resets_at: String,
    pub meter: Meter,
    pub chart: Chart,
    pub period: &'static str,
    day: Outcomes,
}

impl CallFigures {
    pub fn of(hours: &Hours, period: Period, allowance: Allowance, now: Timestamp) -> Self {
        let start = Period::Day.start(now);
        let day: Outcomes = hours.range(start..).map(|(_, calls)| *calls).sum();
        let before: Outcomes = hours.range(start.minus(Duration::DAY)..start).map(|(_, calls)| *calls).sum();
        let by_day = charts::by_day(&Period::Week.spans(hours, now), now, 7);
        let totals: Vec<_> = by_day.iter().map(Outcomes::total).collect();
        let unsuccessful: Vec<_> = by_day.iter().map(|calls| (0, calls.unsuccessful())).collect();
        let (limit, used) = (allowance.limit.into(), (allowance.limit - allowance.remaining).into());
        let spans = period.spans(hours, now);
        Self {
            in_24h: count(day.total(), day.cut_off),
            delta: Delta::of(day.total(), before.total()),
            trend: Line::of("API requests in the last 7 days", &totals),
            refused: count(day.all_refused(), day.cut_off),
            refused_share: share(day.all_refused(), day.total()),
            failed: (day.failed > 0).then(|| count(day.failed, day.cut_off)),
            refused_trend: Strip::of("Refused and failed in the last 7 days", &unsuccessful),
            used: Grouped(used).to_string(),
            limit: Grouped(limit).to_string(),
            resets_at: format::clock(allowance.reset),
            meter: Meter::of_limit(used, limit, "requests used"),
            chart: charts::calls("calls-chart", period, &spans, Some(limit), 188),
            period: match period {
                Period::Day => "per hour",
                Period::Week => "per 6 hours",
                Period::Month => "per day",
            },
            day,
        }
    }
}

fn count(calls: i64, cut_off: bool) -> String {
    let more = if cut_off && calls > 0 { "more than " } else { "" };
    format!("{more}{}", Grouped(calls))
}

/// `3.1%`, or `0%` if `whole` is 0.
fn share(part: i64, whole: i64) -> String {
    match whole {
        0 => "0%".to_owned(),
        _ if part == 0 => "0%".to_owned(),
        whole => {
            let tenths = (part * 1000 / whole).max(1);
            format!("{}.{}%", tenths / 10, tenths % 10)
        }
    }
}

/// The sentence below the title.
pub fn lead(mail: &MailFigures, calls: Option<&CallFigures>, api_enabled: bool, problems: usize) -> String {
    let mail = if mail.has_any { "Mail is arriving" } else { "No mail in the last 7 days" };
    let api = match calls {
        None => None,
        Some(_) if !api_enabled => Some("API access is off"),
        Some(calls) if calls.day.total() == 0 => Some("no API requests in 24 hours"),
        Some(calls)
            if calls.day.failed * 100 >= calls.day.total() * FAILING_PERCENT && calls.day.failed > 0 =>
        {
            Some("some API requests fail")
        }
        Some(_) => Some("the API is healthy"),
    };
    let health = api.map_or_else(|| format!("{mail}."), |api| format!("{mail} and {api}."));
    let problems = match problems {
        0 => "Nothing needs your attention.".to_owned(),
        1 => "One thing needs your attention.".to_owned(),
        more => format!("{} things need your attention.", in_words(more)),
    };
    format!("{health} {problems}")
}

fn in_words(number: usize) -> String {
    const WORDS: [&str; 8] = ["Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];
    number
        .checked_sub(2)
        .and_then(|index| WORDS.get(index))
        .map_or(number.to_string(), |word| (*word).to_owned())
}

/// The aliases that received the most mail.
pub fn busiest_aliases(aliases: &[BusyAlias]) -> Vec<Ranked> {
    let busy = aliases.iter().filter(|alias| alias.delivered > 0);
    let row = |alias: &BusyAlias| (alias.address.clone(), paths::ALIAS.of(alias.id), alias.delivered);
    Ranked::all(busy.map(row), "messages")
}

/// The tokens with the most requests.
pub fn busiest_tokens(tokens: &[TokenUse]) -> Vec<Ranked> {
    let row = |token: &TokenUse| (token.name.clone(), paths::TOKEN.of(token.id), token.in_7d);
    Ranked::all(tokens.iter().take(MAX_RANKED).map(row), "requests")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(delivered: i64, blocked: i64) -> MailDay {
        MailDay { began: Timestamp::from_micros(0), delivered, blocked }
    }

    #[test]
    fn a_delta_needs_a_previous_value() {
        let text = |now, before| Delta::of(now, before).map(|delta| (delta.is_up, delta.text));
        assert_eq!(text(108, 100), Some((true, "8%".into())));
        assert_eq!(text(50, 100), Some((false, "50%".into())));
        assert_eq!((text(100, 100), text(5, 0)), (None, None));
    }

    #[test]
    fn a_small_share_is_not_rounded_down_to_zero() {
        assert_eq!(
            [share(0, 0), share(0, 9), share(1, 100_000), share(192, 6_231)],
            ["0%", "0%", "0.1%", "3.0%"]
        );
    }

    #[test]
    fn the_lead_summarizes_mail_and_problems() {
        let (some, none) = (MailFigures::of(&[day(3, 1); 14], 0), MailFigures::of(&[day(0, 0); 14], 0));
        assert_eq!(lead(&some, None, true, 0), "Mail is arriving. Nothing needs your attention.");
        assert_eq!(lead(&none, None, true, 1), "No mail in the last 7 days. One thing needs your attention.");
        assert!(lead(&some, None, true, 3).ends_with("Three things need your attention."));
        assert!(lead(&some, None, true, 12).ends_with("12 things need your attention."));
    }

    #[test]
    fn mail_figures_are_computed_from_the_days() {
        let mut days = vec![day(1, 0); 13];
        days.push(day(7, 2));
        let figures = MailFigures::of(&days, 1_234);
        let shown = [&figures.today, &figures.yesterday, &figures.blocked, &figures.unread, &figures.week];
        assert_eq!(shown, ["7", "1", "2", "1,234", "13"]);
        assert_eq!(figures.chart.bands.len(), 14);
        assert_eq!(figures.chart.legend[0].value, "20");
    }
}
