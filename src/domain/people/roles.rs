//! Roles of people in a team, and the permissions they give.

use std::borrow::Cow;
use std::fmt;

use crate::domain::actor::{Actor, Identity};
use crate::domain::{Error, Result};
use crate::store::Tx;
use crate::store::ids::{TeamId, UserId};
use crate::store::people::members::{self as rows, Member};

pub use crate::store::columns::MemberRole;

/// In ascending order. Exactly one person is the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Member,
    Admin,
    Owner,
}

impl Role {
    pub const fn of(membership: MemberRole, is_owner: bool) -> Self {
        match membership {
            _ if is_owner => Self::Owner,
            MemberRole::Admin => Self::Admin,
            MemberRole::Member => Self::Member,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    pub(crate) fn who_may(self) -> Cow<'static, str> {
        match self {
            Self::Member => "Only people on the team can do this.".into(),
            Self::Admin => "Only the owner and admins can do this. Ask one of them.".into(),
            Self::Owner => "Only the owner can do this. Ask them.".into(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Member {
    pub fn role(&self) -> Role {
        Role::of(self.role, self.user_id == self.owner_id)
    }
}

impl Actor {
    /// Checks that the actor has at least `role` in the team, and locks that role until the transaction
    /// ends. The operator and the system may do everything; a token and a visitor have no role.
    ///
    /// # Errors
    /// `NotFound` for people outside the team, `Forbidden` for a lower role.
    pub fn require(&self, tx: &mut Tx<'_>, team: TeamId, role: Role) -> Result<()> {
        match self.identity {
            Identity::Token { .. } => {
                Err(Error::forbidden("API tokens can't do this. Sign in to the dashboard instead."))
            }
            _ => self.require_or_token(tx, team, role),
        }
    }

    /// Like [`Self::require`], but also permits tokens: their scopes were checked before, and they act for
    /// the whole team.
    pub fn require_or_token(&self, tx: &mut Tx<'_>, team: TeamId, role: Role) -> Result<()> {
        match self.identity {
            Identity::Person { id, .. } => require_role(tx, team, id, role),
            Identity::Token { .. } | Identity::Operator | Identity::System => Ok(()),
            Identity::Visitor => Err(Error::forbidden("Sign in first.")),
        }
    }
}

fn require_role(tx: &mut Tx<'_>, team: TeamId, person: UserId, role: Role) -> Result<()> {
    rows::lock(tx, team)?;
    let member = rows::find(tx, team, person)?.ok_or(Error::NotFound)?;
    match member.role() >= role {
        true => Ok(()),
        false => Err(Error::forbidden(role.who_may())),
    }
}
