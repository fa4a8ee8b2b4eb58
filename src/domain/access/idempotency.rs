//! Creation that is asked for twice: whoever sends the same request again by the same
//! `Idempotency-Key` gets the first answer, and nothing is made twice.
//!
//! What was answered is kept in the transaction that made the thing, so that no crash keeps one
//! without the other. While that transaction is under way nobody else can begin one by the same
//! key: they would wait for it, and are told so instead.

use sha2::{Digest, Sha256};
use time::Duration;

use crate::domain::{FieldError, Result, Timestamp};
use crate::store::Tx;
use crate::store::access::idempotency as rows;
use crate::store::ids::TeamId;

/// How long an answer is kept.
const KEPT: Duration = Duration::DAY;
/// Answers removed in one step.
const STEP: i64 = 500;

/// What whoever sends a request chose to know it by: 1 to 255 visible ASCII characters. Only
/// its hash is kept, for nobody can say what people put there.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// # Errors
    /// A sentence about the header `Idempotency-Key`.
    pub fn parse(text: &[u8]) -> std::result::Result<Self, FieldError> {
        let fits = (1..=255).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
        let message = "Use 1 to 255 visible ASCII characters, like a UUID.";
        fits.then(|| Self(Sha256::digest(text).into()))
            .ok_or_else(|| FieldError::new("Idempotency-Key", message))
    }
}

/// A request that may come again.
#[derive(Clone)]
pub struct Request {
    pub team: TeamId,
    /// Who sends it, and by which key.
    id: [u8; 32],
    /// What it says.
    content: [u8; 32],
    at: Timestamp,
}

impl Request {
    /// `caller` is the id of a token or a person; `content` is all that makes it this request.
    pub fn new(team: TeamId, caller: [u8; 16], key: &Key, content: &[&[u8]], at: Timestamp) -> Self {
        Self { team, id: digest(&[&team.bytes(), &caller, &key.0]), content: digest(content), at }
    }

    /// The same for each time it comes.
    pub const fn id(&self) -> [u8; 32] {
        self.id
    }
}

/// Of parts that no other parts spell: each behind its length.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What the first request is told, and what of that is told again, in the words of the face it
/// came by.
pub struct Created {
    pub location: String,
    /// Which state of the thing it is; by the time that is told again it may have passed.
    pub tag: String,
    pub body: String,
    /// Instead of the body, where that holds a secret: what is kept lies in clear.
    pub again: Option<String>,
}

/// What comes of a request.
pub enum Outcome {
    First(Created),
    Replayed {
        location: String,
        body: String,
    },
    /// The key was another request's.
    KeyReused,
    /// The first one is not done yet.
    InProgress,
}

/// Makes what is asked for unless this request did, and keeps the answer.
pub fn once(
    tx: &mut Tx<'_>,
    request: &Request,
    make: impl FnOnce(&mut Tx<'_>) -> Result<Created>,
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

/// Removes the next few answers that are told no more; how many they were.
pub fn remove_some(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize> {
    let old = rows::oldest(tx, now.minus(KEPT), STEP)?;
    rows::remove(tx, &old)?;
    Ok(old.len())
}
