use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::store::Tx;
use crate::store::backend::Backend;
use crate::store::columns::Timestamp;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{AliasId, DomainId, TeamId};
use crate::store::lists::sorted_rows;
use crate::store::team_rows::team_rows;

diesel::table! {
    domains (id) {
        id -> Binary,
        team_id -> Binary,
        name -> Text,
        proof -> Text,
        created_at -> BigInt,
        created_by_label -> Text,
        verified_at -> Nullable<BigInt>,
        proof_seen_at -> Nullable<BigInt>,
        suspended_at -> Nullable<BigInt>,
        checked_at -> Nullable<BigInt>,
        removed_at -> Nullable<BigInt>,
        findings -> Text,
        catch_all_id -> Nullable<Binary>,
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = domains)]
#[diesel(treat_none_as_null = true)]
pub struct Domain {
    pub id: DomainId,
    pub team_id: TeamId,
    pub name: String,
    pub proof: String,
    pub created_at: Timestamp,
    pub created_by_label: String,
    pub verified_at: Option<Timestamp>,
    pub proof_seen_at: Option<Timestamp>,
    pub suspended_at: Option<Timestamp>,
    pub checked_at: Option<Timestamp>,
    pub removed_at: Option<Timestamp>,
    pub findings: String,
    pub catch_all_id: Option<AliasId>,
}

team_rows! { domains, Domain, DomainId, gone = removed_at: insert, find, lock, count }

#[derive(Clone, Debug, Default)]
pub struct Filter;

sorted_rows! { domains, Domain, DomainId:
    Domain = "domain", "Domain", ascending, Text(domains::name, |row| row.name.clone());
    Checked = "checked", "Checked", descending,
        Number(sql::<BigInt>("COALESCE(domains.checked_at, 0)"), |row| row.checked_at.map_or(0, Timestamp::micros));
    Added = "added", "Added", descending, Number(domains::created_at, |row| row.created_at.micros());
}

fn narrowed<'q>(team: TeamId, _: &Filter) -> domains::BoxedQuery<'q, Backend> {
    domains::table.filter(domains::team_id.eq(team).and(domains::removed_at.is_null())).into_boxed()
}

/// Updates the whole row.
///
/// # Errors
/// `Conflict` if another team has the name.
pub fn save(tx: &mut Tx<'_>, domain: &Domain) -> Result<()> {
    diesel::update(domains::table.find(domain.id)).set(domain).execute(tx.connection)?;
    Ok(())
}

/// Finds a domain by name, including removed ones.
pub fn find_by_name(tx: &mut Tx<'_>, team: TeamId, name: &str) -> Result<Option<Domain>> {
    domains::table
        .filter(domains::team_id.eq(team).and(domains::name.eq(name)))
        .select(Domain::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// The domain of any team that receives mail for a name.
pub fn find_active(tx: &mut Tx<'_>, name: &str) -> Result<Option<Domain>> {
    domains::table
        .filter(domains::name.eq(name))
        .filter(domains::verified_at.is_not_null().and(domains::suspended_at.is_null()))
        .select(Domain::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// Whether a team has the domain, but lost its proof.
pub fn is_suspended(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    let suspended = domains::table
        .filter(domains::name.eq(name))
        .filter(domains::verified_at.is_not_null().and(domains::suspended_at.is_not_null()));
    Ok(diesel::select(diesel::dsl::exists(suspended)).get_result(tx.connection)?)
}

pub fn list(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Domain>> {
    Ok(domains::table
        .filter(domains::team_id.eq(team).and(domains::removed_at.is_null()))
        .order(domains::name)
        .select(Domain::as_select())
        .load(tx.connection)?)
}

/// Includes removed ones.
pub fn list_ever(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Domain>> {
    let of_team = domains::table.filter(domains::team_id.eq(team)).order(domains::name);
    Ok(of_team.select(Domain::as_select()).load(tx.connection)?)
}

/// Domains not checked since `verified` or `unverified`, starting with those checked longest ago. Excludes domains that were
/// created before `deadline` and never verified. Ignores checks after `latest`, which come from a clock that ran ahead.
pub fn due(
    tx: &mut Tx<'_>,
    (verified, unverified): (Timestamp, Timestamp),
    deadline: Timestamp,
    latest: Timestamp,
    limit: i64,
) -> Result<Vec<Domain>> {
    Ok(domains::table
        .filter(domains::removed_at.is_null())
        .filter(domains::verified_at.is_not_null().or(domains::created_at.gt(deadline)))
        .filter(
            (domains::checked_at.is_null())
                .or(domains::checked_at.lt(verified))
                .or(domains::checked_at.gt(latest))
                .or(domains::verified_at.is_null().and(domains::checked_at.lt(unverified))),
        )
        .order(domains::checked_at.asc())
        .limit(limit)
        .select(Domain::as_select())
        .load(tx.connection)?)
}
