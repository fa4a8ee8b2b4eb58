//! Who does something, when and from where: what every change is told besides its subject.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use super::entropy::{self, Entropy};
use super::people::members::{self, Role};
use super::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::columns::ActorKind;
use crate::store::ids::{RequestId, TeamId, TokenId, UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Person {
        id: UserId,
        label: String,
    },
    Token {
        id: TokenId,
        label: String,
    },
    /// Somebody at the command line of the machine.
    Operator,
    /// Gatepost itself: mail that arrived, or time that passed.
    System,
    /// Somebody who has not signed in.
    Visitor,
}

impl Actor {
    pub fn kind(&self) -> ActorKind {
        match self {
            Self::Person { .. } => ActorKind::Person,
            Self::Token { .. } => ActorKind::Token,
            Self::Operator => ActorKind::Operator,
            Self::System => ActorKind::System,
            Self::Visitor => ActorKind::Visitor,
        }
    }

    /// How lists and records call them.
    pub fn label(&self) -> Cow<'_, str> {
        match self {
            Self::Person { label, .. } => label.into(),
            Self::Token { label, .. } => format!("token {label}").into(),
            Self::Operator => "command line".into(),
            Self::System => "Gatepost".into(),
            Self::Visitor => "visitor".into(),
        }
    }

    pub fn person(&self) -> Option<UserId> {
        match self {
            Self::Person { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// Taken once a request and passed by reference; `now` does not move while it is handled.
#[derive(Clone)]
pub struct By {
    pub actor: Actor,
    pub now: Timestamp,
    pub entropy: Arc<dyn Entropy>,
    pub request: Option<RequestId>,
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
    /// Ids made so far; see [`Self::chance`].
    made: Arc<AtomicU16>,
}

impl By {
    pub fn new(actor: Actor, now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self { actor, now, entropy, request: None, ip: None, agent: None, made: Arc::default() }
    }

    pub fn operator(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Actor::Operator, now, entropy)
    }

    pub fn gatepost(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Actor::System, now, entropy)
    }

    pub fn visitor(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Actor::Visitor, now, entropy)
    }

    /// The same request, in the name of somebody it has just made or signed in.
    pub fn as_person(&self, id: UserId, label: &str) -> Self {
        Self { actor: Actor::Person { id, label: label.to_owned() }, ..self.clone() }
    }

    /// The same, later.
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, ..self.clone() }
    }

    /// Eight bytes, as ids take: a counter, then chance. Ids of one moment order as they were
    /// made, so that what followed stands above what it followed from.
    pub fn chance(&self) -> [u8; 8] {
        let mut bytes = entropy::bytes::<8>(&*self.entropy);
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        bytes[..2].copy_from_slice(&(made & 0x3fff).to_be_bytes());
        bytes
    }

    /// Lets the actor go on if they have at least `role` in the team as it stands now, and
    /// keeps it so until the transaction ends. The operator may do everything; a token and a
    /// visitor have no role.
    ///
    /// # Errors
    /// `NotFound` to somebody outside the team, `Forbidden` to a lower role.
    pub fn require(&self, tx: &mut Tx<'_>, team: TeamId, role: Role) -> Result<()> {
        match &self.actor {
            Actor::Person { id, .. } => hold_role(tx, team, *id, role),
            Actor::Operator | Actor::System => Ok(()),
            Actor::Token { .. } => {
                Err(Error::forbidden("A token cannot do this. Sign in to the dashboard instead."))
            }
            Actor::Visitor => Err(sign_in_first()),
        }
    }

    /// Like [`Self::require`], for what a token may do too: its scopes were asked before, and
    /// it speaks for its whole team.
    pub fn require_or_token(&self, tx: &mut Tx<'_>, team: TeamId, role: Role) -> Result<()> {
        match &self.actor {
            Actor::Person { id, .. } => hold_role(tx, team, *id, role),
            Actor::Token { .. } | Actor::Operator | Actor::System => Ok(()),
            Actor::Visitor => Err(sign_in_first()),
        }
    }
}

fn sign_in_first() -> Error {
    Error::forbidden("Sign in first.")
}

fn hold_role(tx: &mut Tx<'_>, team: TeamId, person: UserId, role: Role) -> Result<()> {
    let member = members::hold(tx, team, person)?.ok_or(Error::NotFound)?;
    match member.role() >= role {
        true => Ok(()),
        false => Err(Error::forbidden(role.who_may())),
    }
}
