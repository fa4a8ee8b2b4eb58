//! Continuous calls over many connections, and their results.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::database::Database;

/// The timeout for events that must happen.
pub const TIMEOUT: Duration = Duration::from_secs(40);

/// A call that got a response.
#[derive(Clone, Debug)]
pub struct Call {
    /// The index of the server.
    pub server: usize,
    pub token: Arc<str>,
    pub began: Instant,
    pub took: Duration,
    pub status: u16,
    /// Whether the response has a Retry-After header.
    pub retry: bool,
    /// The request's id, as in the activity log.
    pub id: String,
}

struct Shared {
    token: Mutex<Arc<str>>,
    calls: Mutex<Vec<Call>>,
    answered: Notify,
    stop: AtomicBool,
}

/// Stops when it is dropped.
pub struct Load {
    shared: Arc<Shared>,
    servers: usize,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    /// Calls each server over this many connections, which pause between their calls.
    pub fn start(servers: &[&str], connections: usize, pause: Duration, token: &str) -> Self {
        let shared = Arc::new(Shared {
            token: Mutex::new(token.into()),
            calls: Mutex::default(),
            answered: Notify::new(),
            stop: AtomicBool::new(false),
        });
        let each = (0..servers.len()).flat_map(|server| (0..connections).map(move |_| server));
        let tasks = each
            .map(|server| {
                let address = format!("{}/api/v1/me", servers[server]);
                tokio::spawn(call_on(shared.clone(), server, address, pause))
            })
            .collect();
        Self { shared, servers: servers.len(), tasks }
    }

    /// Uses another token from now on.
    pub fn present(&self, token: &str) {
        *self.shared.token.lock().expect("the token") = token.into();
    }

    /// Returns the calls answered so far, starting with number `from`.
    pub fn calls(&self, from: usize) -> Vec<Call> {
        self.shared.calls.lock().expect("the calls")[from..].to_vec()
    }

    pub fn count(&self) -> usize {
        self.shared.calls.lock().expect("the calls").len()
    }

    /// Waits until each server has answered this many more calls like this.
    pub async fn until_each(&self, times: usize, like: impl Fn(&Call) -> bool) {
        let mut seen = vec![0; self.servers];
        let (mut from, deadline) = (self.count(), tokio::time::Instant::now() + TIMEOUT);
        while seen.iter().any(|seen| *seen < times) {
            let answered = tokio::time::timeout_at(deadline, self.shared.answered.notified()).await;
            assert!(answered.is_ok(), "{seen:?}; then {:?}", self.calls(from.saturating_sub(9)));
            let more = self.calls(from);
            from += more.len();
            more.iter().filter(|call| like(call)).for_each(|call| seen[call.server] += 1);
        }
    }

    /// Ends the load, and returns its calls.
    pub async fn stop(mut self) -> Vec<Call> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.expect("a caller that finishes");
        }
        self.calls(0)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// Calls until the load stops, or there is no response.
async fn call_on(shared: Arc<Shared>, server: usize, address: String, pause: Duration) {
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client");
    while !shared.stop.load(Ordering::Relaxed) {
        let token = shared.token.lock().expect("the token").clone();
        let began = Instant::now();
        let Ok(response) = client.get(&address).bearer_auth(&token).send().await else { return };
        let (status, took) = (response.status().as_u16(), began.elapsed());
        let header = |name: &str| response.headers().get(name).and_then(|it| it.to_str().ok());
        let id = header("x-request-id").expect("an id").replace("req_", "");
        let call = Call { server, token, began, took, status, retry: header("retry-after").is_some(), id };
        if response.bytes().await.is_err() {
            return;
        }
        shared.calls.lock().expect("the calls").push(call);
        shared.answered.notify_one();
        tokio::time::sleep(pause.saturating_sub(began.elapsed())).await;
    }
}

/// Returns how many of these calls are in the activity log.
pub fn recorded(database: &Database, calls: &[Call]) -> usize {
    let (before, after) = match database {
        Database::Sqlite { .. } => ("X'", "'"),
        Database::Postgres { .. } => ("'\\x", "'::bytea"),
    };
    let counts = calls.chunks(1000).map(|calls| {
        let ids: Vec<String> = calls.iter().map(|call| format!("{before}{}{after}", call.id)).collect();
        let sql = format!("SELECT count(*) AS n FROM activity WHERE id IN ({})", ids.join(","));
        database.number(&sql) as usize
    });
    counts.sum()
}
