//! Creations under way in this process, by who asked for them and by which key.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::App;
use crate::domain::Result;
use crate::domain::access::idempotency::{self, Created, Outcome, Request};
use crate::store::Tx;

type Ids = HashSet<[u8; 32]>;

/// With SQLite one writes and the others wait: here whoever sends a request again while it is
/// under way is told so at once. With Postgres the store itself says so, to all instances.
#[derive(Clone, Default)]
pub struct InProgress(Arc<Mutex<Ids>>);

impl InProgress {
    fn begin(&self, id: [u8; 32]) -> Option<Begun> {
        self.ids().insert(id).then(|| Begun { id, in_progress: self.clone() })
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Over when it is dropped.
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
    /// [`App::write`] of a creation that, where it can be told, is not done twice.
    pub async fn once(
        &self,
        request: Option<Request>,
        make: impl FnOnce(&mut Tx<'_>) -> Result<Created> + Send + 'static,
    ) -> Result<Outcome> {
        let Some(request) = request else {
            return self.write(make).await.map(Outcome::First);
        };
        let Some(begun) = self.0.in_progress.begin(request.id()) else {
            return Ok(Outcome::InProgress);
        };
        self.write(move |tx| {
            // Whoever asks goes away at will; what is begun is under way until it is done.
            let _begun = begun;
            idempotency::once(tx, &request, make)
        })
        .await
    }
}
