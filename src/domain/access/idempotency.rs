//! `Idempotency-Key`: a request that is sent again with the same key gets the first response, and
//! nothing is created twice.
//!
//! The response is stored in the transaction of the creation, so that no crash leaves one without
//! the other. A second request with the key is refused while that transaction is in progress.

use sha2::{Digest, Sha256};
use time::Duration;

use crate::domain::{FieldError, Result, Timestamp};
use crate::store::Tx;
use crate::store::access::idempotency as rows;
use crate::store::ids::TeamId;

/// How long a response is stored.
const KEPT: Duration = Duration::DAY;
/// Responses removed in one step.
const STEP: i64 = 500;

/// Chosen by the client: 1 to 255 visible ASCII characters. Only its hash is stored, as it may
/// contain anything.
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

/// A request that may be retried.
#[derive(Clone)]
pub struct Request {
    pub team: TeamId,
    /// The hash of caller and key.
    id: [u8; 32],
    /// The hash of route and body.
    content: [u8; 32],
    at: Timestamp,
}

impl Request {
    /// `caller` is the id of a token or a person; `content` is all that makes it this request.
    pub fn new(team: TeamId, caller: [u8; 16], key: &Key, content: &[&[u8]], at: Timestamp) -> Self {
        Self { team, id: digest(&[&team.bytes(), &caller, &key.0]), content: digest(content), at }
    }

    /// The same for every retry.
    pub const fn id(&self) -> [u8; 32] {
        self.id
    }
}

/// Each part is preceded by its length, so that no two lists of parts have the same digest.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The response to the first request, and what of it is stored for a retry.
pub struct Stored {
    pub location: String,
    /// Not stored: it may be outdated by the time of a retry.
    pub tag: String,
    pub body: String,
    /// Stored instead of a body with a secret: responses are stored in plain text.
    pub again: Option<String>,
}

pub enum Outcome {
    First(Stored),
    Replayed {
        location: String,
        body: String,
    },
    /// The key was used for a different request.
    KeyReused,
    /// The first request is not finished.
    InProgress,
}

/// Creates the resource unless this request did, and stores the response.
pub fn once(
    tx: &mut Tx<'_>,
    request: &Request,
    make: impl FnOnce(&mut Tx<'_>) -> Result<Stored>,
) -> Result<Outcome> {
    if !rows::take(tx, &request.id)? {
        return Ok(Outcome::InProgress);
    }
    match rows::find(tx, request.team, &request.id)? {
        Some(kept) if kept.at > request.at.minus(KEPT) => return Ok(replay(kept, request)),
        Some(_) => rows::remove(tx, &[request.id.to_vec()])?,
        None => {}
    }
    let made = make(tx)?;
    let kept = rows::Response {
        id: request.id.to_vec(),
        team_id: request.team,
        content: request.content.to_vec(),
        at: request.at,
        location: made.location.clone(),
        body: made.again.as_ref().unwrap_or(&made.body).clone(),
    };
    rows::insert(tx, &kept)?;
    Ok(Outcome::First(made))
}

fn replay(kept: rows::Response, request: &Request) -> Outcome {
    match kept.content == request.content {
        true => Outcome::Replayed { location: kept.location, body: kept.body },
        false => Outcome::KeyReused,
    }
}

/// Removes a batch of expired responses; returns how many.
pub(crate) fn remove_some(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    let old = rows::oldest(tx, now.minus(KEPT), STEP)?;
    rows::remove(tx, &old)?;
    Ok(old.len())
}
