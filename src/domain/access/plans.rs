//! What a team's plan allows.

use super::activity::{self, Event};
use crate::domain::by::{Actor, By};
use crate::domain::people::teams;
use crate::domain::{Error, Result};
use crate::store::Tx;
use crate::store::columns::ActivityKind;
use crate::store::ids::TeamId;
use crate::store::people::teams as rows;

pub use crate::store::columns::Plan;

impl Plan {
    /// What a team gets unless somebody says otherwise. Whoever runs the machine decides
    /// what is paid for, so it is not the one without an API.
    pub const DEFAULT: Self = Self::Pro;

    pub const fn allows_api(self) -> bool {
        !matches!(self, Self::Free)
    }
}

/// Puts a team on a plan; only the operator may.
pub fn set(tx: &mut Tx<'_>, by: &By, team: TeamId, plan: Plan) -> Result<()> {
    if by.actor != Actor::Operator {
        return Err(Error::forbidden("Only the operator of this instance changes plans."));
    }
    let before = teams::find(tx, team)?.plan;
    if before == plan {
        return Ok(());
    }
    rows::set_plan(tx, team, plan)?;
    let event =
        Event::of(ActivityKind::PlanChanged).detail("from", before.as_str()).detail("to", plan.as_str());
    activity::record(tx, by, team, event)
}
