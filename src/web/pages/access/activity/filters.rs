//! The filters: query parameters, parsed into criteria.

use time::macros::format_description;
use time::{Date, Duration, PrimitiveDateTime, Time};

use super::menus;
use crate::domain::access::activity::{ActivityId, ActivityKind, Filter, TokenId};
use crate::domain::access::usage::Period;
use crate::domain::people::users::UserId;
use crate::domain::{FieldError, Result, Timestamp};
use crate::web::pages::Fields;
use crate::web::paths;

/// The parameters as sent; an empty one does not filter.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Query {
    pub kind: String,
    pub person: String,
    pub token: String,
    pub status: String,
    pub from: String,
    pub until: String,
    pub before: String,
    /// The last 24 hours, 7 or 30 days. Dates replace it.
    pub period: String,
    /// `on` if the list refreshes itself.
    pub live: String,
    /// The newest record that a live page already shows.
    pub known: String,
}

/// The tab that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Requests,
    Changes,
    Everything,
}

#[derive(Clone, Debug)]
pub struct Criteria {
    pub filter: Filter,
    pub before: Option<ActivityId>,
}

impl Query {
    /// # Errors
    /// `Invalid` with a sentence for each invalid parameter.
    pub fn parse(&self, now: Timestamp) -> Result<Criteria> {
        let mut fields = Fields::default();
        let kind = self.kinds();
        let person = optional("person", &self.person, "Choose a person from the list.", UserId::parse);
        let token = optional("token", &self.token, "Choose a token from the list.", TokenId::parse);
        let status =
            optional("status", &self.status, "Enter 2xx, 4xx, 5xx or a code like 401.", parse_status);
        let from =
            optional("from", &self.from, EXPECTED_MOMENT, |text| parse_span(text).map(|(start, _)| start));
        let until =
            optional("until", &self.until, EXPECTED_MOMENT, |text| parse_span(text).map(|(_, end)| end));
        let before =
            optional("before", &self.before, "The URL of this page is incomplete.", ActivityId::parse);
        let filter = Filter {
            kinds: fields.take(kind).flatten(),
            person: fields.take(person).flatten(),
            token: fields.take(token).flatten(),
            status: fields.take(status).flatten(),
            from: fields.take(from).flatten().or(self.period().map(|period| period.start(now))),
            until: fields.take(until).flatten(),
        };
        fields.take(check_order(&filter));
        let before = fields.take(before).flatten();
        fields.done(Some(Criteria { filter, before }))
    }

    /// The chosen period, unless dates are chosen.
    pub fn period(&self) -> Option<Period> {
        Period::parse(&self.period).filter(|_| self.from.is_empty() && self.until.is_empty())
    }

    /// The periods to choose from: address, label, and whether it is chosen.
    pub fn periods(&self) -> impl Iterator<Item = (String, String, bool)> {
        let any = Self { from: String::new(), until: String::new(), period: String::new(), ..self.clone() };
        let is_any = self.period().is_none() && self.from.is_empty() && self.until.is_empty();
        let of = move |period: &Period| {
            let address = Self { period: period.as_str().into(), ..any.clone() }.newest();
            (address, last(*period), self.period() == Some(*period))
        };
        let any = Self { from: String::new(), until: String::new(), period: String::new(), ..self.clone() };
        [(any.newest(), "Any time".to_owned(), is_any)].into_iter().chain(Period::ALL.iter().map(of))
    }

    /// Returns requests by default, and `None` for everything.
    fn kinds(&self) -> std::result::Result<Option<Vec<ActivityKind>>, FieldError> {
        match self.kind.trim() {
            "" => Ok(Some(ActivityKind::CALLS.to_vec())),
            menus::EVERYTHING => Ok(None),
            kind => optional("kind", kind, "Choose a kind from the list.", menus::kinds_of),
        }
    }

    pub fn tab(&self) -> Tab {
        match menus::kinds_of(&self.kind) {
            None if self.kind == menus::EVERYTHING => Tab::Everything,
            None if self.kind.is_empty() => Tab::Requests,
            Some(kinds) if kinds.iter().all(|kind| kind.is_call()) => Tab::Requests,
            _ => Tab::Changes,
        }
    }

    /// Whether anything other than the tab narrows the list.
    pub fn is_filtered(&self) -> bool {
        let of_tab = ["", "requests", menus::CHANGES, menus::EVERYTHING].contains(&&*self.kind);
        !of_tab || self.pairs().iter().any(|(name, _)| !["kind", "live"].contains(name))
    }

    /// Whether at most the token narrows the requests. Only then does the chart count the same requests.
    pub fn is_counted(&self) -> bool {
        let narrowing = ["person", "status", "from", "until"];
        ["", "requests"].contains(&&*self.kind)
            && !self.pairs().iter().any(|(name, _)| narrowing.contains(name))
    }

    /// The chosen dates: `Any time`, `Last 7 days`, `Since 2026-03-01`, `2026-03-01 to 2026-03-02`.
    pub fn dates(&self) -> String {
        match (self.from.as_str(), self.until.as_str()) {
            ("", "") => self.period().map_or("Any time".to_owned(), last),
            (from, "") => format!("Since {from}"),
            ("", until) => format!("Until {until}"),
            (from, until) => format!("{from} to {until}"),
        }
    }

    pub fn is_live(&self) -> bool {
        self.live == "on" && self.before.is_empty()
    }

    pub fn export(&self) -> String {
        paths::ACTIVITY_EXPORT.query(&self.filters())
    }

    /// The URL where a live list polls for records newer than `known`.
    pub fn updates(&self, known: &str) -> String {
        self.with(Some(("known", known)))
    }

    /// The URL of a tab, with the filters that the tabs have in common.
    pub fn tab_url(&self, kind: &str) -> String {
        let shared = [
            ("person", &*self.person),
            ("token", &self.token),
            ("from", &self.from),
            ("until", &self.until),
            ("period", &self.period),
        ];
        let pairs: Vec<_> = [("kind", kind)].into_iter().chain(shared).collect();
        paths::ACTIVITY.query(&pairs)
    }

    /// The URL of this tab without filters.
    pub fn unfiltered_url(&self) -> String {
        let kind = if self.tab() == Tab::Requests { "" } else { menus::CHANGES };
        paths::ACTIVITY.query(&[("kind", kind)])
    }

    fn filters(&self) -> Vec<(&'static str, &str)> {
        let mut pairs = self.pairs();
        pairs.retain(|(name, _)| *name != "live");
        pairs
    }

    pub fn address(&self) -> String {
        match self.before.as_str() {
            "" => self.newest(),
            before => self.with(Some(("before", before))),
        }
    }

    pub fn newest(&self) -> String {
        self.with(None)
    }

    pub fn before(&self, id: ActivityId) -> String {
        self.with(Some(("before", &id.to_string())))
    }

    /// The type of input that can show this text, even if invalid.
    pub fn input_kind(&self, text: &str) -> &'static str {
        match text {
            "" => "date",
            text if parse_day(text).is_some() => "date",
            text if text.contains('T') && parse_span(text).is_some() => "datetime-local",
            _ => "text",
        }
    }

    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("kind", &self.kind),
            ("person", &self.person),
            ("token", &self.token),
            ("status", &self.status),
            ("from", &self.from),
            ("until", &self.until),
            ("period", &self.period),
            ("live", &self.live),
        ];
        let has_dates = !self.from.is_empty() || !self.until.is_empty();
        let is_left_out =
            |(name, value): &(&str, &String)| value.is_empty() || (*name == "period" && has_dates);
        all.into_iter().filter(|pair| !is_left_out(pair)).map(|(name, value)| (name, &**value)).collect()
    }

    fn with(&self, more: Option<(&'static str, &str)>) -> String {
        let pairs: Vec<_> = self.pairs().into_iter().chain(more).collect();
        paths::ACTIVITY.query(&pairs)
    }
}

const EXPECTED_MOMENT: &str = "Enter a date like 2026-03-01 or a time like 2026-03-01T09:14, in UTC.";

fn optional<T>(
    field: &'static str,
    text: &str,
    message: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> std::result::Result<Option<T>, FieldError> {
    match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some).ok_or_else(|| FieldError::new(field, message)),
    }
}

fn check_order(filter: &Filter) -> std::result::Result<(), FieldError> {
    match (filter.from, filter.until) {
        (Some(from), Some(until)) if until <= from => {
            Err(FieldError::new("until", "The end must be after the start."))
        }
        _ => Ok(()),
    }
}

/// `Last 7 days`
fn last(period: Period) -> String {
    let length = if period == Period::Day { "24 hours" } else { period.label() };
    format!("Last {length}")
}

/// Parses `4xx` and `4` as the first digit, and `401` as a whole status.
fn parse_status(text: &str) -> Option<i16> {
    let text = text.to_ascii_lowercase();
    let number: i16 = text.strip_suffix("xx").unwrap_or(&text).parse().ok()?;
    match number {
        1..=5 => Some(number),
        100..=599 if !text.ends_with("xx") => Some(number),
        _ => None,
    }
}

/// Parses a day, minute or second into its start and end.
fn parse_span(text: &str) -> Option<(Timestamp, Timestamp)> {
    let minute = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let second = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let text = text.replacen(' ', "T", 1);
    let text = text.strip_suffix('Z').unwrap_or(&text);
    let (start, length) = match parse_day(text) {
        Some(day) => (day.with_time(Time::MIDNIGHT), Duration::DAY),
        None => PrimitiveDateTime::parse(text, minute)
            .map(|at| (at, Duration::MINUTE))
            .or_else(|_| PrimitiveDateTime::parse(text, second).map(|at| (at, Duration::SECOND)))
            .ok()?,
    };
    let start = Timestamp::from(start.assume_utc());
    Some((start, start.plus(length)))
}

fn parse_day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_covers_the_named_day_minute_or_second() {
        let span = |text| parse_span(text).map(|(start, end)| (start.to_string(), end.to_string()));
        let of = |start: &str, end: &str| Some((start.to_owned(), end.to_owned()));
        assert_eq!(span("2026-02-28"), of("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"));
        assert_eq!(span("2026-03-01T23:59"), of("2026-03-01T23:59:00Z", "2026-03-02T00:00:00Z"));
        assert_eq!(span("2026-03-01 09:14:05Z"), of("2026-03-01T09:14:05Z", "2026-03-01T09:14:06Z"));
        assert_eq!(span("1969-12-31"), of("1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"));
        // RFC 3339 has no later time.
        assert_eq!(span("9999-12-31"), of("9999-12-31T00:00:00Z", "9999-12-31T23:59:59.999999Z"));
        for bad in ["2026-02-30", "12026-01-01", "yesterday", "2026-03-01T25:00", "01.03.2026"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_status_is_a_number_or_its_first_digit() {
        for (text, status) in [("4xx", 4), ("5XX", 5), ("2", 2), ("401", 401)] {
            assert_eq!(parse_status(text), Some(status), "{text}");
        }
        for bad in ["6xx", "0", "40", "40x", "600", "401xx", "-4", "ok"] {
            assert_eq!(parse_status(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_url_with_all_filters_parses_back() {
        let query = Query { kind: "people".into(), from: "2026-03-01 09:14".into(), ..Query::default() };
        assert_eq!(query.address(), "/activity?kind=people&from=2026-03-01%2009:14");
        assert_eq!(Query::default().address(), "/activity");
        assert_eq!(query.export(), "/activity/export?kind=people&from=2026-03-01%2009:14");
    }

    #[test]
    fn dates_replace_the_period() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let from = |period: &str, from: &str| {
            let query = Query { period: period.into(), from: from.into(), ..Query::default() };
            let since = query.parse(now).expect("criteria").filter.from.map(|at| at.to_string());
            (since, query.dates(), query.address())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            from("24h", ""),
            (some("2026-09-20T15:00:00Z"), "Last 24 hours".into(), "/activity?period=24h".into())
        );
        assert_eq!(from("", ""), (None, "Any time".into(), "/activity".into()));
        assert_eq!(
            from("7d", "2026-03-01"),
            (some("2026-03-01T00:00:00Z"), "Since 2026-03-01".into(), "/activity?from=2026-03-01".into())
        );
    }

    #[test]
    fn the_kind_selects_the_tab() {
        let tab = |kind: &str| Query { kind: kind.into(), ..Query::default() }.tab();
        assert_eq!(["", "requests", "api.refused"].map(tab), [Tab::Requests; 3]);
        assert_eq!(["changes", "people", "token.created", "nonsense"].map(tab), [Tab::Changes; 4]);
        assert_eq!(tab("all"), Tab::Everything);
        let filtered = |kind: &str, token: &str| {
            Query { kind: kind.into(), token: token.into(), live: "on".into(), ..Query::default() }
                .is_filtered()
        };
        assert!(
            !filtered("", "") && !filtered("changes", "") && filtered("people", "") && filtered("", "tok_1")
        );
    }
}
