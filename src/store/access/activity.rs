//! Rows of `activity`, which triggers protect from changes.

use diesel::dsl::{sql, sum};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};

use crate::store::Tx;
use crate::store::activity_kinds::ActivityKind;
use crate::store::backend::{Backend, on_engine};
use crate::store::columns::{ActorKind, Timestamp};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{ActivityId, RequestId, TeamId, TokenId, UserId};
use crate::store::lists::Window;
use crate::store::numbered::numbered;
use crate::store::schema::activity;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = activity)]
#[diesel(treat_none_as_default_value = false)]
pub struct Record {
    pub team_id: TeamId,
    pub id: ActivityId,
    pub at: Timestamp,
    pub kind: ActivityKind,
    pub actor_kind: ActorKind,
    pub person_id: Option<UserId>,
    pub token_id: Option<TokenId>,
    pub actor_label: Option<String>,
    pub subject: Option<String>,
    pub method: Option<String>,
    pub route: Option<String>,
    pub status: Option<i16>,
    pub duration_us: Option<i32>,
    pub ip: Option<String>,
    pub agent: Option<String>,
    /// `None` for an API request, because the record's id is the request's.
    pub request_id: Option<RequestId>,
    pub detail: Option<String>,
    pub count: i32,
}

impl Record {
    /// The recorded request, or the request that made the change.
    pub fn request(&self) -> Option<RequestId> {
        self.request_id.or_else(|| self.kind.is_call().then(|| RequestId::from_bytes(self.id.bytes())))
    }
}

/// A filter on the records of a team; `None` does not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kinds: Option<Vec<ActivityKind>>,
    pub person: Option<UserId>,
    pub token: Option<TokenId>,
    /// Either the first digit of the status, 2 to 5, or the whole status.
    pub status: Option<i16>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Adds records in groups of fixed sizes. Each size has a prepared statement, because preparing one costs as much as
/// running it.
pub fn insert(tx: &mut Tx<'_>, records: &[Record]) -> Result<()> {
    let (many, rest) = records.as_chunks::<64>();
    many.iter().try_for_each(|group| insert_group(tx, group))?;
    let (some, rest) = rest.as_chunks::<8>();
    some.iter().try_for_each(|group| insert_group(tx, group))?;
    let (single, _) = rest.as_chunks::<1>();
    single.iter().try_for_each(|group| insert_group(tx, group))
}

/// Skips existing records: if the connection breaks during a successful commit, the records are added again.
fn insert_group<const N: usize>(tx: &mut Tx<'_>, group: &[Record; N]) -> Result<()> {
    on_engine!(&mut *tx.connection, inner => diesel::insert_into(activity::table)
        .values(group)
        .on_conflict_do_nothing()
        .execute(inner))?;
    Ok(())
}

/// The first team after `after` with any records. Takes one step in the index. Skips deleted teams, which keep
/// only the record of that.
pub fn next_team(tx: &mut Tx<'_>, after: Option<TeamId>) -> Result<Option<TeamId>> {
    let records = activity::table.filter(activity::kind.ne(ActivityKind::TeamDeleted));
    let mut query = records.select(activity::team_id).order(activity::team_id.asc()).into_boxed();
    if let Some(after) = after {
        query = query.filter(activity::team_id.gt(after));
    }
    query.first(tx.connection).optional_row()
}

/// Equal to the conditions of the partial indexes, because otherwise engines don't use them.
const CHANGES: &str = "kind NOT IN ('api.request', 'api.refused')";
const REFUSED: &str = "status >= 400";

pub fn list(
    tx: &mut Tx<'_>,
    team: TeamId,
    filter: &Filter,
    window: Window<ActivityId>,
) -> Result<Vec<Record>> {
    Ok(narrowed(tx, team, filter, window)?.select(Record::as_select()).load(tx.connection)?)
}

/// A record with the names of its token, and of its person if they are on the team.
#[derive(Clone, Debug, Queryable)]
pub struct Named {
    pub record: Record,
    pub person: Option<String>,
    pub token: Option<String>,
    pub token_start: Option<String>,
}

/// Each name takes one index lookup.
macro_rules! named {
    () => {
        (
            Record::as_select(),
            sql::<Nullable<Text>>(
                "(SELECT users.name FROM memberships JOIN users ON users.id = memberships.user_id \
                  WHERE memberships.team_id = activity.team_id AND memberships.user_id = activity.person_id)",
            ),
            sql::<Nullable<Text>>(
                "(SELECT name FROM tokens \
                  WHERE tokens.id = activity.token_id AND tokens.team_id = activity.team_id)",
            ),
            sql::<Nullable<Text>>(
                "(SELECT start FROM tokens \
                  WHERE tokens.id = activity.token_id AND tokens.team_id = activity.team_id)",
            ),
        )
    };
}

pub fn find_named(tx: &mut Tx<'_>, team: TeamId, id: ActivityId) -> Result<Option<Named>> {
    activity::table.find((team, id)).select(named!()).get_result(tx.connection).optional_row()
}

/// Like [`list`], with names.
pub fn list_named(
    tx: &mut Tx<'_>,
    team: TeamId,
    filter: &Filter,
    window: Window<ActivityId>,
) -> Result<Vec<Named>> {
    Ok(narrowed(tx, team, filter, window)?.select(named!()).load(tx.connection)?)
}

/// A person or token to filter records by.
#[derive(Clone, Debug, QueryableByName)]
pub struct Subject {
    #[diesel(sql_type = Bool)]
    pub is_token: bool,
    #[diesel(sql_type = Binary)]
    pub id: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The email address, or the token's start.
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = Bool)]
    pub is_revoked: bool,
}

/// The people of the team and its newest tokens, unordered.
pub fn subjects(tx: &mut Tx<'_>, team: TeamId, tokens: i64) -> Result<Vec<Subject>> {
    const BOTH: &str = "SELECT FALSE AS is_token, users.id, users.name, users.email AS detail, FALSE AS is_revoked \
        FROM memberships JOIN users ON users.id = memberships.user_id WHERE memberships.team_id = {1} \
        UNION ALL SELECT TRUE, id, name, start, revoked_at IS NOT NULL FROM (SELECT id, name, start, revoked_at \
        FROM tokens WHERE team_id = {1} ORDER BY id DESC LIMIT {2}) AS newest";
    let query = sql_query(numbered(tx.connection, BOTH)).bind::<Binary, _>(team).bind::<BigInt, _>(tokens);
    Ok(on_engine!(&mut *tx.connection, inner => query.load(inner))?)
}

fn narrowed<'q>(
    tx: &mut Tx<'_>,
    team: TeamId,
    filter: &Filter,
    window: Window<ActivityId>,
) -> Result<activity::BoxedQuery<'q, Backend>> {
    let of_team = activity::table.filter(activity::team_id.eq(team)).order(activity::id.desc());
    let mut query = of_team.offset(window.offset).limit(window.limit).into_boxed();
    if let Some(id) = window.before {
        query = query.filter(activity::id.lt(id));
    }
    if let Some(kinds) = &filter.kinds {
        query = match kinds.as_slice() {
            [kind] => query.filter(activity::kind.eq(*kind)),
            kinds => query.filter(activity::kind.eq_any(kinds.to_vec())),
        };
        if !kinds.iter().any(|kind| kind.is_call()) {
            query = query.filter(sql::<Bool>(CHANGES));
        }
    }
    if let Some(person) = filter.person {
        query = query.filter(activity::person_id.eq(person));
    }
    if let Some(token) = filter.token {
        query = query.filter(activity::token_id.eq(token));
    }
    if let Some(status) = filter.status {
        query = match status {
            1..=9 => query.filter(activity::status.between(status * 100, status * 100 + 99)),
            _ => query.filter(activity::status.eq(status)),
        };
        if matches!(status, 4..=9 | 400..) {
            query = query.filter(sql::<Bool>(REFUSED));
        }
    }
    if let Some(from) = filter.from {
        query = query.filter(activity::id.ge(ActivityId::floor(from)));
    }
    if let Some(until) = filter.until {
        query = query.filter(activity::id.lt(ActivityId::floor(until)));
    }
    if filter.status.is_some() {
        // SQLite reads whole rows to filter by indexed columns, unless the query selects no others.
        let ids: Vec<ActivityId> = query.select(activity::id).load(tx.connection)?;
        query = of_team.filter(activity::id.eq_any(ids)).into_boxed();
    }
    Ok(query)
}

/// Counts API requests since `from`, of one token or of the whole team. Stops at `limit`.
pub fn count_calls(
    tx: &mut Tx<'_>,
    team: TeamId,
    token: Option<TokenId>,
    from: Timestamp,
    limit: i64,
) -> Result<i64> {
    let mut query = activity::table
        .filter(activity::team_id.eq(team))
        .filter(activity::id.ge(ActivityId::floor(from)))
        .filter(activity::kind.eq(ActivityKind::ApiRequest))
        .select(activity::count)
        // The order makes both engines use the index.
        .order(activity::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(token) = token {
        query = query.filter(activity::token_id.eq(token));
    }
    let counts: Vec<i32> = query.load(tx.connection)?;
    Ok(counts.into_iter().map(i64::from).sum())
}

/// Counts the API requests of a token since each of several times, and stops at `limit`.
pub fn count_calls_since(
    tx: &mut Tx<'_>,
    team: TeamId,
    token: TokenId,
    since: [Timestamp; 3],
    limit: i64,
) -> Result<[i64; 3]> {
    #[derive(QueryableByName)]
    struct Counts {
        #[diesel(sql_type = BigInt)]
        a: i64,
        #[diesel(sql_type = BigInt)]
        b: i64,
        #[diesel(sql_type = BigInt)]
        c: i64,
    }
    // The order makes both engines walk the index from there.
    let count = |from: &str| {
        format!(
            "(SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM (SELECT count FROM activity
              WHERE team_id = {{1}} AND token_id = {{2}} AND kind = 'api.request' AND id >= {from}
              ORDER BY id LIMIT {{3}}) AS calls)"
        )
    };
    let statement = format!("SELECT {} AS a, {} AS b, {} AS c", count("{4}"), count("{5}"), count("{6}"));
    let [day, week, month] = since.map(ActivityId::floor);
    let query = sql_query(numbered(tx.connection, &statement))
        .bind::<Binary, _>(team)
        .bind::<Binary, _>(token)
        .bind::<BigInt, _>(limit)
        .bind::<Binary, _>(day)
        .bind::<Binary, _>(week)
        .bind::<Binary, _>(month);
    let Counts { a, b, c } = on_engine!(&mut *tx.connection, inner => query.get_result(inner))?;
    Ok([a, b, c])
}

/// Sums up API requests in a half-open range of time, of one token or of the whole team.
pub fn sum_calls(
    tx: &mut Tx<'_>,
    team: TeamId,
    token: Option<TokenId>,
    (from, until): (Timestamp, Timestamp),
) -> Result<i64> {
    let mut query = activity::table
        .filter(activity::team_id.eq(team))
        .filter(activity::id.ge(ActivityId::floor(from)).and(activity::id.lt(ActivityId::floor(until))))
        .filter(activity::kind.eq(ActivityKind::ApiRequest))
        .select(sum(activity::count))
        .into_boxed();
    if let Some(token) = token {
        query = query.filter(activity::token_id.eq(token));
    }
    let total: Option<i64> = query.get_result(tx.connection)?;
    Ok(total.unwrap_or(0))
}
