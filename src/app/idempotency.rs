//! Creations in progress in this process, by caller and idempotency key.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::App;
use crate::domain::Result;
use crate::domain::access::idempotency::{self, Outcome, Request, Stored};
use crate::store::Tx;

type Ids = HashSet<[u8; 32]>;

/// SQLite would make a repeated request wait for the first one, so it is refused here at once. Postgres
/// refuses it in the store, for all instances.
#[derive(Clone, Default)]
pub struct InProgress(Arc<Mutex<Ids>>);

impl InProgress {
    fn begin(&self, id: [u8; 32]) -> Option<Started> {
        self.ids().insert(id).then(|| Started { id, in_progress: self.clone() })
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.0.lock()
    }
}

struct Started {
    id: [u8; 32],
    in_progress: InProgress,
}

impl Drop for Started {
    fn drop(&mut self) {
        self.in_progress.ids().remove(&self.id);
    }
}

impl App {
    /// Runs a creation in a write transaction, once per idempotency key.
    pub async fn once(
        &self,
        request: Option<Request>,
        make: impl FnOnce(&mut Tx<'_>) -> Result<Stored> + Send + 'static,
    ) -> Result<Outcome> {
        let Some(request) = request else {
            return self.write(make).await.map(Outcome::First);
        };
        let Some(begun) = self.0.in_progress.begin(request.id()) else {
            return Ok(Outcome::InProgress);
        };
        self.write(move |tx| {
            // Owned by the thread, because the creation continues even if the caller disconnects.
            let _begun = begun;
            idempotency::once(tx, &request, make)
        })
        .await
    }
}
