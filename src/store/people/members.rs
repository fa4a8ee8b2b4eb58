//! Rows of `memberships`, read together with the person and the team's owner.

use diesel::prelude::*;

use crate::store::Tx;
use crate::store::backend::Engine;
use crate::store::columns::{MemberRole, Timestamp};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{TeamId, UserId};
use crate::store::schema::{memberships, teams, users};

#[derive(Clone, Debug, Queryable)]
pub struct Member {
    pub user_id: UserId,
    pub email: String,
    pub name: String,
    pub role: MemberRole,
    pub owner_id: UserId,
    pub joined_at: Timestamp,
    /// See [`User::vouched_by`](super::users::User).
    pub vouched_by: Option<String>,
    pub last_seen_at: Option<Timestamp>,
}

macro_rules! member_columns {
    () => {
        (
            users::id,
            users::email,
            users::name,
            memberships::role,
            teams::owner_id,
            memberships::created_at,
            users::vouched_by,
            users::last_seen_at,
        )
    };
}

pub fn insert(tx: &mut Tx<'_>, team: TeamId, user: UserId, role: MemberRole, now: Timestamp) -> Result<()> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::team_id.eq(team),
            memberships::user_id.eq(user),
            memberships::role.eq(role),
            memberships::created_at.eq(now),
        ))
        .execute(tx.connection)?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, team: TeamId, user: UserId) -> Result<Option<Member>> {
    memberships::table
        .inner_join(users::table)
        .inner_join(teams::table)
        .filter(memberships::team_id.eq(team).and(memberships::user_id.eq(user)))
        .filter(teams::deleted_at.is_null())
        .select(member_columns!())
        .get_result(tx.connection)
        .optional_row()
}

/// Locks a team's memberships until the transaction ends, so that people can't lose a role while they use it. Rows that refer
/// to the team can still be added. SQLite's write transaction needs no lock.
pub fn lock(tx: &mut Tx<'_>, team: TeamId) -> Result<()> {
    if let Engine::Postgres(inner) = &mut *tx.connection {
        teams::table
            .find(team)
            .select(teams::id)
            .for_no_key_update()
            .get_result::<TeamId>(inner)
            .optional()?;
    }
    Ok(())
}

/// Sorted by name, including the owner.
pub fn list(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Member>> {
    Ok(memberships::table
        .inner_join(users::table)
        .inner_join(teams::table)
        .filter(memberships::team_id.eq(team))
        .order((users::name, users::id))
        .select(member_columns!())
        .load(tx.connection)?)
}

/// A part of [`list`], and the length of the whole list.
pub fn page(tx: &mut Tx<'_>, team: TeamId, limit: i64, offset: i64) -> Result<(Vec<Member>, i64)> {
    let total = memberships::table.filter(memberships::team_id.eq(team)).count().get_result(tx.connection)?;
    let rows = memberships::table
        .inner_join(users::table)
        .inner_join(teams::table)
        .filter(memberships::team_id.eq(team))
        .order((users::name, users::id))
        .limit(limit)
        .offset(offset)
        .select(member_columns!())
        .load(tx.connection)?;
    Ok((rows, total))
}

pub fn set_role(tx: &mut Tx<'_>, team: TeamId, user: UserId, role: MemberRole) -> Result<bool> {
    let changed = diesel::update(memberships::table.find((team, user)))
        .set(memberships::role.eq(role))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

pub fn delete(tx: &mut Tx<'_>, team: TeamId, user: UserId) -> Result<bool> {
    Ok(diesel::delete(memberships::table.find((team, user))).execute(tx.connection)? == 1)
}
