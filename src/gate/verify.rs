//! Whether a call may go on.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::Gate;
use super::limit::{Allowance, Counted, Meter, Meters, OutOfReach};
use super::window::hour_began;
use crate::app::App;
use crate::domain::access::activity;
use crate::domain::access::plans::Plan;
use crate::domain::access::scopes::{Need, Scopes};
use crate::domain::access::secret::HashedToken;
use crate::domain::access::tokens::{self, Rejected, State, Token, TokenId};
use crate::domain::people::teams::{Team, TeamId};
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;

/// A token that was verified, its team, and what counts their calls.
pub struct Admission {
    pub token: Token,
    pub scopes: Scopes,
    pub team: Team,
    pub meters: Meters,
    /// What a program that asks who it is is shown: made once, as nothing of the above changes.
    pub shown: OnceLock<Bytes>,
}

/// Whose refused call it was, where that is known for sure: the whole secret matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    pub team: TeamId,
    pub token: TokenId,
}

/// Why not, in the order the checks are made.
#[derive(Debug)]
pub enum Refusal {
    /// Malformed, mistyped, unknown, or another secret: which, nobody learns.
    Invalid,
    Revoked(Suspect),
    Expired(Suspect),
    Closed(Closed, Suspect, Option<Allowance>),
    /// The token has not what the route needs.
    OutOfScope(Need, Allowance),
    OverLimit(Allowance, Timestamp),
    /// The limiter's counters are out of reach.
    LimiterFailed,
    /// The store is out of reach, or broken.
    Failed(Error),
}

impl Refusal {
    /// What is left of the limit, where whose limit it is is known.
    pub fn allowance(&self) -> Option<Allowance> {
        match self {
            Self::Closed(_, _, allowance) => *allowance,
            Self::OutOfScope(_, allowance) | Self::OverLimit(allowance, _) => Some(*allowance),
            _ => None,
        }
    }

    pub fn suspect(&self) -> Option<Suspect> {
        match self {
            Self::Revoked(who) | Self::Expired(who) | Self::Closed(_, who, _) => Some(*who),
            Self::Invalid
            | Self::OutOfScope(..)
            | Self::OverLimit(..)
            | Self::LimiterFailed
            | Self::Failed(_) => None,
        }
    }
}

/// Why a team's API is closed to everybody, tokens and sessions alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    ApiDisabled,
    PlanRequired,
}

/// Lets a presented token in, or says why not. A malformed one costs no query, and one that
/// was verified lately none either.
pub async fn admit(
    app: &App,
    presented: &str,
    now: Timestamp,
) -> std::result::Result<Arc<Admission>, Refusal> {
    let hashed = HashedToken::parse(presented).ok_or(Refusal::Invalid)?;
    let admission = match app.gate().recall(&hashed, now) {
        Some(admission) => admission,
        // Boxed, so that it takes no room in calls that need no store.
        None => Box::pin(load(app, hashed, now)).await?,
    };
    match app.gate().closed(&admission.team) {
        None => Ok(admission),
        Some(closed) => {
            let allowance = app.gate().limiter.look(&admission.meters, now).await;
            Err(Refusal::Closed(closed, admission.suspect(), Some(allowance)))
        }
    }
}

/// Asks the store, and remembers what it says.
async fn load(
    app: &App,
    hashed: HashedToken,
    now: Timestamp,
) -> std::result::Result<Arc<Admission>, Refusal> {
    let (gate, hash) = (app.gate().clone(), *hashed.hash());
    // Before the store is read: what changes from here on is not believed.
    let epoch = gate.memory.epoch();
    let loaded = app.read({
        let gate = gate.clone();
        move |tx| gate.load(tx, &hashed, now)
    });
    match loaded.await.map_err(Refusal::Failed)? {
        Ok(admission) => {
            gate.memory.keep(epoch, hash, admission.clone());
            Ok(admission)
        }
        Err(Rejected::Unknown) => Err(Refusal::Invalid),
        Err(Rejected::Revoked(token, team)) => Err(Refusal::Revoked(Suspect { team, token })),
        Err(Rejected::Expired(token, team)) => Err(Refusal::Expired(Suspect { team, token })),
    }
}

/// Counts a token's call to what needs `need`, if the token has that.
pub async fn pass(
    app: &App,
    admission: &Admission,
    need: Need,
    now: Timestamp,
) -> std::result::Result<Allowance, Refusal> {
    if need.is_met_by(admission.scopes) {
        return take(app, &admission.meters, now).await;
    }
    Err(Refusal::OutOfScope(need, app.gate().limiter.look(&admission.meters, now).await))
}

/// Counts a call of somebody who is let in.
pub async fn take(app: &App, meters: &Meters, now: Timestamp) -> std::result::Result<Allowance, Refusal> {
    match app.gate().limiter.take(meters, now).await {
        Ok(Ok(allowance)) => Ok(allowance),
        Ok(Err(allowance)) => Err(Refusal::OverLimit(allowance, now)),
        Err(OutOfReach) => Err(Refusal::LimiterFailed),
    }
}

/// The limits a person of the team is under who calls with a session.
pub async fn meters(app: &App, team: &Team, now: Timestamp) -> Result<Meters> {
    let (gate, team) = (app.gate().clone(), team.clone());
    app.read(move |tx| gate.team_meter(tx, &team, now)).await.map(|team| Meters { team, own: None })
}

impl Admission {
    pub fn suspect(&self) -> Suspect {
        Suspect { team: self.team.id, token: self.token.id }
    }
}

impl Gate {
    /// Requests an hour of a plan; 0 is no API.
    pub fn limit(&self, plan: Plan) -> u32 {
        self.limiter.limit(plan)
    }

    /// Why the team's API is closed, if it is.
    pub fn closed(&self, team: &Team) -> Option<Closed> {
        match team {
            team if !team.api_enabled => Some(Closed::ApiDisabled),
            team if self.limiter.limit(team.plan) == 0 => Some(Closed::PlanRequired),
            _ => None,
        }
    }

    /// A token verified before, if that may still be believed. Expiry is looked at each time.
    fn recall(&self, hashed: &HashedToken, now: Timestamp) -> Option<Arc<Admission>> {
        self.memory.get(hashed.hash()).filter(|known| known.token.state(now) == State::Active)
    }

    fn load(
        &self,
        tx: &mut Tx<'_>,
        hashed: &HashedToken,
        now: Timestamp,
    ) -> Result<std::result::Result<Arc<Admission>, Rejected>> {
        let (token, team) = match tokens::verify(tx, hashed, now)? {
            Ok(found) => found,
            Err(rejected) => return Ok(Err(rejected)),
        };
        let own = match token.hourly_cap.and_then(|cap| u32::try_from(cap).ok()) {
            Some(cap) => Some(self.token_meter(tx, &token, cap, now)?),
            None => {
                self.limiter.forget(Counted::Token(token.id));
                None
            }
        };
        let meters = Meters { team: self.team_meter(tx, &team, now)?, own };
        let (scopes, shown) = (token.scopes(), OnceLock::new());
        Ok(Ok(Arc::new(Admission { token, scopes, team, meters, shown })))
    }

    fn team_meter(&self, tx: &mut Tx<'_>, team: &Team, now: Timestamp) -> Result<Meter> {
        let limit = self.limiter.limit(team.plan);
        let used = || activity::used_in_hour(tx, team.id, None, hour_began(now));
        self.limiter.meter(Counted::Team(team.id), limit, now, used)
    }

    fn token_meter(&self, tx: &mut Tx<'_>, token: &Token, cap: u32, now: Timestamp) -> Result<Meter> {
        let used = || activity::used_in_hour(tx, token.team_id, Some(token.id), hour_began(now));
        self.limiter.meter(Counted::Token(token.id), cap, now, used)
    }
}
