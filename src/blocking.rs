//! The only place where async code moves work to a blocking thread.

use std::time::Duration;

use tokio::time::timeout;

use crate::domain::error::StoreError;
use crate::domain::{Error, Result};

/// How long the caller waits. Work that has started continues after that.
const TIMEOUT: Duration = Duration::from_secs(10);

pub async fn blocking<T: Send + 'static>(f: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let span = tracing::Span::current();
    let work = tokio::task::spawn_blocking(move || span.in_scope(f));
    let begun = work.abort_handle();
    match timeout(TIMEOUT, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(fault)) => Err(StoreError::Fault(fault.to_string()).into()),
        Err(_) => {
            // Cancels work that has not started.
            begun.abort();
            Err(Error::out_of_reach("the store did not respond in time"))
        }
    }
}
