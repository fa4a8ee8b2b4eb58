use sha2::{Digest, Sha256};
use time::Duration;

use super::roles::Role;
use super::teams::Team;
use super::users::{self, User, UserId};
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::mailroom::messages;
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::people::{members as member_rows, sessions as rows, users as user_rows};

pub(crate) use crate::store::ids::SessionId;
pub(crate) use rows::Session;

pub(crate) const IDLE_LIFETIME: Duration = Duration::days(14);
/// Per person. When another session opens, the one idle for longest ends.
const MAX_SESSIONS: i64 = 50;
const CONFIRMED_FOR: Duration = Duration::minutes(10);
/// The precision of "last seen", so that a session is written once a minute and not once a request.
const TOUCH_INTERVAL: Duration = Duration::minutes(1);

impl Session {
    /// Whether the password was entered within the last 10 minutes. A later time comes from a clock that
    /// ran ahead, and counts as unknown.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.password_at).abs() < CONFIRMED_FOR
    }
}

fn hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

/// Opens a session. `key` is the secret value of its cookie.
pub fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    user: UserId,
    team: Option<TeamId>,
    key: &str,
) -> Result<Session> {
    let session = Session {
        id: SessionId::new(actor.now, actor.chance()),
        key_hash: hash(key),
        user_id: user,
        team_id: team,
        created_at: actor.now,
        last_seen_at: actor.now,
        expires_at: actor.now.plus(IDLE_LIFETIME),
        password_at: actor.now,
        ip: actor.ip.map(|ip| ip.to_string()),
        agent: actor.agent.clone(),
    };
    user_rows::touch(tx, user, actor.now)?;
    rows::delete_expired(tx, actor.now)?;
    rows::insert(tx, &session)?;
    rows::delete_beyond(tx, user, MAX_SESSIONS)?;
    let person = users::find(tx, user)?;
    let actor = actor.as_person(user, &person.email);
    activity::record_in_all_teams(tx, &actor, user, Event::of(ActivityKind::SignedIn))?;
    Ok(session)
}

/// Like [`open`], after a check of the password. `NotFound` if that has changed meanwhile.
pub fn open_verified(
    tx: &mut Tx<'_>,
    actor: &Actor,
    verified: &User,
    team: Option<TeamId>,
    key: &str,
) -> Result<Session> {
    users::lock(tx, verified.id)?;
    let current = users::find(tx, verified.id)?;
    match current.password_hash == verified.password_hash {
        true => open(tx, actor, verified.id, team, key),
        false => Err(Error::NotFound),
    }
}

/// Returns the session of a cookie and its person, unless it has expired.
pub(crate) fn find(tx: &mut Tx<'_>, key: &str, now: Timestamp) -> Result<Option<(Session, User)>> {
    Ok(rows::find_by_key(tx, &hash(key), now)?)
}

pub struct SignedIn {
    pub session: Session,
    pub user: User,
    pub teams: Vec<Team>,
    /// `None` if the person is in no team.
    pub current: Option<Current>,
}

/// The team chosen in a session, or else the person's first.
#[derive(Clone)]
pub struct Current {
    pub team: Team,
    pub role: Role,
    pub owner: Owner,
    /// See [`messages::MAX_UNREAD`].
    pub unread: i64,
}

#[derive(Clone, Debug)]
pub struct Owner {
    pub name: String,
    pub email: String,
}

/// Like [`find`], but also loads the data of every page's frame, in one statement.
pub fn resume(tx: &mut Tx<'_>, key: &str, now: Timestamp) -> Result<Option<SignedIn>> {
    let found = rows::with_teams(tx, &hash(key), now, messages::MAX_UNREAD + 1)?;
    let Some((session, user, found)) = found else { return Ok(None) };
    let chosen = found.iter().find(|of| Some(of.team.id) == session.team_id).or(found.first());
    let current = chosen.map(|of| current(tx, &user, of)).transpose()?;
    Ok(Some(SignedIn { teams: found.into_iter().map(|of| of.team).collect(), session, user, current }))
}

fn current(tx: &mut Tx<'_>, user: &User, of: &rows::TeamOf) -> Result<Current> {
    let (name, email) = of.owner.clone();
    let unread = match of.unread {
        Some(unread) => unread,
        // The person has left the team that the session chose.
        None => messages::unread_capped(tx, of.team.id)?,
    };
    let role = Role::of(of.role, of.team.owner_id == user.id);
    Ok(Current { team: of.team.clone(), role, owner: Owner { name, email }, unread })
}

pub(crate) fn needs_touch(session: &Session, now: Timestamp) -> bool {
    now.since(session.last_seen_at).abs() >= TOUCH_INTERVAL
}

/// Records the use of a session. Updates the person first, because ending sessions locks them in this order.
pub(crate) fn touch(tx: &mut Tx<'_>, user: UserId, id: SessionId, now: Timestamp) -> Result<()> {
    user_rows::touch(tx, user, now)?;
    Ok(rows::touch(tx, id, now, now.plus(IDLE_LIFETIME))?)
}

/// Ends the session of a cookie, and records that as a sign-out.
pub(crate) fn close(tx: &mut Tx<'_>, actor: &Actor, key: &str) -> Result<()> {
    let Some(session) = rows::delete_by_key(tx, &hash(key))? else { return Ok(()) };
    let person = users::find(tx, session.user_id)?;
    let actor = actor.as_person(person.id, &person.email);
    activity::record_in_all_teams(tx, &actor, person.id, Event::of(ActivityKind::SignedOut))
}

pub fn list(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    Ok(rows::of_user(tx, user, now)?)
}

pub(crate) fn revoke(tx: &mut Tx<'_>, actor: &Actor, user: UserId, id: SessionId) -> Result<()> {
    if !rows::delete(tx, user, id)? {
        return Err(Error::NotFound);
    }
    let event = Event::of(ActivityKind::SessionRevoked).detail("sessions", 1);
    activity::record_in_all_teams(tx, actor, user, event)
}

/// Ends all sessions of the person except `keep`. Returns their number.
pub fn revoke_others(tx: &mut Tx<'_>, actor: &Actor, user: UserId, keep: SessionId) -> Result<usize> {
    let ended = rows::delete_others(tx, user, Some(keep))?;
    if ended > 0 {
        let event = Event::of(ActivityKind::SessionRevoked).detail("sessions", ended as i64);
        activity::record_in_all_teams(tx, actor, user, event)?;
    }
    Ok(ended)
}

pub(crate) fn switch_team(tx: &mut Tx<'_>, actor: &Actor, session: &Session, team: TeamId) -> Result<()> {
    member_rows::find(tx, team, session.user_id)?.ok_or(Error::NotFound)?;
    if session.team_id == Some(team) {
        return Ok(());
    }
    rows::set_team(tx, session.id, team)?;
    activity::record(tx, actor, team, Event::of(ActivityKind::TeamSwitched))
}

pub(crate) fn confirm_password(tx: &mut Tx<'_>, session: SessionId, now: Timestamp) -> Result<()> {
    Ok(rows::set_password_at(tx, session, now)?)
}
