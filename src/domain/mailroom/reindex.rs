//! Reindexes stored messages and contacts after a change of the rules in [`super::words`].

use serde::{Deserialize, Serialize};
use time::Duration;

use super::contacts::search_text;
use super::words::{RULE, Words};
use crate::domain::Result;
use crate::domain::jobs::{Every, Job, MAINTENANCE, Queue};
use crate::store::Tx;
use crate::store::mailroom::contacts as contact_rows;
use crate::store::mailroom::search::{self as rows, Progress};

/// Small, because arriving mail waits for the transaction.
const MESSAGES: i64 = 20;
const CONTACTS: i64 = 200;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reindex;

impl Job for Reindex {
    const KIND: &'static str = "index_again";
    const LABEL: &'static str = "Update the search index";
    const QUEUE: Queue = MAINTENANCE;
    const TIMEOUT: Duration = Duration::DAY;
    const EVERY: Option<Every> =
        Some(Every { every: Duration::DAY, past: None, jitter: Duration::MINUTE, first: Duration::ZERO });
}

/// Reindexes the next messages or contacts. Returns whether there may be more.
pub(crate) fn step(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(index_messages(tx)? || index_contacts(tx)?)
}

fn index_messages(tx: &mut Tx<'_>) -> Result<bool> {
    let Progress { rule, done } = rows::progress(tx)?;
    if rule >= RULE {
        return Ok(false);
    }
    let texts = rows::texts_after(tx, done, MESSAGES)?;
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

fn index_contacts(tx: &mut Tx<'_>) -> Result<bool> {
    let contact_rows::Progress { rule, done } = contact_rows::progress(tx)?;
    if rule >= RULE {
        return Ok(false);
    }
    let contacts = contact_rows::searched_after(tx, done, CONTACTS)?;
    for contact in &contacts {
        let text = search_text(contact.name.as_deref(), &contact.address);
        contact_rows::set_search_text(tx, contact, &text)?;
    }
    let progress = match contacts.last() {
        Some(last) => contact_rows::Progress { rule, done: Some(last.id) },
        None => contact_rows::Progress { rule: RULE, done: None },
    };
    contact_rows::set_progress(tx, &progress)?;
    Ok(!contacts.is_empty())
}
