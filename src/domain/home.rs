//! The data of the Home page: incoming mail, the state of the API, and what needs attention. It takes three
//! statements, whose cost doesn't depend on the team's size.

use time::Duration;

use crate::domain::access::activity::{self, ActivityKind, Filter, Named};
use crate::domain::access::usage::{self, Counted, Counts, Hours, Outcomes, Period, day_of};
use crate::domain::lists::Window;
use crate::domain::mailroom::mail_domains::{self, Domain};
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use crate::store::home::{self as rows, Row, Since};
use crate::store::ids::{AliasId, TeamId, TokenId};

const MAIL_DAYS: i32 = 14;
/// Tokens that expire this soon, or have been unused for this long, need attention.
const EXPIRES_SOON: Duration = Duration::days(14);
const UNUSED: Duration = Duration::days(90);
/// The numbers of aliases and of recent changes shown.
const MAX_RANKED: usize = 5;
const RECENT: i64 = 5;

pub struct Home {
    pub facts: Facts,
    /// Bytes of stored mail.
    pub bytes: i64,
    /// The last 14 days including today, oldest first.
    pub days: Vec<MailDay>,
    /// Sorted by messages delivered in the last 7 days.
    pub aliases: Vec<BusyAlias>,
    pub domains: Vec<Domain>,
    pub access: Access,
}

/// The first steps that a team has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub has_token: bool,
    pub has_called: bool,
    pub has_alias: bool,
    pub has_mail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailDay {
    /// The start of the day in UTC.
    pub began: Timestamp,
    pub delivered: i64,
    pub blocked: i64,
}

#[derive(Clone, Debug)]
pub struct BusyAlias {
    pub id: AliasId,
    pub address: String,
    pub delivered: i64,
}

/// Data that only admins see.
#[derive(Default)]
pub struct Access {
    /// At least the last 7 days.
    pub hours: Hours,
    /// Sorted by requests in the last 7 days. Tokens without any are left out.
    pub tokens: Vec<TokenUse>,
    pub expiring: Vec<ExpiringToken>,
    /// Tokens unused for 90 days.
    pub unused: Vec<(TokenId, String)>,
    pub recent: Vec<Named>,
}

#[derive(Clone, Debug)]
pub struct TokenUse {
    pub id: TokenId,
    pub name: String,
    pub in_7d: i64,
    pub in_24h: i64,
    /// Requests of the last 24 hours that were refused or failed.
    pub failing: i64,
}

#[derive(Clone, Debug)]
pub struct ExpiringToken {
    pub id: TokenId,
    pub name: String,
    pub at: Timestamp,
}

/// `period` is shown in the chart of requests.
pub fn load(tx: &mut Tx<'_>, team: TeamId, period: Period, now: Timestamp, is_admin: bool) -> Result<Home> {
    let since = since(period, now);
    let found = rows::rows(tx, team, &since, usage::MAX_LIVE_RECORDS)?;
    let access = match is_admin {
        true => access(tx, team, &found)?,
        false => Access::default(),
    };
    let facts = part(&found, "facts").next();
    Ok(Home {
        bytes: facts.and_then(|row| row.at).unwrap_or_default(),
        facts: facts.map(Facts::of).unwrap_or_default(),
        days: days(&found, now),
        aliases: busy_aliases(&found),
        domains: mail_domains::list(tx, team)?,
        access,
    })
}

fn since(period: Period, now: Timestamp) -> Since {
    Since {
        hours: usage::hours_since(period.start(now).min(Period::Week.start(now)), now),
        week: now.minus(Duration::days(7)),
        day: Period::Day.start(now),
        mail: day_of(now).minus(Duration::DAY * (MAIL_DAYS - 1)),
        unused: now.minus(UNUSED),
        expiry: now.plus(EXPIRES_SOON),
    }
}

fn access(tx: &mut Tx<'_>, team: TeamId, found: &[Row]) -> Result<Access> {
    let live = Counts::live(&part(found, "live").map(counted).collect::<Vec<_>>());
    let mut hours: Hours = part(found, "hour").map(hour).collect();
    hours.extend(&live.team);
    let changes = ActivityKind::ALL.iter().copied().filter(|kind| is_notable_change(*kind)).collect();
    let changes = Filter { kinds: Some(changes), ..Filter::default() };
    Ok(Access {
        tokens: tokens(found, &live),
        hours,
        expiring: part(found, "expiring").filter_map(expiring).collect(),
        unused: part(found, "unused").filter_map(|row| Some((token(row)?, row.name.clone()))).collect(),
        recent: activity::list_named(tx, team, &changes, Window::first(RECENT))?.rows,
    })
}

/// Excludes sign-ins and the like, which would crowd out the other changes.
fn is_notable_change(kind: ActivityKind) -> bool {
    use ActivityKind::{SignedIn, SignedOut, TeamSwitched};
    !kind.is_call() && !matches!(kind, SignedIn | SignedOut | TeamSwitched)
}

fn part<'r>(found: &'r [Row], part: &'static str) -> impl Iterator<Item = &'r Row> {
    found.iter().filter(move |row| row.part == part)
}

fn at(row: &Row) -> Timestamp {
    Timestamp::from_micros(row.at.unwrap_or_default())
}

fn token(row: &Row) -> Option<TokenId> {
    Some(TokenId::from_bytes(row.id.as_slice().try_into().ok()?))
}

fn hour(row: &Row) -> (Timestamp, Outcomes) {
    let Row { a: succeeded, b: refused, c: limited, d: failed, e, .. } = *row;
    (at(row), Outcomes { succeeded, refused, limited, failed, cut_off: e != 0 })
}

fn counted(row: &Row) -> Counted {
    let Row { a: succeeded, b: refused, c: limited, d: failed, e: records, .. } = *row;
    Counted {
        began: at(row),
        token_id: token(row),
        succeeded,
        refused,
        limited,
        failed,
        cut_off: false,
        records,
    }
}

fn expiring(row: &Row) -> Option<ExpiringToken> {
    Some(ExpiringToken { id: token(row)?, name: row.name.clone(), at: at(row) })
}

/// Returns the busiest tokens and those with errors, including hours without stored counts.
fn tokens(found: &[Row], live: &Counts) -> Vec<TokenUse> {
    let with_live = |row: &Row| {
        let id = token(row)?;
        let live: Outcomes = live.tokens.get(&id).into_iter().flat_map(|hours| hours.values().copied()).sum();
        let (total, failing) = (live.total(), live.unsuccessful());
        let name = row.name.clone();
        Some(TokenUse { id, name, in_7d: row.a + total, in_24h: row.b + total, failing: row.c + failing })
    };
    let mut tokens: Vec<_> =
        part(found, "token").filter_map(with_live).filter(|each| each.in_7d > 0).collect();
    tokens.sort_by(|a, b| b.in_7d.cmp(&a.in_7d).then_with(|| a.name.cmp(&b.name)));
    tokens
}

fn busy_aliases(found: &[Row]) -> Vec<BusyAlias> {
    let alias = |row: &Row| {
        let id = AliasId::from_bytes(row.id.as_slice().try_into().ok()?);
        Some(BusyAlias { id, address: row.name.clone(), delivered: row.a })
    };
    let mut aliases: Vec<_> = part(found, "alias").filter_map(alias).collect();
    aliases.sort_by(|a, b| b.delivered.cmp(&a.delivered).then_with(|| a.address.cmp(&b.address)));
    aliases.truncate(MAX_RANKED);
    aliases
}

fn days(found: &[Row], now: Timestamp) -> Vec<MailDay> {
    let today = day_of(now);
    let day = |ago: i32| {
        let began = today.minus(Duration::DAY * ago);
        let row = part(found, "day").find(|row| at(row) == began);
        MailDay { began, delivered: row.map_or(0, |row| row.a), blocked: row.map_or(0, |row| row.b) }
    };
    (0..MAIL_DAYS).rev().map(day).collect()
}

impl Facts {
    fn of(row: &Row) -> Self {
        Self { has_token: row.a != 0, has_called: row.b != 0, has_alias: row.c != 0, has_mail: row.d != 0 }
    }
}
