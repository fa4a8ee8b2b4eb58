use super::passwords;
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::names;
use crate::domain::text::EmailAddress;
use crate::domain::{Error, FieldError, Result};
use crate::store::people::{sessions as session_rows, users as rows};
use crate::store::{Tx, ids::SessionId};

pub use crate::store::ids::UserId;
pub use rows::User;

#[derive(Clone, Debug)]
pub struct PersonName(String);

impl PersonName {
    pub fn parse(text: &str) -> std::result::Result<Self, FieldError> {
        names::parse("name", "your name", text, 80).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The password is hashed beforehand, outside any transaction, because that is slow.
#[derive(Clone)]
pub struct NewPerson {
    pub email: EmailAddress,
    pub name: PersonName,
    pub password_hash: passwords::Hashed,
}

/// `vouched_by` invited the person and so had the link too: the address is not verified.
pub(crate) fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: &NewPerson,
    vouched_by: Option<&str>,
) -> Result<User> {
    let taken = || Error::conflict("email", format!("{} already has an account.", person.email.as_str()));
    if rows::find_by_email(tx, &person.email.key())?.is_some() {
        return Err(taken());
    }
    let user = User {
        id: UserId::new(actor.now, actor.chance()),
        email: person.email.as_str().to_owned(),
        email_key: person.email.key(),
        name: person.name.as_str().to_owned(),
        password_hash: person.password_hash.as_str().to_owned(),
        password_changed_at: actor.now,
        created_at: actor.now,
        vouched_by: vouched_by.map(str::to_owned),
    };
    rows::insert(tx, &user).map_err(|error| Error::from(error).as_conflict("email", taken().to_string()))?;
    Ok(user)
}

pub(crate) fn find(tx: &mut Tx<'_>, id: UserId) -> Result<User> {
    rows::find(tx, id)?.ok_or(Error::NotFound)
}

/// Locks the password until the transaction ends.
pub(crate) fn lock(tx: &mut Tx<'_>, id: UserId) -> Result<()> {
    Ok(rows::lock(tx, id)?)
}

pub fn find_by_email(tx: &mut Tx<'_>, email: &EmailAddress) -> Result<Option<User>> {
    Ok(rows::find_by_email(tx, &email.key())?)
}

pub fn rename(tx: &mut Tx<'_>, actor: &Actor, id: UserId, name: &PersonName) -> Result<()> {
    rows::set_name(tx, id, name.as_str())?;
    activity::record_in_all_teams(tx, actor, id, Event::of(ActivityKind::NameChanged).subject(name.as_str()))
}

/// Changes the password and ends every session of the person except `keep`.
pub fn change_password(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: UserId,
    hash: &passwords::Hashed,
    keep: Option<SessionId>,
) -> Result<()> {
    rows::set_password(tx, id, hash.as_str(), actor.now)?;
    let ended = session_rows::delete_others(tx, id, keep)?;
    let event = Event::of(ActivityKind::PasswordChanged).detail("sessionsEnded", ended as i64);
    activity::record_in_all_teams(tx, actor, id, event)
}
