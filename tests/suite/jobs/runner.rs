//! The runner with handlers that succeed, fail, hang or are stopped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost::app::jobs::{Registry, Running, Unfinished, registry, run_due, start};
use gatepost::domain::Error;
use gatepost::domain::jobs::{Job, Queue, QueuedJob, State, review};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::unbounded_channel;

use super::{Note, enqueue};
use crate::support::{TestApp, both_engines};

/// A job that exceeds its timeout.
#[derive(Serialize, Deserialize)]
struct Endless;

impl Job for Endless {
    const KIND: &'static str = "test.endless";
    const LABEL: &'static str = "Never end";
    const QUEUE: Queue = Note::QUEUE;
    const TIMEOUT: time::Duration = time::Duration::milliseconds(5);
}

pub fn only(app: &TestApp) -> QueuedJob {
    let filter = Default::default();
    let window = gatepost::domain::lists::Window::first(2);
    let mut page = app.operate(|tx, _| review::list(tx, &filter, window));
    assert_eq!(page.rows.len(), 1);
    page.rows.remove(0)
}

/// Registers a handler that calls `take` with the text of each note.
fn notes(take: impl Fn(String) -> Result<(), Unfinished> + Send + Sync + 'static) -> Registry {
    let take = Arc::new(take);
    Registry::default().with(move |_, note: Note, _| {
        let take = take.clone();
        async move { take(note.text) }
    })
}

#[test]
fn frequent_jobs_do_not_wait_behind_long_ones() {
    let (kinds, soon) = (registry().kinds(), time::Duration::minutes(5));
    for kind in kinds.iter().filter(|kind| kind.every.is_some_and(|it| it.every <= soon)) {
        let beside = kinds.iter().filter(|other| other.queue == kind.queue);
        beside.for_each(|other| assert!(other.timeout <= soon, "{} beside {}", kind.name, other.name));
    }
}

both_engines! {
    async fn a_job_enqueued_in_this_process_runs_immediately(app: TestApp) {
        let (sender, mut taken) = unbounded_channel();
        let registry = notes(move |text| { sender.send(text).expect("a waiting test"); Ok(()) });
        let runner = start(app.app.clone(), registry);
        for number in 0..20 {
            enqueue(&app, &Note::new(&number.to_string()));
            assert_eq!(taken.recv().await, Some(number.to_string()));
        }
        drop(runner);
        assert_eq!(app.count("jobs"), 0);
    }

    async fn a_panic_is_a_failure_of_the_job(app: TestApp) {
        enqueue(&app, &Note::new("careless"));
        let ran = run_due(&app.app, notes(|_| panic!("a fault of the handler"))).await;
        assert_eq!(ran.expect("jobs"), 1);
        let job = only(&app);
        assert_eq!((job.state(), job.attempts), (State::Failed, 1));
        assert!(job.error.is_some_and(|error| error.starts_with("An internal error ")), "the owner must see the error");
        app.clock.advance(Duration::from_secs(60));
        assert_eq!(run_due(&app.app, notes(|_| Ok(()))).await.expect("jobs"), 1);
        assert_eq!(app.count("jobs"), 0);
    }

    async fn owners_see_no_internal_error_details(app: TestApp) {
        for (error, shown) in [
            (Error::out_of_reach("no route to 192.0.2.7, user gatepost"), "An internal error "),
            (Error::fault("relation jobs of gatepost@192.0.2.7"), "An internal error "),
            (Error::Busy("Too much is going on."), "Too much is going on."),
        ] {
            enqueue(&app, &Note::keyed("unlucky", "one"));
            let error = Mutex::new(Some(error));
            let ran = run_due(&app.app, notes(move |_| Err(error.lock().expect("it").take().expect("one").into())));
            assert_eq!(ran.await.expect("jobs"), 1);
            let job = only(&app);
            assert!(job.error.as_deref().is_some_and(|error| error.starts_with(shown)), "{job:?}");
            app.clock.advance(Duration::from_secs(60));
        }
    }

    async fn a_job_that_exceeds_its_timeout_fails(app: TestApp) {
        app.operate(|tx, actor| gatepost::domain::jobs::enqueue(tx, actor, &Endless));
        let registry = Registry::default().with(|_, _: Endless, _| std::future::pending());
        assert_eq!(run_due(&app.app, registry).await.expect("jobs"), 1);
        let job = only(&app);
        assert_eq!(job.state(), State::Failed);
        assert!(job.error.is_some_and(|error| error.contains("longer than")));
    }

    async fn a_permanent_failure_is_not_retried(app: TestApp) {
        enqueue(&app, &Note::new("hopeless"));
        let registry = notes(|_| Err(Unfinished::Permanent("the account is closed".into())));
        assert_eq!(run_due(&app.app, registry).await.expect("jobs"), 1);
        assert_eq!((only(&app).state(), only(&app).attempts), (State::Dead, 1));
        app.database.execute("UPDATE jobs SET died_at = NULL, payload = '{}'").expect("another payload");
        app.clock.advance(Duration::from_secs(60));
        assert_eq!(run_due(&app.app, notes(|_| Ok(()))).await.expect("jobs"), 1);
        assert_eq!(only(&app).state(), State::Dead, "no handler can parse this payload");
    }

    async fn a_stopped_runner_releases_its_jobs(app: TestApp) {
        let (sender, mut started) = unbounded_channel();
        let registry = Registry::default().with(move |_, _: Note, running: Running| {
            let sender = sender.clone();
            async move {
                sender.send(()).expect("a waiting test");
                running.rest(Duration::MAX).await
            }
        });
        enqueue(&app, &Note::new("long"));
        let runner = start(app.app.clone(), registry);
        started.recv().await;
        drop(runner);
        let job = only(&app);
        assert_eq!((job.state(), job.attempts, job.worker), (State::Waiting, 0, None));
    }

    async fn the_concurrency_of_a_queue_is_limited(app: TestApp) {
        let (sender, mut started) = unbounded_channel();
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let open = gate.clone();
        let registry = Registry::default().with(move |_, _: Note, _| {
            let (sender, gate) = (sender.clone(), gate.clone());
            async move {
                sender.send(()).expect("a waiting test");
                gate.acquire().await.expect("an open gate").forget();
                Ok(())
            }
        });
        (0..9).for_each(|number| enqueue(&app, &Note::new(&number.to_string())));
        let runner = start(app.app.clone(), registry);
        for _ in 0..4 {
            started.recv().await;
        }
        assert_eq!(app.count("jobs WHERE leased_until IS NOT NULL"), 4);
        assert!(started.try_recv().is_err());
        open.add_permits(9);
        for _ in 0..5 {
            started.recv().await;
        }
        drop(runner);
        assert_eq!(app.count("jobs"), 0);
    }
}
