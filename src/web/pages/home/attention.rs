//! The problems listed on Home, with domains, tokens and storage.

use time::Duration;

use crate::domain::Timestamp;
use crate::domain::access::usage::Grouped;
use crate::domain::home::{ExpiringToken, Home, TokenUse};
use crate::domain::mailroom::mail_domains::{self, Domain, RecordState};
use crate::domain::people::roles::Role;
use crate::web::pages::charts;
use crate::web::paths;
use crate::web::viewer::Viewer;

/// Flag a token when at least this percentage of its requests, and at least [`MIN_FAILING`], were refused or failed.
const FAILING_PERCENT: i64 = 10;
const MIN_FAILING: i64 = 10;
/// Flag the storage when at least this percentage is used.
const NEARLY_FULL_PERCENT: i64 = 90;

/// A problem with an object, and a link to fix it.
pub struct AttentionItem {
    pub icon: &'static str,
    /// "warning" or "danger"
    pub tone: &'static str,
    pub title: String,
    pub problem: String,
    pub address: String,
    pub action: &'static str,
}

impl AttentionItem {
    /// Failures first. Members see no tokens.
    pub fn all(viewer: &Viewer, home: &Home) -> Vec<Self> {
        let (now, host) = (viewer.request.now, viewer.app().mail_host());
        let mut all: Vec<_> = home.domains.iter().filter_map(|domain| Self::domain(domain, &host)).collect();
        all.extend(Self::storage(home.bytes, viewer.app().mail_settings().quota));
        if viewer.role >= Role::Admin {
            all.extend(home.access.tokens.iter().filter_map(Self::failing));
            all.extend(home.access.expiring.iter().map(|token| Self::expiring(token, now)));
            all.extend(Self::unused(&home.access.unused));
        }
        all.sort_by_key(|item| item.tone != "danger");
        all
    }

    fn domain(domain: &Domain, host: &str) -> Option<Self> {
        let (tone, problem) = match domain {
            Domain { suspended_at: Some(_), .. } => {
                ("danger", "Suspended because its TXT record is missing".to_owned())
            }
            _ => match (domain.suspension_due(), domain.is_active()) {
                (Some(due), _) => (
                    "danger",
                    format!("TXT record missing. Will be suspended on {}", charts::day_and_month(due)),
                ),
                (None, false) => ("warning", "Not verified. Add its DNS records.".to_owned()),
                (None, true) => ("danger", not_receiving(domain, host)?.to_owned()),
            },
        };
        let (title, address) = (domain.name.clone(), paths::DOMAIN.of(domain.id));
        Some(Self { icon: "globe", tone, title, problem, address, action: "Fix" })
    }

    fn storage(bytes: i64, quota: Option<u64>) -> Option<Self> {
        let quota = i64::try_from(quota?).ok().filter(|quota| *quota > 0)?;
        let percent = bytes.saturating_mul(100) / quota;
        let (tone, problem) = match percent {
            ..NEARLY_FULL_PERCENT => return None,
            100.. => ("danger", "Full. New mail is refused.".to_owned()),
            percent => ("warning", format!("{percent}% full. Delete mail you don't need.")),
        };
        let (title, address) = ("Mail storage".to_owned(), paths::INBOX.to_string());
        Some(Self { icon: "inbox", tone, title, problem, address, action: "Review" })
    }

    fn failing(token: &TokenUse) -> Option<Self> {
        let is_frequent =
            token.failing >= MIN_FAILING && token.failing * 100 >= token.in_24h * FAILING_PERCENT;
        is_frequent.then(|| Self {
            icon: "shield-alert",
            tone: "danger",
            title: token.name.clone(),
            problem: format!(
                "{} of {} requests refused or failed in 24 h",
                Grouped(token.failing),
                Grouped(token.in_24h)
            ),
            address: paths::ACTIVITY.query(&[("token", &token.id.to_string()), ("status", "4xx")]),
            action: "Review",
        })
    }

    fn expiring(token: &ExpiringToken, now: Timestamp) -> Self {
        let left = token.at.since(now);
        let (tone, problem) = match left.whole_days() {
            _ if left.is_negative() => {
                ("danger", format!("Token expired on {}", charts::day_and_month(token.at)))
            }
            0 => ("danger", format!("Token expires in {}", hours(left))),
            1 => ("warning", "Token expires in 1 day".to_owned()),
            days => ("warning", format!("Token expires in {days} days")),
        };
        let (title, address) = (token.name.clone(), paths::TOKEN.of(token.id));
        Self { icon: "clock", tone, title, problem, address, action: "Review" }
    }

    fn unused(tokens: &[(crate::domain::access::activity::TokenId, String)]) -> Option<Self> {
        let (title, address) = match tokens {
            [] => return None,
            [(id, name)] => (name.clone(), paths::TOKEN.of(id)),
            more => (format!("{} tokens", more.len()), paths::DEVELOPER.to_string()),
        };
        let problem = "Not used for 90 days. Revoke unless an app needs it.".to_owned();
        Some(Self { icon: "key-round", tone: "warning", title, problem, address, action: "Review" })
    }
}

/// Describes a problem with the MX record of a verified domain. Returns `None` if other mail servers can't find this
/// one, because there is no record to publish.
pub fn not_receiving(domain: &Domain, host: &str) -> Option<&'static str> {
    if !mail_domains::is_public(host) {
        return None;
    }
    let record = domain.records(host).into_iter().find(|record| record.kind == "MX")?;
    match record.state {
        RecordState::Missing => Some("Not receiving: no MX record"),
        RecordState::Wrong => Some("Not receiving: wrong MX record"),
        _ => None,
    }
}

fn hours(left: Duration) -> String {
    match left.whole_hours() {
        0 => "less than an hour".to_owned(),
        1 => "1 hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::activity::TokenId;

    fn problem(left: Duration) -> (&'static str, String) {
        let now = Timestamp::from(time::macros::datetime!(2026-11-26 12:37 UTC));
        let token = ExpiringToken { id: TokenId::from_bytes([1; 16]), name: "ci".into(), at: now.plus(left) };
        let item = AttentionItem::expiring(&token, now);
        (item.tone, item.problem)
    }

    #[test]
    fn expiring_tokens_show_the_time_left() {
        assert_eq!(problem(Duration::days(6)), ("warning", "Token expires in 6 days".into()));
        assert_eq!(problem(Duration::hours(30)), ("warning", "Token expires in 1 day".into()));
        assert_eq!(problem(Duration::hours(3)), ("danger", "Token expires in 3 hours".into()));
        assert_eq!(problem(Duration::minutes(3)), ("danger", "Token expires in less than an hour".into()));
        assert_eq!(problem(Duration::days(-2)), ("danger", "Token expired on 24 Nov".into()));
    }

    #[test]
    fn a_few_failures_are_not_flagged() {
        let token = |in_24h, failing| {
            let (id, name) = (TokenId::from_bytes([1; 16]), "Zapier".to_owned());
            AttentionItem::failing(&TokenUse { id, name, in_7d: in_24h, in_24h, failing })
                .map(|item| item.problem)
        };
        assert_eq!((token(9, 9), token(1_000, 99)), (None, None));
        assert_eq!(token(260, 31).as_deref(), Some("31 of 260 requests refused or failed in 24 h"));
    }

    #[test]
    fn storage_is_flagged_before_it_is_full() {
        let full = |bytes, quota| AttentionItem::storage(bytes, quota).map(|item| (item.tone, item.problem));
        assert_eq!((full(89, Some(100)), full(99, None), full(0, Some(0))), (None, None, None));
        assert_eq!(full(93, Some(100)), Some(("warning", "93% full. Delete mail you don't need.".into())));
        assert_eq!(full(100, Some(100)), Some(("danger", "Full. New mail is refused.".into())));
    }
}
