//! The query of the token list: its filters and order.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::access::tokens::{self, Filter, Tallies, Token, TokenId, TokenKind};
use crate::domain::access::usage::{self, Period, Span};
use crate::domain::lists::{Capped, Window};
use crate::domain::people::teams::TeamId;
use crate::domain::search::Search;
use crate::domain::{Result, Timestamp, Tx};
use crate::web::pages::error::PageError;
use crate::web::pages::list::chosen;
use crate::web::paths::{self, Path};

const PAGE_SIZE: i64 = 50;
/// Searching and sorting, except by the time of creation, covers this many of the newest tokens.
const MAX_SEARCHED: i64 = 1_000;
/// The maximum number of matches shown.
const MAX_MATCHES: usize = 100;

/// The query of the page.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    state: String,
    q: String,
    sort: String,
    before: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    #[default]
    Active,
    Revoked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The newest first.
    #[default]
    Created,
    Name,
    /// Most recently used first.
    Used,
}

#[derive(Clone, Default)]
pub struct Asked {
    pub shown: Shown,
    pub q: String,
    pub sort: Sort,
    pub before: Option<TokenId>,
}

impl Query {
    /// # Errors
    /// `NotFound` for values that none of our links has.
    pub fn parse(self) -> std::result::Result<Asked, PageError> {
        Ok(Asked {
            shown: chosen(&self.state, Shown::parse)?.unwrap_or_default(),
            q: Search::parse(&self.q)?.as_str().to_owned(),
            sort: chosen(&self.sort, Sort::parse)?.unwrap_or_default(),
            before: chosen(&self.before, TokenId::parse)?,
        })
    }
}

impl Shown {
    fn parse(text: &str) -> Option<Self> {
        (text == "revoked").then_some(Self::Revoked)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "",
            Self::Revoked => "revoked",
        }
    }

    const fn filter(self) -> Filter {
        match self {
            Self::Active => Filter::ACTIVE,
            Self::Revoked => Filter::REVOKED,
        }
    }
}

impl Sort {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "name" => Some(Self::Name),
            "used" => Some(Self::Used),
            _ => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "",
            Self::Name => "name",
            Self::Used => "used",
        }
    }
}

impl Asked {
    pub fn at(&self, path: Path) -> String {
        let before = self.before.map(|id| id.to_string()).unwrap_or_default();
        let (state, sort) = (self.shown.as_str(), self.sort.as_str());
        path.query(&[("state", state), ("q", &self.q), ("sort", sort), ("before", &before)])
    }

    /// The first page of the same search in another state.
    pub fn shown(&self, shown: Shown) -> String {
        Self { shown, before: None, ..self.clone() }.at(paths::DEVELOPER)
    }

    pub fn sorted(&self, sort: Sort) -> String {
        Self { sort, before: None, ..self.clone() }.at(paths::DEVELOPER)
    }

    pub fn below(&self, before: Option<TokenId>) -> String {
        Self { before, ..self.clone() }.at(paths::DEVELOPER)
    }

    fn matches(&self, token: &Token) -> bool {
        let q = self.q.to_lowercase();
        [&token.name, &token.start, &token.created_by_label]
            .iter()
            .any(|text| text.to_lowercase().contains(&q))
    }
}

pub struct Found {
    pub tokens: Vec<Token>,
    /// The number of tokens on all pages.
    pub count: Capped,
    pub next: Option<TokenId>,
    /// The requests of the listed tokens in the last seven days.
    pub weeks: BTreeMap<TokenId, Vec<Span>>,
    pub active: Capped,
    pub revoked: Capped,
}

/// `with_weeks` takes one more statement.
pub fn find(tx: &mut Tx<'_>, team: TeamId, asked: &Asked, with_weeks: Option<Timestamp>) -> Result<Found> {
    let page = tokens::list(tx, team, &asked.shown.filter(), asked.window())?;
    let Tallies { active, revoked } = tokens::tallies(tx, team)?;
    let (mut found, mut next) = (page.rows, page.next);
    // Settings has the team key.
    found.retain(|token| asked.shown == Shown::Revoked || token.kind == TokenKind::Token);
    let mut count = if asked.shown == Shown::Active { active } else { revoked };
    if !asked.is_plain() {
        found.retain(|token| asked.matches(token));
        match asked.sort {
            Sort::Created => {}
            Sort::Name => found.sort_by(|a, b| a.name_key.cmp(&b.name_key)),
            Sort::Used => found.sort_by_key(|token| Reverse(token.last_used_at)),
        }
        count = Capped(found.len().try_into().unwrap_or(i64::MAX));
        found.truncate(MAX_MATCHES);
        next = None;
    }
    let ids: Vec<_> = found.iter().map(|token| token.id).collect();
    let weeks = with_weeks.map(|now| usage::of_tokens(tx, team, &ids, Period::Week, now)).transpose()?;
    Ok(Found { tokens: found, count, next, weeks: weeks.unwrap_or_default(), active, revoked })
}

impl Asked {
    /// Whether it needs only one page, not all tokens: newest first, without a search.
    fn is_plain(&self) -> bool {
        self.q.is_empty() && self.sort == Sort::Created
    }

    fn window(&self) -> Window<TokenId> {
        if self.is_plain() { Window::below(self.before, PAGE_SIZE) } else { Window::first(MAX_SEARCHED) }
    }

    pub fn is_first(&self) -> bool {
        self.before.is_none()
    }

    pub fn is_search(&self) -> bool {
        !self.q.is_empty()
    }
}
