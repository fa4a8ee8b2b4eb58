//! Adds API requests to `activity`, many at once.

use std::fmt::Write;
use std::net::IpAddr;

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, SmallInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::activity::{self as records, Record};
use crate::store::Tx;
use crate::store::activity_kinds::ActivityKind;
use crate::store::backend::Engine;
use crate::store::columns::{ActorKind, Timestamp};
use crate::store::error::Result;
use crate::store::ids::{ActivityId, TeamId, TokenId, UserId};
use crate::store::schema::activity;

/// Rows per statement. More would hardly be faster.
const SQLITE: usize = 32;
const POSTGRES: usize = 2000;

/// An API request. Its id is also the id of its record.
#[derive(Clone, Debug)]
pub struct CallRecord<'a> {
    pub team: TeamId,
    pub id: ActivityId,
    pub at: Timestamp,
    pub kind: ActivityKind,
    pub token: Option<TokenId>,
    pub person: Option<(UserId, &'a str)>,
    pub method: &'a str,
    pub route: &'a str,
    pub status: i16,
    pub duration_us: i32,
    pub ip: Option<IpAddr>,
}

impl CallRecord<'_> {
    fn actor(&self) -> ActorKind {
        if self.token.is_some() { ActorKind::Token } else { ActorKind::Person }
    }

    fn is_usual(&self) -> bool {
        self.kind == ActivityKind::ApiRequest && self.token.is_some()
    }

    pub fn record(&self) -> Record {
        Record {
            team_id: self.team,
            id: self.id,
            at: self.at,
            kind: self.kind,
            actor_kind: self.actor(),
            person_id: self.person.map(|(id, _)| id),
            token_id: self.token,
            actor_label: self.person.map(|(_, label)| label.to_owned()),
            subject: None,
            method: Some(self.method.to_owned()),
            route: Some(self.route.to_owned()),
            status: Some(self.status),
            duration_us: Some(self.duration_us),
            ip: self.ip.map(|ip| ip.to_string()),
            agent: None,
            request_id: None,
            detail: None,
            count: 1,
        }
    }
}

/// Adds calls; existing ones stay unchanged. It is faster if calls of a team and token are adjacent.
pub fn insert<'a>(tx: &mut Tx<'_>, calls: impl Iterator<Item = CallRecord<'a>>) -> Result<()> {
    match tx.connection {
        Engine::Sqlite(_) => insert_in_sqlite(tx, calls),
        Engine::Postgres(inner) => {
            let mut calls = calls.peekable();
            while calls.peek().is_some() {
                let some: Vec<_> = calls.by_ref().take(POSTGRES).collect();
                unnest(&some).execute(inner)?;
            }
            Ok(())
        }
    }
}

/// Like [`insert`], for new calls. On Postgres it costs half as much, and returns a conflict if one exists.
pub fn insert_new<'a>(tx: &mut Tx<'_>, calls: impl Iterator<Item = CallRecord<'a>>) -> Result<()> {
    let Engine::Postgres(inner) = &mut *tx.connection else { return insert(tx, calls) };
    let columns = |call: CallRecord<'a>| {
        (
            activity::team_id.eq(call.team),
            activity::id.eq(call.id),
            activity::at.eq(call.at),
            activity::kind.eq(call.kind),
            activity::actor_kind.eq(call.actor()),
            activity::person_id.eq(call.person.map(|(id, _)| id)),
            activity::token_id.eq(call.token),
            activity::actor_label.eq(call.person.map(|(_, label)| label)),
            activity::method.eq(call.method),
            activity::route.eq(call.route),
            activity::status.eq(call.status),
            activity::duration_us.eq(call.duration_us),
            activity::ip.eq(call.ip.map(|ip| ip.to_string())),
        )
    };
    let rows: Vec<_> = calls.map(columns).collect();
    if !rows.is_empty() {
        diesel::copy_from(activity::table).from_insertable(rows).execute(inner)?;
    }
    Ok(())
}

fn insert_in_sqlite<'a>(tx: &mut Tx<'_>, calls: impl Iterator<Item = CallRecord<'a>>) -> Result<()> {
    let (mut usual, mut others) = (Vec::with_capacity(SQLITE), Vec::new());
    for call in calls {
        match call.is_usual() {
            true => usual.push(call),
            false => others.push(call.record()),
        }
        if let Ok(group) = <&[_; SQLITE]>::try_from(usual.as_slice()) {
            insert_group(tx, group)?;
            usual.clear();
        }
    }
    let (single, _) = usual.as_chunks::<1>();
    single.iter().try_for_each(|group| insert_group(tx, group))?;
    records::insert(tx, &others)
}

fn insert_group<const N: usize>(tx: &mut Tx<'_>, calls: &[CallRecord<'_>; N]) -> Result<()> {
    let Engine::Sqlite(inner) = &mut *tx.connection else { return Ok(()) };
    InsertUsual { calls, addresses: calls.each_ref().map(|call| call.ip.map(Address::of)) }.execute(inner)?;
    Ok(())
}

/// Hand-written, because Diesel doesn't cache inserts with borrowed values. Constants are part of the SQL, so that there
/// are fewer parameters.
struct InsertUsual<'c, 'a, const N: usize> {
    calls: &'c [CallRecord<'a>; N],
    addresses: [Option<Address>; N],
}

impl<const N: usize> QueryId for InsertUsual<'_, '_, N> {
    type QueryId = InsertUsual<'static, 'static, N>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const N: usize> RunQueryDsl<SqliteConnection> for InsertUsual<'_, '_, N> {}

impl<const N: usize> QueryFragment<Sqlite> for InsertUsual<'_, '_, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT OR IGNORE INTO activity (team_id, id, at, token_id, method, route, status, \
             duration_us, ip, kind, actor_kind) VALUES ",
        );
        for (at, (call, address)) in self.calls.iter().zip(&self.addresses).enumerate() {
            out.push_sql(if at == 0 { "(" } else { ",(" });
            out.push_bind_param::<Binary, _>(&call.team)?;
            out.push_sql(",");
            out.push_bind_param::<Binary, _>(&call.id)?;
            out.push_sql(",");
            out.push_bind_param::<BigInt, _>(&call.at)?;
            out.push_sql(",");
            out.push_bind_param::<Nullable<Binary>, _>(&call.token)?;
            out.push_sql(",");
            out.push_bind_param::<Text, _>(call.method)?;
            out.push_sql(",");
            out.push_bind_param::<Text, _>(call.route)?;
            out.push_sql(",");
            out.push_bind_param::<SmallInt, _>(&call.status)?;
            out.push_sql(",");
            out.push_bind_param::<Integer, _>(&call.duration_us)?;
            out.push_sql(",");
            out.push_bind_param::<Nullable<Text>, _>(address)?;
            out.push_sql(",'api.request','token')");
        }
        Ok(())
    }
}

/// An IP address as text, without an allocation.
#[derive(Debug)]
struct Address {
    text: [u8; 45],
    length: usize,
}

impl Address {
    fn of(ip: IpAddr) -> Self {
        let mut address = Self { text: [0; 45], length: 0 };
        write!(address, "{ip}").expect("addresses have at most 45 characters");
        address
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).expect("addresses are ASCII")
    }
}

impl ToSql<Text, Sqlite> for Address {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <str as ToSql<Text, Sqlite>>::to_sql(self.as_str(), out)
    }
}

impl Write for Address {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.text.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Binds one parameter per column, regardless of the number of rows.
fn unnest(calls: &[CallRecord<'_>]) -> impl RunQueryDsl<PgConnection> + QueryFragment<Pg> + QueryId {
    const STATEMENT: &str = "INSERT INTO activity (team_id, id, at, kind, actor_kind, person_id, \
        token_id, actor_label, method, route, status, duration_us, ip) \
        SELECT * FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
        ON CONFLICT DO NOTHING";
    fn each<'c, 'a, T>(calls: &'c [CallRecord<'a>], of: impl Fn(&'c CallRecord<'a>) -> T) -> Vec<T> {
        calls.iter().map(of).collect()
    }
    diesel::sql_query(STATEMENT)
        .bind::<Array<Binary>, _>(each(calls, |call| call.team))
        .bind::<Array<Binary>, _>(each(calls, |call| call.id))
        .bind::<Array<BigInt>, _>(each(calls, |call| call.at))
        .bind::<Array<Text>, _>(each(calls, |call| call.kind))
        .bind::<Array<Text>, _>(each(calls, |call| call.actor()))
        .bind::<Array<Nullable<Binary>>, _>(each(calls, |call| call.person.map(|(id, _)| id)))
        .bind::<Array<Nullable<Binary>>, _>(each(calls, |call| call.token))
        .bind::<Array<Nullable<Text>>, _>(each(calls, |call| call.person.map(|(_, label)| label)))
        .bind::<Array<Text>, _>(each(calls, |call| call.method))
        .bind::<Array<Text>, _>(each(calls, |call| call.route))
        .bind::<Array<SmallInt>, _>(each(calls, |call| call.status))
        .bind::<Array<Integer>, _>(each(calls, |call| call.duration_us))
        .bind::<Array<Nullable<Text>>, _>(each(calls, |call| call.ip.map(|ip| ip.to_string())))
}
