//! Limits the bytes in one processing step. Callers wait for room, while [`super::in_use`] refuses them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub struct ByteBudget {
    /// One permit per kilobyte.
    free: Arc<Semaphore>,
    total: usize,
    minimum: usize,
}

impl ByteBudget {
    pub fn new(bytes: usize, messages: usize) -> Self {
        let total = bytes >> 10;
        Self { free: Arc::new(Semaphore::new(total)), total, minimum: (total / messages).max(1) }
    }

    /// Waits for room. A message larger than the budget takes all of it.
    pub async fn acquire(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = (bytes >> 10).clamp(self.minimum, self.total);
        self.free.clone().acquire_many_owned(u32::try_from(permits).unwrap_or(u32::MAX)).await.ok()
    }
}
