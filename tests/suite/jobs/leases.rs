//! Leases of running jobs: extended, lost, expired. Two attempts at a job never run at once.

use std::time::Duration;

use gatepost::app::jobs::{Registry, Running};
use gatepost::domain::jobs::lease::LEASE;
use gatepost::domain::jobs::{self, QueuedJob, State};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{interval, timeout};

use super::runner::only;
use super::{Note, age_leases, enqueue};
use crate::support::{TestApp, both_engines};

/// Longer than any lease.
const TIMEOUT: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Reports the end of an attempt when dropped.
struct Ended(UnboundedSender<&'static str>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.send("ended");
    }
}

struct Attempts(UnboundedReceiver<&'static str>);

impl Attempts {
    async fn next(&mut self) -> &'static str {
        timeout(TIMEOUT, self.0.recv()).await.expect("an attempt that begins or ends").expect("a runner")
    }
}

/// A handler that rests until the runner stops, and the reports of its attempts.
fn resting() -> (Registry, Attempts) {
    let (sender, reports) = unbounded_channel();
    let registry = Registry::default().with(move |_, _: Note, running: Running| {
        let ended = Ended(sender.clone());
        async move {
            let _ = ended.0.send("began");
            running.rest(Duration::MAX).await
        }
    });
    (registry, Attempts(reports))
}

/// Makes the runner look for claimable jobs, although none is due.
fn wake(app: &TestApp) {
    let far = app.app.now().plus(time::Duration::days(9));
    app.operate(|tx, actor| jobs::enqueue_at(tx, actor, &Note::keyed("far", "far"), far));
    app.database.execute("DELETE FROM jobs WHERE dedupe_key = 'far'").expect("no further job");
}

fn claimed(app: &TestApp) -> QueuedJob {
    let job = only(app);
    assert_eq!(job.state(), State::Running);
    job
}

both_engines! {
    async fn two_attempts_at_a_job_never_run_at_once(app: TestApp) {
        let (registry, mut attempts) = resting();
        enqueue(&app, &Note::new("long"));
        let runner = gatepost::app::jobs::start(app.app.clone(), registry);
        assert_eq!(attempts.next().await, "began");
        let first = claimed(&app);
        // The database's clock jumps: the job is requeued while it runs.
        app.clock.advance(DAY);
        age_leases(&app, 2 * LEASE);
        wake(&app);
        assert_eq!([attempts.next().await, attempts.next().await], ["ended", "began"]);
        let second = claimed(&app);
        assert_eq!((second.attempts, second.worker == first.worker), (2, false));
        // The end of the first attempt has not taken the lease from the second.
        let mut looks = interval(Duration::from_millis(50));
        while claimed(&app).leased_until == second.leased_until {
            looks.tick().await;
        }
        drop(runner);
        assert_eq!(attempts.next().await, "ended");
        let given_back = only(&app);
        assert_eq!((given_back.state(), given_back.attempts), (State::Failed, 1));
    }

    async fn an_attempt_ends_when_another_claims_its_job(app: TestApp) {
        let (registry, mut attempts) = resting();
        enqueue(&app, &Note::new("long"));
        let runner = gatepost::app::jobs::start(app.app.clone(), registry);
        assert_eq!(attempts.next().await, "began");
        app.database.execute("UPDATE jobs SET attempts = attempts + 1").expect("another claim");
        let other = claimed(&app);
        assert_eq!(attempts.next().await, "ended");
        drop(runner);
        let job = claimed(&app);
        assert_eq!((job.attempts, job.leased_until), (2, other.leased_until));
    }

    async fn an_attempt_ends_with_its_lease_during_an_outage(app: TestApp) {
        let (registry, mut attempts) = resting();
        enqueue(&app, &Note::new("long"));
        let runner = gatepost::app::jobs::start(app.app.clone(), registry);
        assert_eq!(attempts.next().await, "began");
        let lease = claimed(&app).leased_until;
        app.database.execute("ALTER TABLE jobs RENAME TO gone").expect("a store that fails");
        assert_eq!(attempts.next().await, "ended");
        drop(runner);
        app.database.execute("ALTER TABLE gone RENAME TO jobs").expect("a store that works");
        assert_eq!(claimed(&app).leased_until, lease, "nothing was written meanwhile");
    }
}
