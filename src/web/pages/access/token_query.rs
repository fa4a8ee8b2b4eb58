//! The query of the token list: its filters and order.

use std::collections::BTreeMap;

use crate::domain::access::tokens::{self, Column, Filter, Tallies, Token, TokenId, TokenKind};
use crate::domain::access::usage::{self, Period, Span};
use crate::domain::lists::{Capped, Order, Page, Place, Window};
use crate::domain::people::teams::TeamId;
use crate::domain::search::Search;
use crate::domain::{Result, Timestamp, Tx};
use crate::web::pages::error::PageError;
use crate::web::pages::list::{ListQuery, ROWS, chosen, filters};
use crate::web::paths;

/// A search covers at most this many tokens, the first in the list's order.
const MAX_SEARCHED: i64 = 1_000;
/// The maximum number of search results shown.
const MAX_MATCHES: usize = 100;

filters!(Filters at paths::DEVELOPER => state, q, sort);

pub type Query = ListQuery<Filters>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Active,
    Revoked,
}

#[derive(Clone)]
pub struct Asked {
    pub shown: Shown,
    pub order: Order<Column>,
    window: Window<Place<TokenId>>,
    pub query: Query,
}

impl Asked {
    /// # Errors
    /// `NotFound` for a value that no link contains.
    pub fn parse(query: Query) -> std::result::Result<Self, PageError> {
        let shown = chosen(&query.filters.state, Shown::parse)?.unwrap_or(Shown::Active);
        Search::parse(&query.filters.q)?;
        let (order, window) = query.sorted_window(TokenId::parse)?;
        Ok(Self { shown, order, window, query })
    }

    /// The list without a search, in the default order.
    pub fn first() -> Self {
        let (order, window) = (Order::of(Column::Created), Window::first(ROWS));
        Self { shown: Shown::Active, order, window, query: Query::default() }
    }

    /// The first page of the same search in another state.
    pub fn shown(&self, shown: Shown) -> String {
        let Filters { q, sort, .. } = &self.query.filters;
        paths::DEVELOPER.query(&[("state", shown.as_str()), ("q", q), ("sort", sort)])
    }

    pub fn is_search(&self) -> bool {
        !self.words().is_empty()
    }

    fn words(&self) -> &str {
        self.query.filters.q.trim()
    }

    fn matches(&self, token: &Token) -> bool {
        let q = self.words().to_lowercase();
        [&token.name, &token.start, &token.created_by_label]
            .iter()
            .any(|text| text.to_lowercase().contains(&q))
    }

    fn window(&self) -> Window<Place<TokenId>> {
        if self.is_search() { Window::first(MAX_SEARCHED) } else { self.window.clone() }
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

pub struct Found {
    pub page: Page<Token, Place<TokenId>>,
    /// Of all pages.
    pub count: Capped,
    /// The requests of these tokens in the last seven days.
    pub weeks: BTreeMap<TokenId, Vec<Span>>,
    pub active: Capped,
    pub revoked: Capped,
}

/// `with_weeks` requires another statement.
pub fn find(tx: &mut Tx<'_>, team: TeamId, asked: &Asked, with_weeks: Option<Timestamp>) -> Result<Found> {
    let mut page = tokens::sorted(tx, team, &asked.shown.filter(), asked.order, asked.window())?;
    let Tallies { active, revoked } = tokens::tallies(tx, team)?;
    // Settings has the team key.
    page.rows.retain(|token| asked.shown == Shown::Revoked || token.kind == TokenKind::Token);
    let mut count = if asked.shown == Shown::Active { active } else { revoked };
    if asked.is_search() {
        page.rows.retain(|token| asked.matches(token));
        count = Capped(page.rows.len().try_into().unwrap_or(i64::MAX));
        page.rows.truncate(MAX_MATCHES);
        page.next = None;
    }
    let ids: Vec<_> = page.rows.iter().map(|token| token.id).collect();
    let weeks = with_weeks.map(|now| usage::of_tokens(tx, team, &ids, Period::Week, now)).transpose()?;
    Ok(Found { page, count, weeks: weeks.unwrap_or_default(), active, revoked })
}
