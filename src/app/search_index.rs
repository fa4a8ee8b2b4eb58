//! Updates the search index of stored messages, while mail goes on.

use std::time::{Duration, Instant};

use super::App;
use super::jobs::{Outcome, Running};
use crate::domain::mailroom::reindex::{self, IndexAgain};

/// The rest after each step is at least this long, and a multiple of what the step took.
const REST: Duration = Duration::from_millis(20);
const TIMES: u32 = 2;

pub(super) async fn run(app: App, _: IndexAgain, running: Running) -> Outcome {
    loop {
        let begun = Instant::now();
        if !app.maintain(reindex::step).await? {
            return Ok(());
        }
        running.rest(REST.max(begun.elapsed() * TIMES)).await?;
    }
}
