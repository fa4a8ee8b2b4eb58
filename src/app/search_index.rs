//! Reindexes stored messages in the background.

use std::time::{Duration, Instant};

use super::App;
use super::jobs::{Outcome, Running};
use crate::domain::mailroom::reindex::{self, Reindex};

/// The pause after each step is at least this long, and a multiple of the time the step took.
const MIN_PAUSE: Duration = Duration::from_millis(20);
const PAUSE_FACTOR: u32 = 2;

pub(super) async fn run(app: App, _: Reindex, running: Running) -> Outcome {
    loop {
        let begun = Instant::now();
        if !app.maintain(reindex::step).await? {
            return Ok(());
        }
        running.rest(MIN_PAUSE.max(begun.elapsed() * PAUSE_FACTOR)).await?;
    }
}
