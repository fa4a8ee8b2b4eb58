//! Extends the lease of a running job.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::domain::Result;

/// Extends a lease each time a third of it has passed. Returns when the lease is lost, or when the
/// database may consider it expired. The local clock is read before each request to the database, so the
/// lease never ends later here than there.
pub(super) async fn keep<F: Future<Output = Result<bool>>>(
    lease: Duration,
    claimed: Instant,
    extend: impl Fn() -> F,
) {
    let mut end = claimed + lease;
    loop {
        sleep_until(end.min(Instant::now() + lease / 3)).await;
        let asked = Instant::now();
        if asked >= end {
            return;
        }
        match timeout_at(end, extend()).await {
            Ok(Ok(true)) => end = asked + lease,
            Ok(Ok(false)) | Err(_) => return,
            Ok(Err(cause)) => tracing::warn!(%cause, "could not extend the lease of a job"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{pending, ready};

    use super::*;
    use crate::domain::Error;

    const LEASE: Duration = Duration::from_millis(30);

    async fn kept<F: Future<Output = Result<bool>>>(extend: impl Fn(u32) -> F) -> (u32, Duration) {
        let (times, start) = (Cell::new(0), Instant::now());
        keep(LEASE, start, || {
            times.set(times.get() + 1);
            extend(times.get())
        })
        .await;
        (times.get(), start.elapsed())
    }

    #[tokio::test]
    async fn a_lease_is_extended_until_it_is_lost() {
        let (times, took) = kept(|times| ready(Ok(times < 10))).await;
        assert_eq!(times, 10);
        assert!(took > 2 * LEASE, "{took:?}");
    }

    #[tokio::test]
    async fn a_lease_ends_when_the_database_is_unreachable() {
        let (times, took) = kept(|_| ready(Err(Error::out_of_reach("the cable")))).await;
        assert!((1..=3).contains(&times) && took >= LEASE, "{times} {took:?}");
        let (times, took) = kept(|_| pending()).await;
        assert!(times == 1 && took >= LEASE, "{times} {took:?}");
    }

    #[tokio::test]
    async fn an_expired_lease_is_not_extended() {
        let long_ago = Instant::now().checked_sub(LEASE).expect("some uptime");
        keep(LEASE, long_ago, || -> std::future::Ready<_> { panic!("the lease has expired") }).await;
    }
}
