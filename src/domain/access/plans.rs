use super::activity::{self, ActivityKind, Event};
use crate::domain::actor::{Actor, Identity};
use crate::domain::people::teams;
use crate::domain::{Error, Result};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::people::teams as rows;

pub use crate::store::columns::Plan;

impl Plan {
    /// No one pays on a self-hosted instance, so the default includes the API.
    pub const DEFAULT: Self = Self::Pro;
}

/// API requests per hour, by plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    free: u32,
    pro: u32,
    enterprise: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { free: 0, pro: 1_000, enterprise: 10_000 }
    }
}

impl Limits {
    /// Parses a list like `free=0,pro=1000,enterprise=10000`. A missing plan keeps its default.
    pub fn parse(text: &str) -> Option<Self> {
        let mut limits = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (plan, number) = part.split_once('=')?;
            let number = number.trim().parse().ok()?;
            match Plan::parse(plan.trim())? {
                Plan::Free => limits.free = number,
                Plan::Pro => limits.pro = number,
                Plan::Enterprise => limits.enterprise = number,
            }
        }
        Some(limits)
    }

    pub const fn of(&self, plan: Plan) -> u32 {
        match plan {
            Plan::Free => self.free,
            Plan::Pro => self.pro,
            Plan::Enterprise => self.enterprise,
        }
    }
}

pub fn set(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, plan: Plan) -> Result<()> {
    if actor.identity != Identity::Operator {
        return Err(Error::forbidden("Only the server's operator can change plans."));
    }
    let before = teams::find(tx, team)?.plan;
    if before == plan {
        return Ok(());
    }
    rows::set_plan(tx, team, plan)?;
    let event =
        Event::of(ActivityKind::PlanChanged).detail("from", before.as_str()).detail("to", plan.as_str());
    activity::record(tx, actor, team, event)
}
