use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::app::App;
use crate::domain;
use crate::domain::jobs::{Job, Kind, QueuedJob};

pub type Outcome = Result<(), Unfinished>;

#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// The process is stopping; another one will run the job.
    #[error("the server is stopping")]
    Stopped,
    #[error("{0}")]
    Failed(String),
    /// Retrying would not help.
    #[error("{0}")]
    Permanent(String),
    /// Store errors are for the log only: see [`super::attempt`].
    #[error(transparent)]
    Error(#[from] domain::Error),
}

/// Lets a handler know when the runner stops.
#[derive(Clone)]
pub struct Running {
    stopping: watch::Receiver<bool>,
}

impl Running {
    pub(super) fn new() -> (watch::Sender<bool>, Self) {
        let (stop, stopping) = watch::channel(false);
        (stop, Self { stopping })
    }

    /// For use outside of a runner: never stops.
    pub fn unstoppable() -> Self {
        Self::new().1
    }

    /// For use outside of a runner: stops at the first rest.
    pub fn stopping() -> Self {
        let (stop, running) = Self::new();
        stop.send_replace(true);
        running
    }

    pub(super) async fn stopped(&self) {
        if self.stopping.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending().await
        }
    }

    /// Pauses between two steps of a long job.
    ///
    /// # Errors
    /// `Stopped` as soon as the runner stops.
    pub async fn rest(&self, rest: Duration) -> Outcome {
        tokio::select! {
            biased;
            () = self.stopped() => Err(Unfinished::Stopped),
            () = sleep(rest) => Ok(()),
        }
    }
}

type Attempt = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Handler = Box<dyn Fn(App, &str, Running) -> Attempt + Send + Sync>;

#[derive(Default)]
pub struct Registry {
    entries: Vec<(Kind, Handler)>,
}

impl Registry {
    #[must_use]
    pub fn with<J: Job, F: Future<Output = Outcome> + Send + 'static>(
        mut self,
        run: impl Fn(App, J, Running) -> F + Send + Sync + 'static,
    ) -> Self {
        let handler = move |app, payload: &str, running| -> Attempt {
            match serde_json::from_str(payload) {
                Ok(job) => Box::pin(run(app, job, running)),
                Err(cause) => Box::pin(async move {
                    tracing::warn!(%cause, "could not parse a job's payload");
                    Err(Unfinished::Permanent("The payload doesn't match this kind of job.".into()))
                }),
            }
        };
        self.entries.push((Kind::of::<J>(), Box::new(handler)));
        self
    }

    pub fn kinds(&self) -> Vec<Kind> {
        self.entries.iter().map(|(kind, _)| *kind).collect()
    }

    pub(super) fn attempt(&self, app: &App, job: &QueuedJob, running: Running) -> Option<(Kind, Attempt)> {
        let (kind, handler) = self.entries.iter().find(|(kind, _)| kind.name == job.kind)?;
        Some((*kind, handler(app.clone(), &job.payload, running)))
    }
}
