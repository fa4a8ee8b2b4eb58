//! Enqueueing, claiming and finishing jobs, on both engines.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use gatepost::domain::Error;
use gatepost::domain::jobs::lease::{self, LEASE};
use gatepost::domain::jobs::{self, Filter, QueuedJob, State, review};
use gatepost::domain::lists::Window;

use super::{KINDS, NOTE, Note, TICK, age_leases, claim, claim_notes, enqueue, texts, worker};
use crate::support::{TestApp, both_engines};

const SECOND: Duration = Duration::from_secs(1);

fn finish(app: &TestApp, job: &QueuedJob) {
    app.operate(|tx, actor| lease::finish(tx, actor, &NOTE, job));
}

fn fail(app: &TestApp, job: &QueuedJob, cause: &str) {
    app.operate(|tx, actor| lease::fail(tx, actor, &NOTE, job, cause, false));
}

fn requeue_expired(app: &TestApp) -> usize {
    app.operate(|tx, actor| lease::requeue_expired(tx, actor, KINDS))
}

fn all(app: &TestApp) -> Vec<QueuedJob> {
    app.operate(|tx, _| review::list(tx, &Filter::default(), Window::first(100))).rows
}

fn ensure(app: &TestApp) {
    app.operate(|tx, actor| jobs::ensure_recurring(tx, actor, KINDS));
}

/// Runs `step` on this many threads at once.
fn at_once<T: Send>(threads: u8, step: impl Fn(u8) -> T + Sync) -> Vec<T> {
    let (start, step) = (Barrier::new(threads.into()), &step);
    thread::scope(|scope| {
        let start = &start;
        let running: Vec<_> = (0..threads)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    step(number)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("a thread that succeeds")).collect()
    })
}

both_engines! {
    async fn a_job_is_enqueued_only_if_its_change_commits(app: TestApp) {
        let actor = app.app.operator();
        let failed: Result<(), Error> = app.app.write_now(|tx| {
            jobs::enqueue(tx, &actor, &Note::new("taken back"))?;
            Err(Error::NotFound)
        });
        assert!(failed.is_err() && all(&app).is_empty());
        enqueue(&app, &Note::new("kept"));
        assert_eq!(texts(&all(&app)), ["kept"]);
    }

    async fn jobs_run_in_order_of_their_due_time(app: TestApp) {
        let at = |seconds| app.app.now().plus(time::Duration::seconds(seconds));
        for (text, due) in [("third", 0), ("first", -9), ("second", -5), ("later", 1)] {
            app.operate(|tx, actor| jobs::enqueue_at(tx, actor, &Note::new(text), at(due)));
        }
        let two = claim(&app.app, 1, "test", 2);
        assert_eq!(texts(&two), ["first", "second"]);
        assert_eq!(texts(&claim_notes(&app, 2)), ["third"]);
        app.clock.advance(SECOND);
        assert_eq!(texts(&claim_notes(&app, 2)), ["later"]);
        two.iter().for_each(|job| finish(&app, job));
        assert_eq!(all(&app).len(), 2);
    }

    async fn workers_never_share_a_job(app: TestApp) {
        (0..200).for_each(|number| enqueue(&app, &Note::new(&number.to_string())));
        let claimed = at_once(8, |number| {
            let mut mine = Vec::new();
            loop {
                match claim(&app.app, number, "test", 3) {
                    some if some.is_empty() => return mine,
                    some => mine.extend(some),
                }
            }
        });
        let mut ids: Vec<_> = claimed.iter().flatten().map(|job| job.id).collect();
        assert_eq!(ids.len(), 200);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 200, "two workers claimed the same job");
        assert_eq!(requeue_expired(&app), 0, "no lease has expired");
    }

    async fn an_expired_lease_returns_to_the_queue_once(app: TestApp) {
        enqueue(&app, &Note::new("survivor"));
        let lost = claim_notes(&app, 1);
        assert_eq!((lost[0].attempts, claim_notes(&app, 2).len()), (1, 0));
        age_leases(&app, LEASE + time::Duration::SECOND);
        let requeued: usize = at_once(4, |_| requeue_expired(&app)).into_iter().sum();
        assert_eq!(requeued, 1);
        let waiting = all(&app).remove(0);
        assert_eq!((waiting.state(), waiting.due_at), (State::Failed, lost[0].due_at));
        app.clock.advance(10 * SECOND);
        let again = claim_notes(&app, 2);
        assert_eq!((texts(&again), again[0].attempts), (vec!["survivor".to_owned()], 2));
        // The first worker was only slow; its result no longer counts.
        finish(&app, &lost[0]);
        fail(&app, &lost[0], "too late");
        assert_eq!((all(&app)[0].state(), all(&app)[0].worker), (State::Running, Some(worker(2))));
        finish(&app, &again[0]);
        assert!(all(&app).is_empty());
    }

    async fn a_lease_can_be_extended(app: TestApp) {
        enqueue(&app, &Note::new("long"));
        let job = claim_notes(&app, 1).remove(0);
        age_leases(&app, LEASE - time::Duration::SECOND);
        let extend = |claimed: &QueuedJob| app.operate(|tx, _| lease::extend(tx, claimed));
        let others = QueuedJob { worker: Some(worker(2)), ..job.clone() };
        assert_eq!((extend(&others), extend(&job)), (false, true));
        age_leases(&app, LEASE - time::Duration::SECOND);
        assert_eq!(requeue_expired(&app), 0);
        age_leases(&app, 2 * time::Duration::SECOND);
        assert_eq!((requeue_expired(&app), extend(&job)), (1, false));
        app.clock.advance(10 * SECOND);
        let again = claim_notes(&app, 1).remove(0);
        assert_eq!((extend(&job), extend(&again)), (false, true), "an attempt has its own lease");
    }

    async fn a_failing_job_is_retried_and_then_dead(app: TestApp) {
        enqueue(&app, &Note::new("stubborn"));
        for (attempt, delay) in [(1, 8), (2, 16), (3, 32)] {
            let job = claim_notes(&app, 1).remove(0);
            assert_eq!(job.attempts, attempt);
            fail(&app, &job, "no luck");
            assert!(claim_notes(&app, 1).is_empty(), "the retry is delayed");
            let row = all(&app).remove(0);
            assert_eq!(row.error.as_deref(), Some("no luck"));
            assert_eq!(row.state(), if attempt == 3 { State::Dead } else { State::Failed });
            let rest = row.due_at.since(app.app.now()).whole_seconds();
            assert!(attempt == 3 || (delay..delay + delay / 4).contains(&rest), "{rest}");
            app.clock.advance(40 * SECOND);
        }
        assert!(claim_notes(&app, 1).is_empty());
        let (kept, day) = (|| all(&app).len(), 24 * 3600 * SECOND);
        let purge = || { let now = app.app.now(); app.operate(|tx, _| review::remove_some_dead(tx, now)) };
        assert_eq!((purge(), kept()), (0, 1));
        app.clock.advance(31 * day);
        assert_eq!((purge(), kept()), (1, 0));
    }

    async fn a_job_whose_workers_always_die_becomes_dead(app: TestApp) {
        enqueue(&app, &Note::new("poison"));
        for _ in 0..3 {
            assert_eq!(claim_notes(&app, 1).len(), 1);
            age_leases(&app, 2 * LEASE);
            assert_eq!(requeue_expired(&app), 1);
            app.clock.advance(60 * SECOND);
        }
        let dead = all(&app).remove(0);
        assert_eq!(dead.state(), State::Dead);
        assert!(dead.error.is_some_and(|error| error.contains("stopped before")));
    }

    async fn releasing_a_job_gives_back_its_attempt(app: TestApp) {
        enqueue(&app, &Note::new("stopped"));
        let job = claim_notes(&app, 1).remove(0);
        app.operate(|tx, actor| lease::release(tx, actor, &job));
        let again = claim_notes(&app, 2);
        assert_eq!((again.len(), again[0].attempts), (1, 1));
    }

    async fn at_most_one_job_per_key_waits(app: TestApp) {
        let actor = app.app.operator();
        at_once(8, |number| {
            let note = Note::keyed(&number.to_string(), "same");
            app.app.write_now(|tx| jobs::enqueue(tx, &actor, &note)).expect("a job");
        });
        enqueue(&app, &Note::keyed("other", "another"));
        assert_eq!(all(&app).len(), 2);
        enqueue(&app, &Note::keyed("newest", "same"));
        let claimed = claim_notes(&app, 1);
        let mut claimed_texts = texts(&claimed);
        claimed_texts.sort_unstable();
        assert_eq!(claimed_texts, ["newest", "other"]);
        // Data enqueued while the job runs may be too late for that run.
        enqueue(&app, &Note::keyed("again", "same"));
        assert!(claim_notes(&app, 2).is_empty());
        claimed.iter().for_each(|job| finish(&app, job));
        let again = claim_notes(&app, 2);
        assert_eq!((texts(&again), again[0].attempts), (vec!["again".to_owned()], 1));
        finish(&app, &again[0]);
        assert!(all(&app).is_empty());
    }

    async fn enqueueing_again_does_not_shorten_the_delay_after_a_failure(app: TestApp) {
        let ask = |text| enqueue(&app, &Note::keyed(text, "same"));
        ask("first");
        fail(&app, &claim_notes(&app, 1)[0], "no luck");
        let due = all(&app)[0].due_at;
        ask("second");
        assert_eq!((texts(&all(&app)), all(&app)[0].due_at), (vec!["second".to_owned()], due));
        app.clock.advance(10 * SECOND);
        let job = claim_notes(&app, 1).remove(0);
        ask("third");
        fail(&app, &job, "no luck");
        let row = all(&app).remove(0);
        assert_eq!((row.attempts, texts(std::slice::from_ref(&row))), (2, vec!["third".to_owned()]));
        assert!(row.due_at.since(app.app.now()) >= time::Duration::seconds(16), "{row:?}");
    }

    async fn a_dead_job_is_not_enqueued_again_for_a_day(app: TestApp) {
        let note = Note::keyed("poison", "same");
        let find = || app.operate(|tx, actor| jobs::enqueue_unless_dead(tx, actor, &note));
        find();
        let job = claim_notes(&app, 1).remove(0);
        app.operate(|tx, actor| lease::fail(tx, actor, &NOTE, &job, "no luck", true));
        find();
        assert_eq!(all(&app).len(), 1, "the job has just died");
        app.operate(|tx, actor| jobs::enqueue_unless_dead(tx, actor, &Note::keyed("other", "another")));
        assert_eq!(all(&app).len(), 2);
        app.clock.advance(25 * 3600 * SECOND);
        find();
        assert_eq!(all(&app).len(), 3);
    }

    async fn a_recurring_job_returns_at_its_next_tick(app: TestApp) {
        at_once(4, |_| ensure(&app));
        assert_eq!(all(&app).len(), 1);
        let tick = |app: &TestApp| claim(&app.app, 1, "maintenance", 9);
        assert!(tick(&app).is_empty());
        // Many ticks are missed, but run only once.
        app.clock.advance(10 * 3600 * SECOND);
        ensure(&app);
        let job = tick(&app).remove(0);
        app.operate(|tx, actor| lease::finish(tx, actor, &TICK, &job));
        let wait = all(&app)[0].due_at.since(app.app.now()).whole_seconds();
        assert!((3600..3660).contains(&wait), "{wait}");
        app.clock.advance(3660 * SECOND);
        for _ in 0..2 {
            let job = tick(&app).remove(0);
            app.operate(|tx, actor| lease::fail(tx, actor, &TICK, &job, "no luck", false));
            app.clock.advance(60 * SECOND);
        }
        let failed = all(&app).remove(0);
        assert_eq!((failed.state(), failed.attempts), (State::Failed, 0), "recurring jobs never die");
        // A clock that ran ahead deferred the job.
        app.clock.set_back(100 * 3600 * SECOND);
        ensure(&app);
        app.clock.advance(SECOND);
        assert_eq!(tick(&app).len(), 1);
    }

    async fn a_payload_has_a_maximum_size(app: TestApp) {
        let actor = app.app.operator();
        let long = Note::new(&"x".repeat(64 << 10));
        let refused = app.app.write_now(|tx| jobs::enqueue(tx, &actor, &long));
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }

    async fn unknown_kinds_wait_for_an_instance_that_knows_them(app: TestApp) {
        enqueue(&app, &Note::new("of tomorrow"));
        let actor = app.app.operator();
        let finds = |kinds| app.operate(|tx, actor| lease::has_claimable(tx, &["test"], kinds, actor.now));
        assert_eq!((finds(&[TICK]), finds(KINDS)), (false, true));
        let claimed = app.app.write_now(|tx| lease::claim(tx, &actor, worker(1), "test", &[TICK], 9));
        assert!(claimed.expect("a claim").is_empty());
        assert_eq!(claim_notes(&app, 2).len(), 1);
    }
}
