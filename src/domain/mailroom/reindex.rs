//! Indexes stored messages again after a change of the rules of [`super::words`].

use serde::{Deserialize, Serialize};
use time::Duration;

use super::words::{RULE, Words};
use crate::domain::Result;
use crate::domain::jobs::{Every, Job, MAINTENANCE, Queue};
use crate::store::Tx;
use crate::store::mailroom::search::{self as rows, Progress};

/// Messages in one transaction, for which mail that arrives has to wait.
const STEP: i64 = 20;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IndexAgain;

impl Job for IndexAgain {
    const KIND: &'static str = "index_again";
    const LABEL: &'static str = "Update the search index";
    const QUEUE: Queue = MAINTENANCE;
    const TIMEOUT: Duration = Duration::DAY;
    const EVERY: Option<Every> =
        Some(Every { every: Duration::DAY, past: None, jitter: Duration::MINUTE, first: Duration::ZERO });
}

/// Indexes the next messages; whether there may be more.
pub(crate) fn step(tx: &mut Tx<'_>) -> Result<bool> {
    let Progress { rule, done } = rows::progress(tx)?;
    if rule >= RULE {
        return Ok(false);
    }
    let texts = rows::texts_after(tx, done, STEP)?;
    let mut list = Vec::with_capacity(texts.len());
    for each in &texts {
        rows::delete(tx, each.seq)?;
        let parts =
            [Some(&each.subject), each.from_address.as_ref(), each.from_name.as_ref(), Some(&each.text)];
        let words = Words::of(parts.into_iter().flatten().map(String::as_str));
        list.push((each.team_id, each.seq, words.of_team(each.team_id)));
    }
    rows::insert(tx, &list)?;
    let progress = match texts.last() {
        Some(last) => Progress { rule, done: last.seq },
        None => Progress { rule: RULE, done: 0 },
    };
    rows::set_progress(tx, &progress)?;
    Ok(!texts.is_empty())
}
