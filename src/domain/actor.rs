//! The actor of a change, with its time and origin.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use super::Timestamp;
use super::entropy::{self, Entropy};
use crate::store::columns::ActorKind;
use crate::store::ids::{RequestId, TokenId, UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    Person {
        id: UserId,
        label: String,
    },
    Token {
        id: TokenId,
        label: String,
    },
    /// The operator at the machine's command line.
    Operator,
    /// Gatepost itself: incoming mail or a job.
    System,
    /// Someone who is not signed in. A visitor has no role.
    Visitor,
}

/// Created once per request and passed by reference, so that `now` stays the same throughout.
#[derive(Clone)]
pub struct Actor {
    pub identity: Identity,
    pub now: Timestamp,
    pub entropy: Arc<dyn Entropy>,
    pub request: Option<RequestId>,
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
    /// The number of ids created so far; see [`Self::chance`].
    ids: Arc<AtomicU16>,
}

impl Actor {
    pub fn new(identity: Identity, now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self { identity, now, entropy, request: None, ip: None, agent: None, ids: Arc::default() }
    }

    pub fn operator(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Identity::Operator, now, entropy)
    }

    pub fn system(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Identity::System, now, entropy)
    }

    pub fn visitor(now: Timestamp, entropy: Arc<dyn Entropy>) -> Self {
        Self::new(Identity::Visitor, now, entropy)
    }

    /// The same request by the person whom it has just created or signed in.
    pub fn as_person(&self, id: UserId, label: &str) -> Self {
        self.with(Identity::Person { id, label: label.to_owned() })
    }

    pub(crate) fn with(&self, identity: Identity) -> Self {
        Self { identity, ..self.clone() }
    }

    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, ..self.clone() }
    }

    pub fn kind(&self) -> ActorKind {
        match self.identity {
            Identity::Person { .. } => ActorKind::Person,
            Identity::Token { .. } => ActorKind::Token,
            Identity::Operator => ActorKind::Operator,
            Identity::System => ActorKind::System,
            Identity::Visitor => ActorKind::Visitor,
        }
    }

    /// The name in lists and records.
    pub fn label(&self) -> Cow<'_, str> {
        match &self.identity {
            Identity::Person { label, .. } => label.into(),
            Identity::Token { label, .. } => format!("token {label}").into(),
            Identity::Operator => "command line".into(),
            Identity::System => "Gatepost".into(),
            Identity::Visitor => "visitor".into(),
        }
    }

    pub fn person(&self) -> Option<UserId> {
        match self.identity {
            Identity::Person { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Eight bytes for an id: a counter, then random bytes. Ids of the same microsecond sort in the order
    /// of creation, so that a list shows an effect above its cause.
    pub(crate) fn chance(&self) -> [u8; 8] {
        let mut bytes = entropy::bytes::<8>(&*self.entropy);
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        bytes[..2].copy_from_slice(&(number & 0x3fff).to_be_bytes());
        bytes
    }
}
