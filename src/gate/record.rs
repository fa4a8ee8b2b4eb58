//! The record of every call, written by one thread in groups.
//!
//! Whoever made a call waits until its record is committed. While one group is being
//! committed the next one gathers, so the cost of a commit is shared by all who wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::access::activity::{ActivityId, ActivityKind, ActorKind, Record, TokenId, Use};
use crate::domain::people::teams::TeamId;
use crate::domain::people::users::UserId;
use crate::domain::{Error, RequestId, Timestamp};

/// A call and what came of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub team: TeamId,
    pub caller: Caller,
    pub request: RequestId,
    pub at: Timestamp,
    pub method: String,
    /// The route's template, never the path: a path can hold what is nobody's business.
    pub route: String,
    pub status: u16,
    pub took: Duration,
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Caller {
    /// `admitted` tells a use of the token from an attempt the gate refused.
    Token {
        id: TokenId,
        admitted: bool,
    },
    Person {
        id: UserId,
        label: String,
    },
}

/// Calls in one group, and calls that wait for the next.
const GROUP: usize = 1000;
const WAITING: usize = 4096;

type Done = oneshot::Sender<bool>;

/// Commits a group: every record and use, or none.
pub type Commit = Box<dyn Fn(&[Record], &[Use]) -> Result<(), Error> + Send>;

/// The writer. Dropping it writes what waits, and ends it.
pub struct Recorder {
    queue: Option<SyncSender<(Call, Done)>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The record could not be committed, so the answer it belongs to must not leave.
#[derive(Debug)]
pub struct NotRecorded;

impl Recorder {
    pub fn start(commit: Commit) -> Self {
        let (queue, calls) = sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || run(&commit, &calls))
            .expect("the system starts a thread");
        Self { queue: Some(queue), thread: Mutex::new(Some(thread)) }
    }

    /// Returns once the call's record is on disk.
    ///
    /// # Errors
    /// [`NotRecorded`] when the store would not take it, or too many wait for it.
    pub async fn record(&self, call: Call) -> Result<(), NotRecorded> {
        let (done, committed) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(NotRecorded)?;
        queue.try_send((call, done)).map_err(|_| NotRecorded)?;
        match committed.await {
            Ok(true) => Ok(()),
            _ => Err(NotRecorded),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn run(commit: &Commit, calls: &Receiver<(Call, Done)>) {
    while let Ok(first) = calls.recv() {
        let (group, waiting): (Vec<Call>, Vec<Done>) =
            std::iter::once(first).chain(calls.try_iter().take(GROUP - 1)).unzip();
        let records: Vec<Record> = group.iter().map(row).collect();
        let committed = commit(&records, &latest_uses(&group));
        if let Err(cause) = &committed {
            tracing::error!(%cause, calls = group.len(), "calls could not be recorded");
        }
        for done in waiting {
            // Nobody waits any more when the caller hung up.
            let _ = done.send(committed.is_ok());
        }
    }
}

/// One use a token: the latest.
fn latest_uses(group: &[Call]) -> Vec<Use> {
    let mut latest: HashMap<TokenId, &Call> = HashMap::new();
    for call in group {
        if let Caller::Token { id, admitted: true } = call.caller {
            let seen = latest.entry(id).or_insert(call);
            if call.at > seen.at {
                *seen = call;
            }
        }
    }
    // In one order always, so that writers of several instances never wait for each other.
    let mut uses: Vec<Use> = latest.into_iter().map(|(token, call)| usage(token, call)).collect();
    uses.sort_by_key(|each| each.token);
    uses
}

fn usage(token: TokenId, call: &Call) -> Use {
    Use { token, at: call.at, ip: call.ip.map(|ip| ip.to_string()), agent: call.agent.clone() }
}

fn row(call: &Call) -> Record {
    let (actor_kind, person_id, token_id, actor_label) = match &call.caller {
        Caller::Token { id, .. } => (ActorKind::Token, None, Some(*id), None),
        Caller::Person { id, label } => (ActorKind::Person, Some(*id), None, Some(label.clone())),
    };
    Record {
        team_id: call.team,
        id: ActivityId::from_bytes(call.request.bytes()),
        at: call.at,
        kind: ActivityKind::ApiRequest,
        actor_kind,
        person_id,
        token_id,
        actor_label,
        subject: None,
        method: Some(call.method.clone()),
        route: Some(call.route.clone()),
        status: i16::try_from(call.status).ok(),
        duration_us: i32::try_from(call.took.as_micros()).ok(),
        ip: call.ip.map(|ip| ip.to_string()),
        agent: None,
        request_id: Some(call.request),
        detail: None,
        count: 1,
    }
}
