//! Limits attempts to sign in, in the same way for existing and unknown accounts.
//!
//! An attempt is counted before the password is checked, so that parallel attempts can't exceed the limit;
//! a correct password gives it back. A stranger's attempts count by account and network, by network, and
//! more generously by account, so that guessing from many networks is slow too. Browsers known to the
//! account, and signed-in people who confirm their password, have their own counters: strangers can't lock
//! them out.

use sha2::{Digest, Sha256};
use time::Duration;

use super::browsers::Presented;
use super::sessions::SessionId;
use super::users::{self, User};
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::network::network;
use crate::domain::text::EmailAddress;
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::people::attempts as rows;

struct Limit {
    window: Duration,
    max: i32,
}

const HOUR: Duration = Duration::hours(1);
const QUARTER_HOUR: Duration = Duration::minutes(15);
const PER_ACCOUNT_AND_NETWORK: Limit = Limit { window: QUARTER_HOUR, max: 10 };
const PER_NETWORK: Limit = Limit { window: QUARTER_HOUR, max: 50 };
const PER_ACCOUNT: Limit = Limit { window: HOUR, max: 100 };
const PER_BROWSER: Limit = Limit { window: QUARTER_HOUR, max: 10 };
const PER_SESSION: Limit = Limit { window: QUARTER_HOUR, max: 10 };

/// When there are more counters, those with the fewest attempts are removed.
const MAX_COUNTERS: i64 = 20_000;

/// The counters of an attempt, to give it back if the password was correct.
#[derive(Clone)]
pub struct CountedAttempt(Vec<(Vec<u8>, Timestamp)>);

pub fn count_attempt(
    tx: &mut Tx<'_>,
    actor: &Actor,
    email: &EmailAddress,
    browser: &Presented,
) -> Result<(Option<User>, CountedAttempt)> {
    let user = users::find_by_email(tx, email)?;
    let known = user.as_ref().and_then(|user| browser.known_to(user));
    let mut counted = CountedAttempt::start(tx, actor.now)?;
    match known {
        Some(id) => counted.count(tx, actor.now, &PER_BROWSER, &[b"browser", &id])?,
        None => {
            let (account, network) =
                (email.key(), actor.ip.map(|ip| network(ip).to_string()).unwrap_or_default());
            let (account, network) = (account.as_bytes(), network.as_bytes());
            counted.count(
                tx,
                actor.now,
                &PER_ACCOUNT_AND_NETWORK,
                &[b"account", account, b"network", network],
            )?;
            counted.count(tx, actor.now, &PER_NETWORK, &[b"network", network])?;
            counted.count(tx, actor.now, &PER_ACCOUNT, &[b"account", account])?;
        }
    }
    Ok((user, counted))
}

/// Counts an attempt to confirm the password in a session.
///
/// # Errors
/// Like [`count_attempt`].
pub(crate) fn count_confirmation(
    tx: &mut Tx<'_>,
    now: Timestamp,
    session: SessionId,
) -> Result<CountedAttempt> {
    let mut counted = CountedAttempt::start(tx, now)?;
    counted.count(tx, now, &PER_SESSION, &[b"session", session.to_string().as_bytes()])?;
    Ok(counted)
}

impl CountedAttempt {
    fn start(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self> {
        rows::delete_before(tx, window_began(now, HOUR))?;
        rows::shrink_to(tx, MAX_COUNTERS)?;
        Ok(Self(Vec::new()))
    }

    fn count(&mut self, tx: &mut Tx<'_>, now: Timestamp, limit: &Limit, of: &[&[u8]]) -> Result<()> {
        let start = window_began(now, limit.window);
        let key = key(of);
        if rows::bump(tx, &key, start)? > limit.max {
            return Err(too_many(start.plus(limit.window).since(now)));
        }
        self.0.push((key, start));
        Ok(())
    }
}

/// Each part is preceded by its length, so that different lists of parts have different keys.
fn key(of: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in of {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

fn too_many(wait: Duration) -> Error {
    let seconds = (wait.whole_seconds() + 1) as u32;
    let minutes = seconds.div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let message = format!("Too many attempts. Try again in {minutes} {unit}.").into();
    Error::TooMany { message, retry_after: seconds }
}

fn window_began(now: Timestamp, window: Duration) -> Timestamp {
    let window = window.whole_microseconds() as i64;
    Timestamp::from_micros(now.micros() - now.micros().rem_euclid(window))
}

/// Records a wrong password. For an unknown account it writes something of the same size, so that the time
/// doesn't show whether the account exists.
pub(crate) fn record_failure(tx: &mut Tx<'_>, actor: &Actor, user: Option<&User>) -> Result<()> {
    let Some(user) = user else {
        rows::bump(tx, b"unknown account", window_began(actor.now, QUARTER_HOUR))?;
        return Ok(());
    };
    let actor = actor.as_person(user.id, &user.email);
    activity::record_in_all_teams(tx, &actor, user.id, Event::of(ActivityKind::SignInFailed))
}

/// Earlier attempts stay counted: they may have been someone else's.
pub fn give_back_attempt(tx: &mut Tx<'_>, counted: &CountedAttempt) -> Result<()> {
    for (key, start) in &counted.0 {
        rows::give_back(tx, key, *start)?;
    }
    Ok(())
}
