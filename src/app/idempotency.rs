//! Creations that are running in this process, by caller and idempotency key.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::App;
use crate::domain::Result;
use crate::domain::access::idempotency::{self, Outcome, Request, Stored};
use crate::store::Tx;

type Ids = HashSet<[u8; 32]>;

/// With SQLite, a repeated request would wait for the first one to finish: here it is refused at
/// once. With Postgres the store does this, for all instances.
#[derive(Clone, Default)]
pub struct InProgress(Arc<Mutex<Ids>>);

impl InProgress {
    fn begin(&self, id: [u8; 32]) -> Option<Begun> {
        self.ids().insert(id).then(|| Begun { id, in_progress: self.clone() })
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.0.lock()
    }
}

struct Begun {
    id: [u8; 32],
    in_progress: InProgress,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.in_progress.ids().remove(&self.id);
    }
}

impl App {
    /// [`App::write`] of a creation that is done only once for each idempotency key.
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
            // The caller can go away; the creation still runs until it is done.
            let _begun = begun;
            idempotency::once(tx, &request, make)
        })
        .await
    }
}
