use std::sync::OnceLock;

use bytes::Bytes;

use crate::domain::access::scopes::Scopes;
use crate::domain::access::tokens::Token;
use crate::domain::people::teams::Team;
use crate::gate::limit::meter::Meters;
use crate::gate::record::call::Caller;
use crate::gate::refusal::{Reason, Refusal};

pub struct Admission {
    pub token: Token,
    pub scopes: Scopes,
    pub team: Team,
    pub meters: Meters,
    /// The body of `GET /me`, rendered once because it never changes for this entry.
    pub shown: OnceLock<Bytes>,
}

impl Admission {
    pub fn refuse(&self, reason: Reason) -> Refusal {
        Refusal::from(reason).of(self.team.id, Caller::Token(self.token.id))
    }
}
