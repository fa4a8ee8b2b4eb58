use super::limit::meter::Allowance;
use super::record::call::Caller;
use crate::domain::Error;
use crate::domain::access::scopes::Need;
use crate::domain::people::roles::Role;
use crate::domain::people::teams::TeamId;

#[derive(Debug)]
pub struct Refusal {
    pub reason: Reason,
    /// The caller, if it is known for certain. Such refusals are recorded.
    pub whose: Option<(TeamId, Caller)>,
    pub allowance: Option<Allowance>,
}

/// In the order of the checks.
#[derive(Debug)]
pub enum Reason {
    NoCredential,
    SeveralCredentials,
    /// The token is malformed, unknown, or has a wrong secret. Callers can't tell which.
    InvalidToken,
    Revoked,
    Expired,
    RoleNeeded(Role),
    ApiDisabled,
    PlanRequired,
    OutOfScope(Need),
    OverLimit {
        retry_after: u32,
    },
    LimiterUnavailable,
    NotRecorded,
    Failed(Error),
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, whose: None, allowance: None }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Reason::Failed(error).into()
    }
}

impl Refusal {
    pub fn of(self, team: TeamId, caller: Caller) -> Self {
        Self { whose: Some((team, caller)), ..self }
    }

    pub fn with_allowance(self, allowance: Allowance) -> Self {
        Self { allowance: Some(allowance), ..self }
    }
}

impl Reason {
    /// The label in metrics, for calls without a known caller.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NoCredential => "missing",
            Self::SeveralCredentials => "malformed",
            Self::InvalidToken => "invalid",
            _ => "failed",
        }
    }
}
