//! What somebody leaves behind who loses a role, so that whoever takes it can decide.

use time::Duration;

use crate::domain::Timestamp;
use crate::domain::access::tokens::Token;
use crate::web::pages::when::When;

/// Tokens named one by one; of more, the number is told.
const NAMED: usize = 8;

pub struct LeftBehind {
    pub tokens: Vec<TokenRow>,
    pub count: usize,
    /// How many of them were used in the last 24 hours.
    pub in_use: usize,
    /// Links they sent that nobody has used yet.
    pub invitations: usize,
}

pub struct TokenRow {
    pub label: String,
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
            tokens: tokens.into_iter().take(NAMED).map(row).collect(),
        }
    }

    /// Those not named.
    pub fn more(&self) -> usize {
        self.count - self.tokens.len()
    }
}

fn row(token: Token) -> TokenRow {
    TokenRow { label: token.name, start: token.start, used: token.last_used_at.map(When) }
}
