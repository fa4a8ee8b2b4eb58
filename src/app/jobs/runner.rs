use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::dispatcher::Dispatcher;
use super::registry::{Registry, Running};
use crate::app::App;
use crate::domain::Result;

const THREADS_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs jobs until it is dropped. Jobs still running then finish, or are released for another process.
pub struct Runner {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

pub fn start(app: App, registry: Registry) -> Runner {
    let (stop, running) = Running::new();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a separate runtime");
        let local = runtime.spawn(crate::app::maintenance::run(app.clone(), running.clone()));
        runtime.block_on(async {
            Dispatcher::new(app, Arc::new(registry), running).run().await;
            let _ = local.await;
        });
        runtime.shutdown_timeout(THREADS_TIMEOUT);
    };
    let thread = std::thread::Builder::new().name("jobs".into()).spawn(run);
    Runner { stop, thread: Some(thread.expect("threads can be started")) }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs all due jobs on the current thread and returns the number of attempts. Enqueues no recurring jobs.
///
/// # Errors
/// If the store is unreachable.
pub async fn run_due(app: &App, registry: Registry) -> Result<usize> {
    let mut dispatcher = Dispatcher::new(app.clone(), Arc::new(registry), Running::unstoppable());
    let mut attempts = 0;
    loop {
        attempts += dispatcher.claim().await?;
        if !dispatcher.join_next().await {
            return Ok(attempts);
        }
    }
}
