//! The tokens and invitations of a person who is about to leave or lose a role.

use time::Duration;

use crate::domain::Timestamp;
use crate::domain::access::tokens::Token;
use crate::web::pages::format::When;

/// The maximum number of tokens listed. Others are only counted.
const MAX_LISTED: usize = 8;

pub struct LeftBehind {
    pub tokens: Vec<TokenRow>,
    pub count: usize,
    /// The number of tokens used in the last 24 hours.
    pub in_use: usize,
    /// The number of open invitations that they sent.
    pub invitations: usize,
}

pub struct TokenRow {
    pub name: String,
    pub start: String,
    pub used: Option<When>,
}

impl LeftBehind {
    pub fn new(tokens: Vec<Token>, invitations: usize, now: Timestamp) -> Self {
        let yesterday = now.minus(Duration::DAY);
        Self {
            count: tokens.len(),
            in_use: tokens.iter().filter(|it| it.last_used_at.is_some_and(|at| at > yesterday)).count(),
            invitations,
            tokens: tokens.into_iter().take(MAX_LISTED).map(row).collect(),
        }
    }

    pub fn unlisted(&self) -> usize {
        self.count - self.tokens.len()
    }
}

fn row(token: Token) -> TokenRow {
    TokenRow { name: token.name, start: token.start, used: token.last_used_at.map(When) }
}
