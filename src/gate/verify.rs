//! Whether a call may go on.

use crate::app::App;
use crate::domain::access::secret::HashedToken;
use crate::domain::access::tokens::{self, Rejected, Token, TokenId};
use crate::domain::people::teams::{Team, TeamId};
use crate::domain::{Error, Timestamp};

/// A token that opened the door, and its team as both are now.
#[derive(Clone)]
pub struct Admission {
    pub token: Token,
    pub team: Team,
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
    ApiDisabled(Suspect),
    PlanRequired(Suspect),
    /// The store is out of reach, or broken.
    Failed(Error),
}

impl Refusal {
    pub fn suspect(&self) -> Option<Suspect> {
        match self {
            Self::Revoked(who) | Self::Expired(who) | Self::ApiDisabled(who) | Self::PlanRequired(who) => {
                Some(*who)
            }
            Self::Invalid | Self::Failed(_) => None,
        }
    }
}

/// Why a team's API is closed to everybody, tokens and sessions alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    ApiDisabled,
    PlanRequired,
}

/// Whether the team's API is open.
pub fn admits(team: &Team) -> Result<(), Closed> {
    match team {
        team if !team.api_enabled => Err(Closed::ApiDisabled),
        team if !team.plan.allows_api() => Err(Closed::PlanRequired),
        _ => Ok(()),
    }
}

/// Lets a presented token in, or says why not. A malformed one costs no query.
pub async fn admit(app: &App, presented: &str, now: Timestamp) -> Result<Admission, Refusal> {
    let hashed = HashedToken::parse(presented).ok_or(Refusal::Invalid)?;
    let verdict = app.read(move |tx| tokens::verify(tx, &hashed, now)).await.map_err(Refusal::Failed)?;
    let (token, team) = verdict.map_err(|rejected| match rejected {
        Rejected::Unknown => Refusal::Invalid,
        Rejected::Revoked(token, team) => Refusal::Revoked(Suspect { team, token }),
        Rejected::Expired(token, team) => Refusal::Expired(Suspect { team, token }),
    })?;
    let suspect = Suspect { team: team.id, token: token.id };
    match admits(&team) {
        Ok(()) => Ok(Admission { token, team }),
        Err(Closed::ApiDisabled) => Err(Refusal::ApiDisabled(suspect)),
        Err(Closed::PlanRequired) => Err(Refusal::PlanRequired(suspect)),
    }
}
