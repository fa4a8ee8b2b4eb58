//! The lists of active and of revoked tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::scopes;
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::access::tokens::{self, State, Token, TokenId, TokenKind};
use crate::domain::access::usage::Grouped;
use crate::domain::lists::{Capped, Page, Window};
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::format::When;
use crate::web::pages::guards::Admin;
use crate::web::pages::{html, see_other};
use crate::web::paths;

pub const PAGE_SIZE: i64 = 50;

/// Where the two lists start; without a cursor, at the newest token.
#[derive(Default, serde::Deserialize)]
pub struct Cursors {
    before: Option<String>,
    revoked_before: Option<String>,
}

impl Cursors {
    /// # Errors
    /// `NotFound` if a cursor is not a token's id.
    pub fn parse(&self) -> std::result::Result<(Option<TokenId>, Option<TokenId>), PageError> {
        let parse = |text: &Option<String>| {
            text.as_deref().map(|text| TokenId::parse(text).ok_or_else(PageError::not_found)).transpose()
        };
        Ok((parse(&self.before)?, parse(&self.revoked_before)?))
    }
}

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
    /// A summary of its scopes.
    pub permissions: String,
    /// Each scope, or `all`.
    pub scopes: String,
    /// Its own hourly limit; empty without one.
    pub cap: String,
}

pub struct Used {
    pub at: When,
    pub ip: String,
    pub agent: String,
}

pub struct Revoked {
    pub at: When,
    pub by: String,
    pub reason: String,
}

impl Row {
    pub fn of(token: Token, now: Timestamp) -> Self {
        let state = token.state(now);
        let scopes = token.scopes();
        let (ip, agent) = (token.last_used_ip, token.last_used_agent);
        let used = token.last_used_at.map(|at| Used {
            at: When(at),
            ip: ip.unwrap_or_default(),
            agent: agent.unwrap_or_default(),
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
            permissions: scopes::summary(scopes),
            scopes: scopes.to_string(),
            cap: token.hourly_cap.map(|cap| Grouped(cap.into()).to_string()).unwrap_or_default(),
        }
    }

    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Empty if none was given.
    pub fn reason(&self) -> &str {
        self.revoked.as_ref().map_or("", |revoked| &revoked.reason)
    }

    /// Tone and text of the state's badge.
    pub fn badge(&self) -> (&'static str, &'static str) {
        match self.state {
            State::Active => ("success", "Active"),
            State::Expired => ("off", "Expired"),
            State::Revoked => ("danger", "Revoked"),
        }
    }
}

/// The active tokens; the page polls this list.
#[derive(Template)]
#[template(path = "developer/_tokens.html")]
pub struct TokenList {
    rows: Vec<Row>,
    /// The number of tokens on all pages.
    pub count: Capped,
    /// The address to poll.
    address: String,
    older: String,
    is_first: bool,
}

impl TokenList {
    pub fn of(page: Page<Token, TokenId>, count: Capped, before: Option<TokenId>, now: Timestamp) -> Self {
        Self {
            rows: page.rows.into_iter().map(|token| Row::of(token, now)).collect(),
            count,
            address: before.map_or(paths::TOKENS.to_string(), |id| paths::TOKENS.with("before", id)),
            older: page.next.map(|id| paths::DEVELOPER.with("before", id)).unwrap_or_default(),
            is_first: before.is_none(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.is_first
    }
}

#[derive(Template)]
#[template(path = "developer/_revoked.html")]
pub struct RevokedList {
    rows: Vec<Row>,
    older: String,
    is_first: bool,
}

impl RevokedList {
    pub fn of(page: Page<Token, TokenId>, before: Option<TokenId>, now: Timestamp) -> Self {
        Self {
            rows: page.rows.into_iter().map(|token| Row::of(token, now)).collect(),
            older: page.next.map(|id| paths::DEVELOPER.with("revoked_before", id)).unwrap_or_default(),
            is_first: before.is_none(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.is_first
    }

    /// Known only if all of them are on this page.
    fn count(&self) -> Option<usize> {
        (self.is_first && self.older.is_empty()).then_some(self.rows.len())
    }
}

/// The list alone, for polling.
pub async fn show(
    app: web::Data<App>,
    admin: Admin,
    htmx: Htmx,
    cursors: web::Query<Cursors>,
) -> Result<HttpResponse, PageError> {
    if !htmx.0 {
        return Ok(see_other(paths::DEVELOPER));
    }
    let (before, _) = cursors.parse()?;
    let (team, now) = (admin.team.id, admin.request.now);
    let (page, count) =
        app.read_activity(move |tx| tokens::list_active(tx, team, Window::below(before, PAGE_SIZE))).await?;
    html(StatusCode::OK, &TokenList::of(page, count, before, now))
}
