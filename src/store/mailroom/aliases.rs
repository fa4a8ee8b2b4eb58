use diesel::dsl::{exists, not, sql};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};

use crate::store::Tx;
use crate::store::backend::{Backend, Engine, on_engine};
use crate::store::columns::Timestamp;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{AliasId, DomainId, TeamId};
use crate::store::lists::{ESCAPE, Window, like, list_rows, sorted_rows};
use crate::store::mailroom::mail_domains::domains;
use crate::store::prepared::Prepared;
use crate::store::team_rows::team_rows;

diesel::table! {
    aliases (id) {
        id -> Binary,
        team_id -> Binary,
        domain_id -> Nullable<Binary>,
        domain_name -> Text,
        local -> Text,
        local_key -> Text,
        note -> Nullable<Text>,
        enabled -> Bool,
        created_at -> BigInt,
        created_by_label -> Text,
        deleted_at -> Nullable<BigInt>,
        deleted_by_label -> Nullable<Text>,
        received -> BigInt,
        denied -> BigInt,
        last_received_at -> Nullable<BigInt>,
        base_key -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(aliases, domains);

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = aliases)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Alias {
    pub id: AliasId,
    pub team_id: TeamId,
    /// `None` on the shared domain.
    pub domain_id: Option<DomainId>,
    pub domain_name: String,
    pub local: String,
    pub local_key: String,
    pub note: Option<String>,
    pub enabled: bool,
    pub created_at: Timestamp,
    pub created_by_label: String,
    pub deleted_at: Option<Timestamp>,
    pub deleted_by_label: Option<String>,
    pub received: i64,
    pub denied: i64,
    pub last_received_at: Option<Timestamp>,
}

/// `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// `Some(None)` for the shared domain.
    pub domain: Option<Option<DomainId>>,
    pub enabled: Option<bool>,
    /// Part of the address, in lower case.
    pub text: Option<String>,
}

team_rows! { aliases, Alias, AliasId, gone = deleted_at: insert, find, lock, list, count, save }

sorted_rows! { aliases, Alias, AliasId:
    Created = "created", "Created", descending, Id();
    Alias = "alias", "Alias", ascending, Text(aliases::local_key, |row| row.local_key.clone());
    Received = "received", "Received", descending, Number(aliases::received, |row| row.received);
    LastReceived = "last-received", "Last received", descending,
        Number(sql::<BigInt>("COALESCE(aliases.last_received_at, 0)"), |row| row.last_received_at.map_or(0, Timestamp::micros));
}

/// Inserts an alias unless its address is taken. Waits for a parallel insert of the same address.
pub(crate) fn insert_unless_taken(tx: &mut Tx<'_>, alias: &Alias) -> Result<bool> {
    let inserted = on_engine!(&mut *tx.connection, inner => diesel::insert_into(aliases::table)
        .values(alias)
        .on_conflict_do_nothing()
        .execute(inner))?;
    Ok(inserted == 1)
}

/// Lists aliases, including deleted ones. Newest first.
pub(crate) fn list_ever(tx: &mut Tx<'_>, team: TeamId, window: Window<AliasId>) -> Result<Vec<Alias>> {
    let query = aliases::table.filter(aliases::team_id.eq(team)).into_boxed();
    Ok(list_rows!(tx, aliases, Alias, query, window))
}

/// Finds an alias, including deleted ones.
pub(crate) fn find_ever(tx: &mut Tx<'_>, team: TeamId, id: AliasId) -> Result<Option<Alias>> {
    on_engine!(&mut *tx.connection, inner => aliases::table
        .filter(aliases::id.eq(id).and(aliases::team_id.eq(team)))
        .select(Alias::as_select())
        .get_result(inner))
    .optional_row()
}

/// Finds aliases, including deleted ones, because messages still refer to them.
pub(crate) fn find_all(tx: &mut Tx<'_>, team: TeamId, ids: &[AliasId]) -> Result<Vec<Alias>> {
    Ok(aliases::table
        .filter(aliases::team_id.eq(team).and(aliases::id.eq_any(ids.to_vec())))
        .select(Alias::as_select())
        .load(tx.connection)?)
}

/// Finds an alias of any team, including deleted ones, whose addresses remain taken.
pub(crate) fn find_by_key(
    tx: &mut Tx<'_>,
    domain: Option<DomainId>,
    local_key: &str,
) -> Result<Option<Alias>> {
    let of_key = aliases::table.filter(aliases::local_key.eq(local_key)).select(Alias::as_select());
    match domain {
        Some(id) => of_key.filter(aliases::domain_id.eq(id)).get_result(tx.connection),
        None => of_key.filter(aliases::domain_id.is_null()).get_result(tx.connection),
    }
    .optional_row()
}

/// Whether another team has or had an alias on the shared domain with this key before its `+`.
pub fn is_tagged_by_another(tx: &mut Tx<'_>, team: TeamId, local_key: &str) -> Result<bool> {
    let theirs = aliases::table
        .filter(aliases::domain_id.is_null().and(aliases::base_key.eq(local_key)))
        .filter(aliases::team_id.ne(team));
    Ok(diesel::select(exists(theirs)).get_result(tx.connection)?)
}

#[derive(Clone, Debug, QueryableByName)]
pub struct ShadowedAlias {
    #[diesel(sql_type = Text)]
    pub address: String,
    #[diesel(sql_type = Text)]
    pub team: String,
}

/// Addresses on the shared domain whose part before the `+` belongs to another team or is in `reserved`, a list with a comma
/// on both sides of each name.
pub fn shadowed_aliases(tx: &mut Tx<'_>, reserved: &str, limit: i64) -> Result<Vec<ShadowedAlias>> {
    const FOUND: &str = "SELECT t.local || '@' || t.domain_name AS address, teams.name AS team FROM aliases t
        JOIN teams ON teams.id = t.team_id
        LEFT JOIN aliases b ON b.local_key = t.base_key AND b.domain_id IS NULL
        WHERE t.domain_id IS NULL AND t.base_key IS NOT NULL AND t.deleted_at IS NULL
        AND (b.team_id <> t.team_id OR b.id IS NULL AND";
    let end = ") ORDER BY t.base_key, t.local_key LIMIT";
    Ok(match &mut *tx.connection {
        Engine::Sqlite(inner) => sql_query(format!("{FOUND} instr(?, ',' || t.base_key || ',') > 0{end} ?"))
            .bind::<Text, _>(reserved)
            .bind::<BigInt, _>(limit)
            .load(inner)?,
        Engine::Postgres(inner) => {
            sql_query(format!("{FOUND} strpos($1, ',' || t.base_key || ',') > 0{end} $2"))
                .bind::<Text, _>(reserved)
                .bind::<BigInt, _>(limit)
                .load(inner)?
        }
    })
}

/// The catch-all of a domain, even if it is deleted.
pub(crate) fn catch_all(tx: &mut Tx<'_>, domain: DomainId) -> Result<Option<Alias>> {
    let of_domain = domains::table.find(domain).select(domains::catch_all_id);
    aliases::table
        .filter(aliases::id.nullable().eq_any(of_domain))
        .select(Alias::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// Excludes the aliases of removed domains.
fn narrowed<'q>(team: TeamId, filter: &Filter) -> aliases::BoxedQuery<'q, Backend> {
    let removed = domains::table
        .filter(domains::id.nullable().eq(aliases::domain_id))
        .filter(domains::removed_at.is_not_null());
    let mut query = aliases::table
        .filter(aliases::team_id.eq(team).and(aliases::deleted_at.is_null()))
        .filter(not(exists(removed)))
        .into_boxed();
    match filter.domain {
        Some(Some(id)) => query = query.filter(aliases::domain_id.eq(id)),
        Some(None) => query = query.filter(aliases::domain_id.is_null()),
        None => {}
    }
    if let Some(enabled) = filter.enabled {
        query = query.filter(aliases::enabled.eq(enabled));
    }
    match filter.text.as_deref().map(|text| text.split_once('@').ok_or(text)) {
        Some(Ok((local, domain))) => {
            let local = aliases::local_key.like(format!("%{}", like(local))).escape(ESCAPE);
            query.filter(local).filter(aliases::domain_name.like(format!("{}%", like(domain))).escape(ESCAPE))
        }
        Some(Err(text)) => {
            let text = format!("%{}%", like(text));
            let local = aliases::local_key.like(text.clone()).escape(ESCAPE);
            query.filter(local.or(aliases::domain_name.like(text).escape(ESCAPE)))
        }
        None => query,
    }
}

/// Counts delivered and refused messages, and sets the time of the last delivery to `now`.
pub(crate) fn count_arrivals(
    tx: &mut Tx<'_>,
    id: AliasId,
    received: i64,
    denied: i64,
    now: Timestamp,
) -> Result<()> {
    if received > 0 {
        on_engine!(&mut *tx.connection, inner => Prepared(diesel::update(aliases::table.find(id))
            .set((aliases::received.eq(aliases::received + received), aliases::last_received_at.eq(now)))
            .returning(aliases::id))
            .load::<AliasId>(inner))?;
    }
    if denied > 0 {
        on_engine!(&mut *tx.connection, inner => Prepared(diesel::update(aliases::table.find(id))
            .set(aliases::denied.eq(aliases::denied + denied))
            .returning(aliases::id))
            .load::<AliasId>(inner))?;
    }
    Ok(())
}
