//! The list of active or of revoked tokens.

use actix_web::{HttpResponse, web};
use askama::Template;
use time::Duration;

use super::scopes;
use super::token_query::{self, Asked, Found, Query, Shown};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::access::tokens::{State, Token, TokenKind};
use crate::domain::access::usage::{Grouped, Outcomes, Span};
use crate::domain::lists::{Capped, Page};
use crate::web::htmx::Htmx;
use crate::web::pages::charts::{self, Strip};
use crate::web::pages::error::PageError;
use crate::web::pages::format::When;
use crate::web::pages::guards::Admin;
use crate::web::pages::list::List;
use crate::web::pages::{part_at, see_other};
use crate::web::paths;

/// How long the last use of a token counts as recent, and after which time as long ago.
const RECENT: Duration = Duration::days(1);
const LONG_AGO: Duration = Duration::days(30);
/// How long a row shows "Just now": twice the interval between two loads of the list.
const JUST_USED: Duration = Duration::seconds(6);

pub struct Row {
    pub id: String,
    pub name: String,
    pub start: String,
    pub public_id: String,
    pub created_by: String,
    pub created: When,
    pub used: Option<Used>,
    pub state: State,
    pub revoked: Option<Revoked>,
    pub is_team_key: bool,
    /// `Read only`, `4 scopes`
    pub permissions: String,
    /// Each scope, or `all`.
    pub scopes: Vec<String>,
    /// The token's own hourly limit, or empty.
    pub cap: String,
    /// Requests in the last seven days, if loaded.
    pub week: Option<Week>,
}

pub struct Used {
    pub at: When,
    pub ip: String,
    pub agent: String,
    /// The tone of the dot before it.
    pub tone: &'static str,
    pub is_just: bool,
}

pub struct Revoked {
    pub at: When,
    pub by: String,
    pub reason: String,
}

pub struct Week {
    pub strip: Strip,
    pub total: String,
}

impl Week {
    pub fn of(spans: &[Span], now: Timestamp) -> Self {
        let days = charts::by_day(spans, now, 7);
        let values: Vec<_> =
            days.iter().map(|day| (day.total() - day.unsuccessful(), day.unsuccessful())).collect();
        let sum: Outcomes = days.into_iter().sum();
        let more = if sum.cut_off { "more than " } else { "" };
        let total = format!("{more}{}", Grouped(sum.total()));
        Self { strip: Strip::of("Requests in the last 7 days", &values), total }
    }
}

impl Row {
    pub fn of(token: Token, now: Timestamp) -> Self {
        let state = token.state(now);
        let granted = token.scopes();
        let (ip, agent) = (token.last_used_ip, token.last_used_agent);
        let used = token.last_used_at.map(|at| Used {
            at: When(at),
            ip: ip.unwrap_or_default(),
            agent: agent.unwrap_or_default(),
            tone: match now.since(at) {
                age if age < RECENT => "success",
                age if age < LONG_AGO => "idle",
                _ => "warning",
            },
            is_just: now.since(at) < JUST_USED,
        });
        let (by, reason) = (token.revoked_by_label, token.revoke_reason);
        let revoked = token.revoked_at.map(|at| Revoked {
            at: When(at),
            by: by.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
        });
        Self {
            id: token.id.to_string(),
            name: token.name,
            start: token.start,
            public_id: token.public_id,
            created_by: token.created_by_label,
            created: When(token.created_at),
            used,
            state,
            revoked,
            is_team_key: token.kind == TokenKind::TeamKey,
            permissions: scopes::summary(granted),
            scopes: granted.to_string().split(' ').map(str::to_owned).collect(),
            cap: token.hourly_cap.map(|cap| Grouped(cap.into()).to_string()).unwrap_or_default(),
            week: None,
        }
    }

    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    pub fn is_just_used(&self) -> bool {
        self.used.as_ref().is_some_and(|used| used.is_just)
    }

    /// Empty if no reason was given.
    pub fn reason(&self) -> &str {
        self.revoked.as_ref().map_or("", |revoked| &revoked.reason)
    }

    /// The tone and text of the badge.
    pub fn badge(&self) -> (&'static str, &'static str) {
        match self.state {
            State::Active => ("success", "Active"),
            State::Expired => ("off", "Expired"),
            State::Revoked => ("danger", "Revoked"),
        }
    }
}

/// The page polls this.
#[derive(Template)]
#[template(path = "developer/_tokens.html")]
pub struct TokenList {
    list: List<Row>,
    pub active: Capped,
    pub revoked: Capped,
    pub asked: Asked,
}

impl TokenList {
    pub fn of(found: Found, asked: Asked, now: Timestamp) -> Self {
        let Found { page, count, weeks, active, revoked } = found;
        let row = |token: Token| {
            let week = weeks.get(&token.id).map(|spans| Week::of(spans, now));
            Row { week, ..Row::of(token, now) }
        };
        let page = Page { rows: page.rows.into_iter().map(row).collect(), next: page.next };
        let list = List::of(&asked.query, (page, count)).sorted(&asked.query, asked.order);
        Self { list, active, revoked, asked }
    }

    /// Whether the team has never had a token.
    pub fn is_beginning(&self) -> bool {
        self.active.0 == 0 && self.revoked.0 == 0
    }

    pub fn shows_active(&self) -> bool {
        self.asked.shown == Shown::Active
    }

    /// The URL of the list alone.
    fn address(&self) -> String {
        self.asked.query.beside(paths::TOKENS.0, &[])
    }

    pub fn of_active(&self) -> String {
        self.asked.shown(Shown::Active)
    }

    pub fn of_revoked(&self) -> String {
        self.asked.shown(Shown::Revoked)
    }

    /// The value of the order in the search form.
    pub fn sort(&self) -> &str {
        &self.asked.query.filters.sort
    }

    pub fn words(&self) -> &str {
        &self.asked.query.filters.q
    }
}

/// Returns the list alone, for polling and live search.
pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    htmx: Htmx,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let asked = Asked::parse(query)?;
    let address = asked.query.address(&asked.query.before);
    if !htmx.0 {
        return Ok(see_other(address));
    }
    let (team, now, query) = (admin.team.id, admin.request.now, asked.clone());
    // The browser keeps the small charts: loading them every few seconds would cost too much.
    let found = app.read_activity(move |tx| token_query::find(tx, team, &query, None)).await?;
    part_at(&address, &TokenList::of(found, asked, now))
}
