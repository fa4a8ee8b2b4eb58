//! Identifies the token of a call, and checks whether it is active.

pub(crate) mod admission;
mod lease;
mod token_cache;

use std::sync::{Arc, OnceLock};

use super::limit::Limiter;
use super::record::call::Caller;
use super::refusal::{Reason, Refusal};
use crate::blocking::blocking;
use crate::domain::access::epochs::LeaseId;
use crate::domain::access::secret::HashedToken;
use crate::domain::access::tokens::{self, Rejected, State};
use crate::domain::{Result, Timestamp};
use crate::store::{Store, Tx};
use admission::Admission;
use lease::Lease;
use token_cache::TokenCache;

pub struct Verifier {
    store: Store,
    limiter: Arc<Limiter>,
    cache: Arc<TokenCache>,
    lease: Lease,
}

impl Verifier {
    pub fn start(store: Store, limiter: Arc<Limiter>, lease: LeaseId) -> Self {
        let cache = Arc::new(TokenCache::default());
        let lease = Lease::start(store.clone(), cache.clone(), lease);
        Self { store, limiter, cache, lease }
    }

    /// Malformed and cached tokens need no query.
    pub async fn verify(
        &self,
        presented: &str,
        now: Timestamp,
    ) -> std::result::Result<Arc<Admission>, Refusal> {
        let hashed = HashedToken::parse(presented).ok_or(Reason::InvalidToken)?;
        match self.cache.get(hashed.hash()) {
            Some(known) if known.token.state(now) == State::Active => Ok(known),
            // Boxed, so that calls with a cached token have smaller futures.
            _ => Box::pin(self.load(hashed, now)).await,
        }
    }

    async fn load(
        &self,
        hashed: HashedToken,
        now: Timestamp,
    ) -> std::result::Result<Arc<Admission>, Refusal> {
        let hash = *hashed.hash();
        // Read before the store: the token is not cached if access changes after this.
        let epoch = self.cache.epoch();
        let (store, limiter) = (self.store.clone(), self.limiter.clone());
        let loaded = blocking(move || store.read(|tx| load(tx, &limiter, &hashed, now))).await?;
        let admission = loaded.map_err(|rejected| match rejected {
            Rejected::Unknown => Reason::InvalidToken.into(),
            Rejected::Revoked(token, team) => Refusal::from(Reason::Revoked).of(team, Caller::Token(token)),
            Rejected::Expired(token, team) => Refusal::from(Reason::Expired).of(team, Caller::Token(token)),
        })?;
        self.cache.insert(epoch, hash, admission.clone());
        Ok(admission)
    }

    pub fn confirm(&self, epoch: i64) {
        self.cache.advance(epoch);
        self.lease.wait_for_others(&self.store, epoch);
    }

    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    pub fn close(&self) {
        self.lease.close();
    }
}

fn load(
    tx: &mut Tx<'_>,
    limiter: &Limiter,
    hashed: &HashedToken,
    now: Timestamp,
) -> Result<std::result::Result<Arc<Admission>, Rejected>> {
    let (token, team) = match tokens::verify(tx, hashed, now)? {
        Ok(found) => found,
        Err(rejected) => return Ok(Err(rejected)),
    };
    let meters = limiter.meters(tx, &team, Some(&token), now)?;
    let (scopes, shown) = (token.scopes(), OnceLock::new());
    Ok(Ok(Arc::new(Admission { token, scopes, team, meters, shown })))
}
