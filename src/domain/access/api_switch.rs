//! The switch for a team's API access, which only the owner can change.

use time::Duration;

use super::activity::{self, ActivityKind, Event};
use super::tokens;
use crate::domain::actor::Actor;
use crate::domain::lists::Capped;
use crate::domain::people::roles::Role;
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::people::teams as rows;

/// A refusal is not an `Error`, because it is recorded, and errors roll their transaction back.
#[derive(Debug, PartialEq, Eq)]
pub enum SwitchOutcome {
    Done,
    Unchanged,
    Refused,
}

/// Turns API access on or off. Tokens stay unchanged and work again once it is back on.
pub fn turn(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, on: bool) -> Result<SwitchOutcome> {
    let wanted = if on { "on" } else { "off" };
    match actor.require(tx, team, Role::Owner) {
        Ok(()) => {}
        Err(Error::Forbidden(_)) => {
            let event = Event::of(ActivityKind::ApiSwitchRefused).detail("asked", wanted);
            activity::record(tx, actor, team, event)?;
            return Ok(SwitchOutcome::Refused);
        }
        Err(other) => return Err(other),
    }
    if !rows::set_api_enabled(tx, team, on)? {
        return Ok(SwitchOutcome::Unchanged);
    }
    let kind = if on { ActivityKind::ApiEnabled } else { ActivityKind::ApiDisabled };
    activity::record(tx, actor, team, Event::of(kind))?;
    Ok(SwitchOutcome::Done)
}

/// Shown to the owner before access is turned off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affected {
    pub tokens: Capped,
    pub calls_in_24h: Capped,
}

pub(crate) fn affected(tx: &mut Tx<'_>, team: TeamId, now: Timestamp) -> Result<Affected> {
    Ok(Affected {
        tokens: tokens::count(tx, team, &tokens::Filter::ACTIVE)?,
        calls_in_24h: activity::calls_since(tx, team, None, now.minus(Duration::DAY))?,
    })
}
