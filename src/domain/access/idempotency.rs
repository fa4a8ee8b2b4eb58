//! `Idempotency-Key`: a retry with the same key gets the first response, and nothing is created twice.
//!
//! The response is stored in the transaction of the creation, so that a crash can't separate them. A
//! second request with the key is refused while that transaction is in progress.

use sha2::{Digest, Sha256};
use time::Duration;

use crate::domain::{FieldError, Result, Timestamp};
use crate::store::Tx;
use crate::store::access::idempotency as rows;
use crate::store::ids::TeamId;

const RETENTION: Duration = Duration::DAY;
const BATCH: i64 = 500;

/// 1 to 255 visible ASCII characters. Only a hash is stored, because keys may contain anything.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// # Errors
    /// A sentence about the header `Idempotency-Key`.
    pub fn parse(text: &[u8]) -> std::result::Result<Self, FieldError> {
        let fits = (1..=255).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
        let message = "Enter 1 to 255 visible ASCII characters, like a UUID.";
        fits.then(|| Self(Sha256::digest(text).into()))
            .ok_or_else(|| FieldError::new("Idempotency-Key", message))
    }
}

#[derive(Clone)]
pub struct Request {
    pub team: TeamId,
    /// The hash of team, caller and key.
    id: [u8; 32],
    /// The hash of everything else that identifies the request.
    content: [u8; 32],
    at: Timestamp,
}

impl Request {
    /// `caller` is the id of a token or a person; `content` is everything that identifies the request.
    pub fn new(team: TeamId, caller: [u8; 16], key: &Key, content: &[&[u8]], at: Timestamp) -> Self {
        Self { team, id: digest(&[&team.bytes(), &caller, &key.0]), content: digest(content), at }
    }

    pub const fn id(&self) -> [u8; 32] {
        self.id
    }
}

/// Each part is preceded by its length, so that different lists of parts have different digests.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A response. Its location and body are stored, or `replayed_body` in place of the body.
pub struct Stored {
    pub location: String,
    /// Not stored, because it may be outdated by the time of a retry.
    pub tag: String,
    pub body: String,
    /// Set if the body contains a secret, because stored responses are plain text.
    pub replayed_body: Option<String>,
}

pub enum Outcome {
    First(Stored),
    Replayed { location: String, body: String },
    KeyReused,
    InProgress,
}

/// Creates the resource and stores the response, or returns the stored response to a retry.
pub fn once(
    tx: &mut Tx<'_>,
    request: &Request,
    create: impl FnOnce(&mut Tx<'_>) -> Result<Stored>,
) -> Result<Outcome> {
    if !rows::take(tx, &request.id)? {
        return Ok(Outcome::InProgress);
    }
    match rows::find(tx, request.team, &request.id)? {
        Some(stored) if stored.at > request.at.minus(RETENTION) => return Ok(replay(stored, request)),
        Some(_) => rows::remove(tx, &[request.id.to_vec()])?,
        None => {}
    }
    let created = create(tx)?;
    let stored = rows::Response {
        id: request.id.to_vec(),
        team_id: request.team,
        content: request.content.to_vec(),
        at: request.at,
        location: created.location.clone(),
        body: created.replayed_body.as_ref().unwrap_or(&created.body).clone(),
    };
    rows::insert(tx, &stored)?;
    Ok(Outcome::First(created))
}

fn replay(stored: rows::Response, request: &Request) -> Outcome {
    match stored.content == request.content {
        true => Outcome::Replayed { location: stored.location, body: stored.body },
        false => Outcome::KeyReused,
    }
}

/// Removes a batch of expired responses and returns their number.
pub(crate) fn remove_some(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    let old = rows::oldest(tx, now.minus(RETENTION), BATCH)?;
    rows::remove(tx, &old)?;
    Ok(old.len())
}
