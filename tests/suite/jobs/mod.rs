//! The job queue: nothing is lost, and no job runs twice at once.

mod commands;
mod killed;
mod leases;
mod queue;
mod review;
mod runner;

use gatepost::app::App;
use gatepost::domain::jobs::{Every, Job, Kind, MAINTENANCE, Queue, QueuedJob, Retry, WorkerId, lease};
use gatepost::domain::people::teams::TeamId;
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::support::TestApp;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub struct Note {
    pub text: String,
    pub key: Option<String>,
    pub team: Option<TeamId>,
}

impl Note {
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), key: None, team: None }
    }

    pub fn keyed(text: &str, key: &str) -> Self {
        Self { key: Some(key.into()), ..Self::new(text) }
    }
}

impl Job for Note {
    const KIND: &'static str = "test.note";
    const LABEL: &'static str = "Take a note";
    const QUEUE: Queue = Queue { name: "test", concurrency: 4 };
    const RETRY: Retry = Retry { attempts: 3, first: Duration::seconds(8), max_delay: Duration::MINUTE };

    fn dedupe_key(&self) -> Option<String> {
        self.key.clone()
    }

    fn team(&self) -> Option<TeamId> {
        self.team
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Tick;

impl Job for Tick {
    const KIND: &'static str = "test.tick";
    const LABEL: &'static str = "Tick";
    const QUEUE: Queue = MAINTENANCE;
    const RETRY: Retry = Retry { attempts: 2, ..Note::RETRY };
    const EVERY: Option<Every> =
        Some(Every { every: Duration::HOUR, past: None, jitter: Duration::MINUTE, first: Duration::SECOND });
}

pub const NOTE: Kind = Kind::of::<Note>();
pub const TICK: Kind = Kind::of::<Tick>();
pub const KINDS: &[Kind] = &[NOTE, TICK];

pub fn worker(number: u8) -> WorkerId {
    WorkerId::from_bytes([number; 16])
}

pub fn enqueue(app: &TestApp, note: &Note) {
    app.operate(|tx, actor| gatepost::domain::jobs::enqueue(tx, actor, note));
}

/// Claims jobs as one instance does.
pub fn claim(app: &App, number: u8, queue: &str, most: usize) -> Vec<QueuedJob> {
    let actor = app.operator();
    app.write_now(|tx| lease::claim(tx, &actor, worker(number), queue, KINDS, most)).expect("a claim")
}

pub fn claim_notes(app: &TestApp, number: u8) -> Vec<QueuedJob> {
    claim(&app.app, number, Note::QUEUE.name, 100)
}

pub fn texts(jobs: &[QueuedJob]) -> Vec<String> {
    let read = |job: &QueuedJob| serde_json::from_str::<Note>(&job.payload).expect("a note").text;
    jobs.iter().map(read).collect()
}

/// Ages every lease by this duration.
pub fn age_leases(app: &TestApp, age: Duration) {
    let sql = format!("UPDATE jobs SET leased_until = leased_until - {}", age.whole_microseconds());
    app.database.execute(&sql).expect("older leases");
}
