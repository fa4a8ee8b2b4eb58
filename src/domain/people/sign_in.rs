//! Attempts to sign in: limited per account and per address, and telling nothing.
//!
//! An attempt is counted before the password is looked at, so that parallel attempts cannot
//! outrun the count. For an unknown address everything happens that happens for a known one.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use time::Duration;

use super::sessions::network;
use super::users::{self, User};
use crate::domain::access::activity::{self, Event};
use crate::domain::by::By;
use crate::domain::text::EmailAddress;
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::columns::ActivityKind;
use crate::store::people::attempts as rows;

const WINDOW: Duration = Duration::minutes(15);
/// Attempts in a window for one account, and from one address.
const PER_ACCOUNT: i32 = 10;
const PER_ADDRESS: i32 = 50;

/// Counts an attempt and finds the account it is for.
///
/// # Errors
/// `TooMany` with the seconds to wait.
pub fn begin(tx: &mut Tx<'_>, by: &By, email: &EmailAddress) -> Result<Option<User>> {
    count(tx, by.now, &account_key(&email.key()), PER_ACCOUNT)?;
    if let Some(ip) = by.ip {
        count(tx, by.now, &address_key(ip), PER_ADDRESS)?;
    }
    users::find_by_email(tx, email)
}

/// Counts an attempt to enter the password again; see [`begin`].
pub fn begin_again(tx: &mut Tx<'_>, now: Timestamp, user: &User) -> Result<()> {
    count(tx, now, &account_key(&user.email_key), PER_ACCOUNT)
}

fn count(tx: &mut Tx<'_>, now: Timestamp, key: &[u8], most: i32) -> Result<()> {
    let start = window_began(now);
    let end = start.plus(WINDOW);
    rows::delete_before(tx, start)?;
    if rows::bump(tx, key, start)? <= most {
        return Ok(());
    }
    let seconds = (end.since(now).whole_seconds() + 1) as u32;
    let minutes = seconds.div_ceil(60);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let message = format!("Too many attempts. Try again in {minutes} {unit}.").into();
    Err(Error::TooMany { message, retry_after: seconds })
}

fn window_began(now: Timestamp) -> Timestamp {
    let window = WINDOW.whole_microseconds() as i64;
    Timestamp::from_micros(now.micros() - now.micros().rem_euclid(window))
}

fn account_key(email_key: &str) -> Vec<u8> {
    Sha256::digest(format!("account {email_key}")).to_vec()
}

fn address_key(ip: IpAddr) -> Vec<u8> {
    Sha256::digest(format!("address {}", network(ip))).to_vec()
}

/// Records a wrong password where the account is known. Where it is not, something as small
/// is written: the disk must not tell which it was.
pub fn failed(tx: &mut Tx<'_>, by: &By, user: Option<&User>) -> Result<()> {
    let Some(user) = user else {
        rows::bump(tx, b"unknown account", window_began(by.now))?;
        return Ok(());
    };
    let by = by.as_person(user.id, &user.email);
    activity::record_in_all_teams(tx, &by, user.id, Event::of(ActivityKind::SignInFailed))
}

/// Forgets an account's attempts once it is signed in.
pub fn forgive(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    Ok(rows::forget(tx, &account_key(&user.email_key))?)
}
