use diesel::prelude::*;

use crate::store::Tx;
use crate::store::columns::{Plan, Timestamp};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{TeamId, UserId};
use crate::store::schema::{memberships, teams};

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = teams)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub name_key: String,
    pub plan: Plan,
    pub owner_id: UserId,
    pub api_enabled: bool,
    pub created_at: Timestamp,
}

/// The owner's membership must follow in the same transaction.
pub fn insert(tx: &mut Tx<'_>, team: &Team) -> Result<()> {
    diesel::insert_into(teams::table).values(team).execute(tx.connection)?;
    Ok(())
}

/// Like every query here, it does not find a team that is deleted; see [`super::deleted_teams`].
pub fn find(tx: &mut Tx<'_>, id: TeamId) -> Result<Option<Team>> {
    teams::table
        .filter(teams::id.eq(id).and(teams::deleted_at.is_null()))
        .select(Team::as_select())
        .get_result(tx.connection)
        .optional_row()
}

pub fn find_by_name(tx: &mut Tx<'_>, name_key: &str) -> Result<Option<Team>> {
    teams::table
        .filter(teams::name_key.eq(name_key).and(teams::deleted_at.is_null()))
        .select(Team::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// The team with exactly this name, or the oldest if there are several.
pub fn find_by_spelling(tx: &mut Tx<'_>, name: &str) -> Result<Option<Team>> {
    teams::table
        .filter(teams::name.eq(name).and(teams::deleted_at.is_null()))
        .order(teams::id.asc())
        .select(Team::as_select())
        .first(tx.connection)
        .optional_row()
}

pub fn oldest(tx: &mut Tx<'_>) -> Result<Option<TeamId>> {
    let live = teams::table.filter(teams::deleted_at.is_null());
    live.select(teams::id).order(teams::id.asc()).first(tx.connection).optional_row()
}

pub fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Team>> {
    Ok(memberships::table
        .inner_join(teams::table)
        .filter(memberships::user_id.eq(user).and(teams::deleted_at.is_null()))
        .order(teams::name_key)
        .select(Team::as_select())
        .load(tx.connection)?)
}

/// Returns false if nothing changed.
pub fn set_api_enabled(tx: &mut Tx<'_>, id: TeamId, enabled: bool) -> Result<bool> {
    let other_way = teams::table.filter(teams::id.eq(id)).filter(teams::api_enabled.ne(enabled));
    let changed = diesel::update(other_way).set(teams::api_enabled.eq(enabled)).execute(tx.connection)?;
    Ok(changed == 1)
}

pub fn set_plan(tx: &mut Tx<'_>, id: TeamId, plan: Plan) -> Result<()> {
    diesel::update(teams::table.find(id)).set(teams::plan.eq(plan)).execute(tx.connection)?;
    Ok(())
}

/// `Conflict` if another team has the key.
pub fn rename(tx: &mut Tx<'_>, id: TeamId, name: &str, name_key: &str) -> Result<()> {
    diesel::update(teams::table.find(id))
        .set((teams::name.eq(name), teams::name_key.eq(name_key)))
        .execute(tx.connection)?;
    Ok(())
}

/// Makes `to` the owner, if `from` still is.
pub fn set_owner(tx: &mut Tx<'_>, id: TeamId, from: UserId, to: UserId) -> Result<bool> {
    let owned = teams::table.filter(teams::id.eq(id)).filter(teams::owner_id.eq(from));
    let changed = diesel::update(owned).set(teams::owner_id.eq(to)).execute(tx.connection)?;
    Ok(changed == 1)
}
