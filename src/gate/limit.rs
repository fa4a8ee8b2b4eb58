//! Calls an hour: exact under parallel calls, per team from its plan, and per token where
//! one has a smaller cap of its own.
//!
//! An hour is a fixed window of UTC. In memory a window is one number, the hour and the
//! count together, so that taking a call is one compare-and-swap. What was used before a
//! restart is counted from the record when a team is first met. With [`super::redis`] the
//! windows here only remember the highest count seen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::redis::{Counts, Redis, RedisUrl};
use super::window::{Window, hour};
use crate::domain::Timestamp;
use crate::domain::access::plans::Plan;
use crate::domain::access::tokens::TokenId;
use crate::domain::people::teams::TeamId;

pub use crate::domain::access::plans::Limits;

/// What a caller may know of its limit, as headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub limit: u32,
    pub remaining: u32,
    /// When the window ends.
    pub reset: Timestamp,
}

impl Allowance {
    /// Whole seconds until the window ends, at least one: a call made then passes.
    pub fn wait(&self, now: Timestamp) -> u32 {
        let micros = (self.reset.micros() - now.micros()).max(1);
        u32::try_from((micros + 999_999) / 1_000_000).unwrap_or(u32::MAX)
    }
}

/// Whose calls a window counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    Team(TeamId),
    Token(TokenId),
}

/// A limit and what was used of it.
#[derive(Clone, Debug)]
pub struct Meter {
    pub counted: Counted,
    pub limit: u32,
    window: Arc<Window>,
}

impl Meter {
    /// The highest count this process knows of.
    pub fn known(&self, hour: u32) -> u32 {
        self.window.used(hour)
    }

    fn allowance(&self, used: u32, reset: Timestamp) -> Allowance {
        Allowance { limit: self.limit, remaining: self.limit.saturating_sub(used), reset }
    }
}

/// The limits a caller is under: its team's and, where it has one, its own.
#[derive(Clone, Debug)]
pub struct Meters {
    pub team: Meter,
    pub own: Option<Meter>,
}

impl Meters {
    /// Counts a call against every limit, or against none.
    fn take(&self, now: Timestamp) -> Result<Allowance, Allowance> {
        let (hour, reset) = hour(now);
        if let Some(own) = &self.own
            && own.window.take(hour, own.limit).is_none()
        {
            return Err(own.allowance(own.limit, reset));
        }
        if self.team.window.take(hour, self.team.limit).is_none() {
            if let Some(own) = &self.own {
                own.window.give_back(hour);
            }
            return Err(self.team.allowance(self.team.limit, reset));
        }
        Ok(self.look(now))
    }

    /// The tightest of them, without a call being counted.
    fn look(&self, now: Timestamp) -> Allowance {
        let (hour, reset) = hour(now);
        let of = |meter: &Meter| meter.allowance(meter.known(hour), reset);
        let team = of(&self.team);
        match self.own.as_ref().map(of) {
            Some(own) if own.remaining < team.remaining => own,
            _ => team,
        }
    }

    /// Takes over what was counted elsewhere.
    fn learn(&self, hour: u32, counts: &Counts) {
        self.team.window.raise(hour, counts.team);
        if let (Some(own), Some(used)) = (&self.own, counts.own) {
            own.window.raise(hour, used);
        }
    }

    /// The tightest, out of counts of elsewhere.
    fn tell(&self, counts: &Counts, reset: Timestamp) -> Allowance {
        let team = self.team.allowance(counts.team, reset);
        let own = self.own.as_ref().zip(counts.own).map(|(own, used)| own.allowance(used, reset));
        own.filter(|own| own.remaining < team.remaining).unwrap_or(team)
    }
}

/// The counters could not be reached: nobody passes then.
#[derive(Debug)]
pub struct OutOfReach;

pub struct Limiter {
    limits: Limits,
    /// Counts in the place of memory, if set.
    redis: Option<Redis>,
    windows: RwLock<HashMap<Counted, Arc<Window>>>,
    counting: Mutex<()>,
}

impl Limiter {
    pub fn new(limits: Limits, redis: Option<RedisUrl>) -> Self {
        Self { limits, redis: redis.map(Redis::new), windows: RwLock::default(), counting: Mutex::default() }
    }

    /// Whether calls can be counted now; memory always can.
    pub async fn is_reachable(&self) -> bool {
        match &self.redis {
            None => true,
            Some(redis) => redis.is_reachable().await,
        }
    }

    /// Requests an hour of a plan.
    pub fn limit(&self, plan: Plan) -> u32 {
        self.limits.of(plan)
    }

    /// A meter; `used` tells what was used this hour if it was not met before.
    pub fn meter<E>(
        &self,
        counted: Counted,
        limit: u32,
        now: Timestamp,
        used: impl FnOnce() -> Result<u32, E>,
    ) -> Result<Meter, E> {
        let window = match self.window(counted) {
            Some(window) => window,
            None => {
                // One at a time: of many calls that come first, one counts for all.
                let _turn = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(window) = self.window(counted) {
                    return Ok(Meter { counted, limit, window });
                }
                let fresh = Arc::new(Window::starting(hour(now).0, used()?));
                let mut windows = self.windows.write().unwrap_or_else(PoisonError::into_inner);
                windows.entry(counted).or_insert(fresh).clone()
            }
        };
        Ok(Meter { counted, limit, window })
    }

    fn window(&self, counted: Counted) -> Option<Arc<Window>> {
        self.windows.read().unwrap_or_else(PoisonError::into_inner).get(&counted).cloned()
    }

    /// Forgets a window that is not counted in any more: should it be again, it starts from
    /// the record.
    pub fn forget(&self, counted: Counted) {
        let is_known = self.windows.read().unwrap_or_else(PoisonError::into_inner).contains_key(&counted);
        if is_known {
            self.windows.write().unwrap_or_else(PoisonError::into_inner).remove(&counted);
        }
    }

    /// Counts a call, or says that it was one too many.
    pub async fn take(
        &self,
        meters: &Meters,
        now: Timestamp,
    ) -> Result<Result<Allowance, Allowance>, OutOfReach> {
        match &self.redis {
            None => Ok(meters.take(now)),
            // Boxed, so that what waits for Redis takes no room where nobody does.
            Some(redis) => Box::pin(count(redis, meters, now, 1)).await,
        }
    }

    /// What is left, without a call being counted; as far as is known here, if Redis is away.
    pub async fn look(&self, meters: &Meters, now: Timestamp) -> Allowance {
        match &self.redis {
            None => meters.look(now),
            Some(redis) => match Box::pin(count(redis, meters, now, 0)).await {
                Ok(Ok(allowance) | Err(allowance)) => allowance,
                Err(OutOfReach) => meters.look(now),
            },
        }
    }
}

async fn count(
    redis: &Redis,
    meters: &Meters,
    now: Timestamp,
    cost: u8,
) -> Result<Result<Allowance, Allowance>, OutOfReach> {
    let (hour, reset) = hour(now);
    let counts = redis.count(meters, hour, cost).await?;
    meters.learn(hour, &counts);
    let allowance = meters.tell(&counts, reset);
    Ok(if counts.allowed { Ok(allowance) } else { Err(allowance) })
}
