//! Records as rows, grouped by day.

use time::Duration;

use super::kinds;
use super::sentences;
use crate::domain::Timestamp;
use crate::domain::access::activity::{ActorKind, Named, Record};
use crate::domain::access::usage::{Grouped, Hours, Outcomes, day_of};
use crate::web::pages::charts;
use crate::web::pages::format::When;
use crate::web::pages::people::agent;

pub struct TokenRef {
    pub id: String,
    pub name: String,
    pub start: String,
}

/// The rows of one day in UTC.
pub struct Day {
    pub title: String,
    /// `4,734 requests, 128 refused`; can be empty.
    pub note: String,
    pub rows: Vec<Row>,
}

/// A request or a change.
pub struct Row {
    pub id: String,
    pub at: When,
    pub icon: &'static str,
    pub tone: &'static str,
    pub what: String,
    pub who: String,
    pub token: Option<TokenRef>,
    /// Whether the token is the actor, not the object of the change.
    pub by_token: bool,
    /// Below the sentence; can be empty.
    pub more: String,
    pub method: String,
    pub route: String,
    pub status: Option<u16>,
    pub duration: String,
    pub is_call: bool,
}

impl Row {
    pub fn of(named: &Named) -> Self {
        let Named { record, person, .. } = named;
        let token = TokenRef::of(named);
        let (icon, tone) = kinds::icon(record.kind);
        let status = record.status.and_then(|status| u16::try_from(status).ok());
        let by_token = record.actor_kind == ActorKind::Token;
        let who = match (&token, person) {
            (Some(token), _) if by_token => token.name.clone(),
            (_, Some(name)) => name.clone(),
            // If the token is only the actor, its name is in the label.
            _ => match record.actor_label.as_deref() {
                Some(label) => label.strip_prefix("token ").unwrap_or(label).to_owned(),
                None => "Unknown token".to_owned(),
            },
        };
        Self {
            id: record.id.to_string(),
            at: When(record.at),
            icon,
            tone: if status.is_some_and(|status| status >= 400) { "danger" } else { tone },
            what: sentences::sentence(record),
            who,
            token,
            by_token,
            more: more(record, status),
            method: record.method.clone().unwrap_or_default(),
            route: record.route.clone().unwrap_or_default(),
            status,
            duration: record.duration_us.map(sentences::milliseconds).unwrap_or_default(),
            is_call: record.kind.is_call(),
        }
    }

    /// The sentence without its actor.
    pub fn headline(&self) -> &str {
        &self.what
    }

    /// The sentence after its actor: `created the token “ci”`.
    pub fn action(&self) -> String {
        let mut rest = self.what.chars();
        match rest.next() {
            Some(first) if !self.is_call => first.to_lowercase().chain(rest).collect(),
            _ => self.what.clone(),
        }
    }

    /// The CSS class of the actor's picture.
    pub fn avatar(&self) -> &'static str {
        if self.by_token { "avatar-small avatar-app" } else { "avatar-small" }
    }

    pub fn is_failure(&self) -> bool {
        matches!(self.icon, "circle-x") || self.status.is_some_and(|status| status >= 400)
    }

    pub fn is_server_failure(&self) -> bool {
        self.status.is_some_and(|status| status >= 500)
    }
}

/// The reason why a request failed, or the details of a change and the browser used.
fn more(record: &Record, status: Option<u16>) -> String {
    if record.kind.is_call() {
        let reason = status.map(sentences::reason).unwrap_or_default();
        return match record.count {
            ..=1 => reason.to_owned(),
            count => format!("{reason}, {} times", Grouped(count.into())),
        };
    }
    let mut parts = sentences::details(record);
    parts.extend(record.agent.as_deref().filter(|agent| !agent.is_empty()).map(agent::name));
    parts.extend(record.ip.clone());
    parts.join(" · ")
}

impl TokenRef {
    fn of(named: &Named) -> Option<Self> {
        let id = named.record.token_id?.to_string();
        Some(Self { id, name: named.token.clone()?, start: named.token_start.clone()? })
    }
}

impl Day {
    /// Groups rows by day, newest first. `hours` has the counts of the listed calls, if they were counted.
    pub fn all(records: &[Named], hours: Option<&Hours>, now: Timestamp) -> Vec<Self> {
        let of_day = records.chunk_by(|a, b| day_of(a.record.at) == day_of(b.record.at));
        let day = |records: &[Named]| {
            let began = day_of(records[0].record.at);
            Self {
                title: title(began, now),
                note: hours.map(|hours| note(hours, began)).unwrap_or_default(),
                rows: records.iter().map(Row::of).collect(),
            }
        };
        of_day.map(day).collect()
    }
}

/// `Today, Thursday 26 November`
fn title(day: Timestamp, now: Timestamp) -> String {
    let name = charts::long_day(day);
    match day_of(now).since(day).whole_days() {
        0 => format!("Today, {name}"),
        1 => format!("Yesterday, {name}"),
        _ if day.utc().year() != now.utc().year() => format!("{name} {}", day.utc().year()),
        _ => name,
    }
}

fn note(hours: &Hours, day: Timestamp) -> String {
    let calls: Outcomes = hours.range(day..day.plus(Duration::DAY)).map(|(_, calls)| *calls).sum();
    let refused = calls.all_refused();
    let more = if calls.cut_off { "more than " } else { "" };
    let mut parts = match calls.total() {
        0 => return String::new(),
        1 => vec!["1 request".to_owned()],
        total => vec![format!("{more}{} requests", Grouped(total))],
    };
    parts.extend((refused > 0).then(|| format!("{} refused", Grouped(refused))));
    parts.extend((calls.failed > 0).then(|| format!("{} failed", Grouped(calls.failed))));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_a_title_and_counts() {
        let now = Timestamp::from(time::macros::datetime!(2026-11-26 12:37 UTC));
        let ago = |days| title(day_of(now.minus(Duration::days(days))), now);
        assert_eq!(ago(0), "Today, Thursday 26 November");
        assert_eq!(ago(1), "Yesterday, Wednesday 25 November");
        assert_eq!(ago(6), "Friday 20 November");
        assert_eq!(ago(365), "Wednesday 26 November 2025");
        let calls = Outcomes { succeeded: 4_585, refused: 120, limited: 8, failed: 21, cut_off: false };
        let hours = Hours::from([(now.minus(Duration::hours(2)), calls)]);
        assert_eq!(note(&hours, day_of(now)), "4,734 requests, 128 refused, 21 failed");
        assert_eq!(note(&hours, day_of(now).minus(Duration::DAY)), "");
    }
}
