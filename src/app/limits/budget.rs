//! A limit on the bytes that one processing step handles at a time. Unlike [`super::held`], it makes callers
//! wait instead of refusing them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub struct ByteBudget {
    /// A permit is a kilobyte.
    free: Arc<Semaphore>,
    total: usize,
    /// The least that a message takes.
    minimum: usize,
}

impl ByteBudget {
    /// For this many bytes in total, and this many messages.
    pub fn new(bytes: usize, messages: usize) -> Self {
        let total = bytes >> 10;
        Self { free: Arc::new(Semaphore::new(total)), total, minimum: (total / messages).max(1) }
    }

    /// A message that is larger than the budget takes all of it.
    pub async fn acquire(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = (bytes >> 10).clamp(self.minimum, self.total);
        self.free.clone().acquire_many_owned(u32::try_from(permits).unwrap_or(u32::MAX)).await.ok()
    }
}
