use std::sync::Arc;

use super::hourly_window::{HourlyWindow, hour};
use crate::domain::Timestamp;
use crate::domain::access::tokens::TokenId;
use crate::domain::people::teams::TeamId;

/// The quota reported in rate limit headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub limit: u32,
    pub remaining: u32,
    pub reset: Timestamp,
}

impl Allowance {
    /// Returns the whole seconds until a call succeeds again, at least one.
    pub fn wait(&self, now: Timestamp) -> u32 {
        let micros = (self.reset.micros() - now.micros()).max(1);
        u32::try_from((micros + 999_999) / 1_000_000).unwrap_or(u32::MAX)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MeterKey {
    Team(TeamId),
    Token(TokenId),
}

/// The calls in a window, counted by Redis.
pub struct Counts {
    pub allowed: bool,
    pub team: u32,
    pub token: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Meter {
    pub key: MeterKey,
    pub limit: u32,
    pub window: Arc<HourlyWindow>,
}

impl Meter {
    pub fn known(&self, hour: u32) -> u32 {
        self.window.used(hour)
    }

    fn allowance(&self, used: u32, reset: Timestamp) -> Allowance {
        Allowance { limit: self.limit, remaining: self.limit.saturating_sub(used), reset }
    }
}

#[derive(Clone, Debug)]
pub struct Meters {
    pub team: Meter,
    pub token: Option<Meter>,
}

impl Meters {
    /// Counts a call against all limits, or none if one of them is reached.
    pub fn count(&self, now: Timestamp) -> Result<Allowance, Allowance> {
        let (hour, reset) = hour(now);
        if let Some(token) = &self.token
            && token.window.count(hour, token.limit).is_none()
        {
            return Err(token.allowance(token.limit, reset));
        }
        if self.team.window.count(hour, self.team.limit).is_none() {
            if let Some(token) = &self.token {
                token.window.uncount(hour);
            }
            return Err(self.team.allowance(self.team.limit, reset));
        }
        Ok(self.allowance(now))
    }

    /// Returns the tightest limit, as far as this process knows.
    pub fn allowance(&self, now: Timestamp) -> Allowance {
        let (hour, reset) = hour(now);
        self.tightest(self.team.known(hour), self.token.as_ref().map(|token| token.known(hour)), reset)
    }

    /// Returns the tightest limit by Redis's counts, and stores the counts.
    pub fn allowance_of(&self, counts: &Counts, now: Timestamp) -> Allowance {
        let (hour, reset) = hour(now);
        self.team.window.raise(hour, counts.team);
        if let (Some(token), Some(used)) = (&self.token, counts.token) {
            token.window.raise(hour, used);
        }
        self.tightest(counts.team, counts.token, reset)
    }

    fn tightest(&self, team: u32, token: Option<u32>, reset: Timestamp) -> Allowance {
        let team = self.team.allowance(team, reset);
        let token = self.token.as_ref().zip(token).map(|(token, used)| token.allowance(used, reset));
        token.filter(|token| token.remaining < team.remaining).unwrap_or(team)
    }
}
