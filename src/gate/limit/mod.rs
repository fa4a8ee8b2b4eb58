//! Hourly quotas, exact under parallel calls. A team has its plan's quota, and a token can have a lower one.
//!
//! An hour is a fixed window in UTC. In memory, a window is one number with the hour and the count. At a team's first
//! call after a start, the count is read from the activity table. With [`redis`], the windows here only store the highest
//! known counts.

mod circuit_breaker;
mod hourly_window;
pub(crate) mod meter;
mod redis;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use self::redis::Redis;
use super::refusal::{Reason, Refusal};
use crate::domain::access::activity;
use crate::domain::access::plans::{Limits, Plan};
use crate::domain::access::tokens::Token;
use crate::domain::people::teams::Team;
use crate::domain::{Result, Timestamp};
use crate::store::Tx;
use hourly_window::{HourlyWindow, hour, hour_began};
use meter::{Allowance, Meter, MeterKey, Meters};

pub struct Limiter {
    limits: Limits,
    redis: Option<Redis>,
    windows: RwLock<HashMap<MeterKey, Arc<HourlyWindow>>>,
    /// Locked while a window's initial count is read.
    starting: Mutex<()>,
}

impl Limiter {
    pub fn new(limits: Limits, redis: Option<::redis::Client>) -> Self {
        let redis = redis.map(Redis::new);
        Self { limits, redis, windows: RwLock::default(), starting: Mutex::default() }
    }

    /// Whether calls can be counted now. If not, every call is refused.
    pub async fn is_reachable(&self) -> bool {
        match &self.redis {
            None => true,
            Some(redis) => redis.is_reachable().await,
        }
    }

    pub fn limit(&self, plan: Plan) -> u32 {
        self.limits.of(plan)
    }

    pub fn meters(
        &self,
        tx: &mut Tx<'_>,
        team: &Team,
        token: Option<&Token>,
        now: Timestamp,
    ) -> Result<Meters> {
        let token = match token {
            Some(token) => self.token_meter(tx, token, now)?,
            None => None,
        };
        let used = || activity::used_in_hour(tx, team.id, None, hour_began(now));
        Ok(Meters { team: self.meter(MeterKey::Team(team.id), self.limit(team.plan), now, used)?, token })
    }

    fn token_meter(&self, tx: &mut Tx<'_>, token: &Token, now: Timestamp) -> Result<Option<Meter>> {
        let key = MeterKey::Token(token.id);
        let Some(cap) = token.hourly_cap.and_then(|cap| u32::try_from(cap).ok()) else {
            self.forget(key);
            return Ok(None);
        };
        let used = || activity::used_in_hour(tx, token.team_id, Some(token.id), hour_began(now));
        self.meter(key, cap, now, used).map(Some)
    }

    fn meter(
        &self,
        key: MeterKey,
        limit: u32,
        now: Timestamp,
        used: impl FnOnce() -> Result<u32>,
    ) -> Result<Meter> {
        if let Some(window) = self.window(key) {
            return Ok(Meter { key, limit, window });
        }
        // If many calls need a new window, only one of them reads the count.
        let _starting = self.starting.lock();
        let window = match self.window(key) {
            Some(window) => window,
            None => {
                let window = Arc::new(HourlyWindow::starting(hour(now).0, used()?));
                self.windows.write().insert(key, window.clone());
                window
            }
        };
        Ok(Meter { key, limit, window })
    }

    fn window(&self, key: MeterKey) -> Option<Arc<HourlyWindow>> {
        self.windows.read().get(&key).cloned()
    }

    /// Drops a token's window when it loses its own limit. A new window starts from the activity table.
    fn forget(&self, key: MeterKey) {
        if self.window(key).is_some() {
            self.windows.write().remove(&key);
        }
    }

    pub async fn count(&self, meters: &Meters, now: Timestamp) -> std::result::Result<Allowance, Refusal> {
        let counted = match &self.redis {
            None => meters.count(now),
            // Boxed, so that calls without Redis have smaller futures.
            Some(redis) => Box::pin(count(redis, meters, now, 1)).await.ok_or(Reason::LimiterUnavailable)?,
        };
        counted.map_err(|allowance| {
            Refusal::from(Reason::OverLimit { retry_after: allowance.wait(now) }).with_allowance(allowance)
        })
    }

    /// Returns the remaining quota. While Redis is unreachable, uses the counts known to this process.
    pub async fn allowance(&self, meters: &Meters, now: Timestamp) -> Allowance {
        match &self.redis {
            None => meters.allowance(now),
            Some(redis) => match Box::pin(count(redis, meters, now, 0)).await {
                Some(Ok(allowance) | Err(allowance)) => allowance,
                None => meters.allowance(now),
            },
        }
    }
}

/// Returns `None` while Redis is unreachable.
async fn count(
    redis: &Redis,
    meters: &Meters,
    now: Timestamp,
    cost: u8,
) -> Option<std::result::Result<Allowance, Allowance>> {
    let counts = redis.count(meters, hour(now).0, cost).await?;
    let allowance = meters.allowance_of(&counts, now);
    Some(if counts.allowed { Ok(allowance) } else { Err(allowance) })
}
