use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::store::Tx;
use crate::store::columns::{MemberRole, Timestamp};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{SessionId, TeamId, UserId};
use crate::store::mailroom::messages;
use crate::store::people::teams::Team;
use crate::store::people::users::User;
use crate::store::schema::{memberships, sessions, teams, users};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: SessionId,
    pub key_hash: Vec<u8>,
    pub user_id: UserId,
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub password_at: Timestamp,
    pub ip: Option<String>,
    pub agent: Option<String>,
}

pub fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<()> {
    diesel::insert_into(sessions::table).values(session).execute(tx.connection)?;
    Ok(())
}

/// The unexpired session of a key, with its person.
pub fn find_by_key(tx: &mut Tx<'_>, key_hash: &[u8], now: Timestamp) -> Result<Option<(Session, User)>> {
    sessions::table
        .inner_join(users::table)
        .filter(sessions::key_hash.eq(key_hash).and(sessions::expires_at.gt(now)))
        .select((Session::as_select(), User::as_select()))
        .get_result(tx.connection)
        .optional_row()
}

diesel::alias!(users as owners: Owners);

/// A team that the session's person is on.
pub struct TeamOf {
    pub team: Team,
    pub role: MemberRole,
    /// Name and email address of the owner.
    pub owner: (String, String),
    /// Only counted for the chosen team, or for all teams if none is chosen.
    pub unread: Option<i64>,
}

/// Like [`find_by_key`], with the person's teams, sorted by name. Counting unread messages stops at `limit`.
pub fn with_teams(
    tx: &mut Tx<'_>,
    key_hash: &[u8],
    now: Timestamp,
    limit: i64,
) -> Result<Option<(Session, User, Vec<TeamOf>)>> {
    type Row = (Session, User, Option<Team>, Option<MemberRole>, Option<(String, String)>, Option<i64>);
    let unread = sql::<Nullable<BigInt>>(&format!(
        "CASE WHEN sessions.team_id IS NULL OR sessions.team_id = teams.id THEN {} END",
        messages::unread_of("teams.id", limit)
    ));
    let rows: Vec<Row> = sessions::table
        .inner_join(users::table)
        .left_join(memberships::table.on(memberships::user_id.eq(sessions::user_id)))
        .left_join(teams::table.on(teams::id.eq(memberships::team_id).and(teams::deleted_at.is_null())))
        .left_join(owners.on(owners.field(users::id).eq(teams::owner_id)))
        .filter(sessions::key_hash.eq(key_hash).and(sessions::expires_at.gt(now)))
        .order(teams::name_key)
        .select((
            Session::as_select(),
            User::as_select(),
            Option::<Team>::as_select(),
            memberships::role.nullable(),
            owners.fields((users::name, users::email)).nullable(),
            unread,
        ))
        .load(tx.connection)?;
    let found = rows.first().map(|(session, user, ..)| (session.clone(), user.clone()));
    let teams = rows.into_iter().filter_map(|(_, _, team, role, owner, unread)| {
        Some(TeamOf { team: team?, role: role?, owner: owner?, unread })
    });
    Ok(found.map(|(session, user)| (session, user, teams.collect())))
}

/// Unexpired sessions, most recently used first.
pub fn of_user(tx: &mut Tx<'_>, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::expires_at.gt(now)))
        .order(sessions::last_seen_at.desc())
        .select(Session::as_select())
        .load(tx.connection)?)
}

pub fn touch(tx: &mut Tx<'_>, id: SessionId, seen: Timestamp, expires: Timestamp) -> Result<()> {
    diesel::update(sessions::table.find(id))
        .set((sessions::last_seen_at.eq(seen), sessions::expires_at.eq(expires)))
        .execute(tx.connection)?;
    Ok(())
}

pub fn set_team(tx: &mut Tx<'_>, id: SessionId, team: TeamId) -> Result<()> {
    diesel::update(sessions::table.find(id)).set(sessions::team_id.eq(team)).execute(tx.connection)?;
    Ok(())
}

pub fn set_password_at(tx: &mut Tx<'_>, id: SessionId, at: Timestamp) -> Result<()> {
    diesel::update(sessions::table.find(id)).set(sessions::password_at.eq(at)).execute(tx.connection)?;
    Ok(())
}

pub fn delete_by_key(tx: &mut Tx<'_>, key_hash: &[u8]) -> Result<Option<Session>> {
    diesel::delete(sessions::table.filter(sessions::key_hash.eq(key_hash)))
        .returning(sessions::all_columns)
        .get_result(tx.connection)
        .optional_row()
}

pub fn delete(tx: &mut Tx<'_>, user: UserId, id: SessionId) -> Result<bool> {
    let own = sessions::table.filter(sessions::user_id.eq(user).and(sessions::id.eq(id)));
    Ok(diesel::delete(own).execute(tx.connection)? == 1)
}

/// Ends every session of a person except `keep`, and returns their number.
pub fn delete_others(tx: &mut Tx<'_>, user: UserId, keep: Option<SessionId>) -> Result<usize> {
    let own = sessions::table.filter(sessions::user_id.eq(user));
    Ok(match keep {
        Some(id) => diesel::delete(own.filter(sessions::id.ne(id))).execute(tx.connection)?,
        None => diesel::delete(own).execute(tx.connection)?,
    })
}

/// Ends all sessions of a person except the `keep` most recently used.
pub fn delete_beyond(tx: &mut Tx<'_>, user: UserId, keep: i64) -> Result<()> {
    let oldest: Vec<SessionId> = sessions::table
        .filter(sessions::user_id.eq(user))
        .order((sessions::last_seen_at.desc(), sessions::id.desc()))
        .limit(1000)
        .offset(keep)
        .select(sessions::id)
        .load(tx.connection)?;
    if !oldest.is_empty() {
        diesel::delete(sessions::table.filter(sessions::id.eq_any(oldest))).execute(tx.connection)?;
    }
    Ok(())
}

pub fn delete_expired(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(tx.connection)?;
    Ok(())
}
