use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::store::Tx;
use crate::store::backend::{Engine, on_engine};
use crate::store::columns::MessageState;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{MessageId, TeamId};
use crate::store::prepared::Prepared;
use crate::store::schema::{mail_stores, messages, teams};

/// The bytes and number of a team's delivered messages, and of the stored parts of refused ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Queryable)]
pub struct MailUsage {
    pub bytes: i64,
    pub messages: i64,
    pub refused_bytes: i64,
    pub refused_messages: i64,
}

impl MailUsage {
    pub fn of(state: MessageState, bytes: i64) -> Self {
        match state.is_blocked_or_rejected() {
            true => Self { refused_bytes: bytes, refused_messages: 1, ..Self::default() },
            false => Self { bytes, messages: 1, ..Self::default() },
        }
    }
}

impl std::ops::AddAssign for MailUsage {
    fn add_assign(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.messages += more.messages;
        self.refused_bytes += more.refused_bytes;
        self.refused_messages += more.refused_messages;
    }
}

impl std::ops::Neg for MailUsage {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            bytes: -self.bytes,
            messages: -self.messages,
            refused_bytes: -self.refused_bytes,
            refused_messages: -self.refused_messages,
        }
    }
}

type Columns =
    (mail_stores::bytes, mail_stores::messages, mail_stores::refused_bytes, mail_stores::refused_messages);
const COLUMNS: Columns =
    (mail_stores::bytes, mail_stores::messages, mail_stores::refused_bytes, mail_stores::refused_messages);

pub(crate) fn find(tx: &mut Tx<'_>, team: TeamId) -> Result<MailUsage> {
    let kept = mail_stores::table.find(team).select(COLUMNS);
    Ok(kept.get_result(tx.connection).optional_row()?.unwrap_or_default())
}

#[derive(Clone, Debug, Queryable)]
pub struct FullTeam {
    pub name: String,
    pub bytes: i64,
}

/// Teams that store at least `quota` bytes, by name.
pub(crate) fn full_teams(tx: &mut Tx<'_>, quota: i64, limit: i64) -> Result<Vec<FullTeam>> {
    Ok(mail_stores::table
        .inner_join(teams::table)
        .filter(mail_stores::bytes.ge(quota).and(teams::deleted_at.is_null()))
        .order(teams::name)
        .limit(limit)
        .select((teams::name, mail_stores::bytes))
        .load(tx.connection)?)
}

/// Adds to a team's counters (negative numbers subtract), and returns the new totals. On Postgres, the row stays locked until
/// the transaction ends.
pub(crate) fn add(tx: &mut Tx<'_>, team: TeamId, more: MailUsage) -> Result<MailUsage> {
    let of_team = (
        mail_stores::team_id.eq(team),
        mail_stores::bytes.eq(more.bytes),
        mail_stores::messages.eq(more.messages),
        mail_stores::refused_bytes.eq(more.refused_bytes),
        mail_stores::refused_messages.eq(more.refused_messages),
    );
    Ok(on_engine!(&mut *tx.connection, inner => Prepared(diesel::insert_into(mail_stores::table)
        .values(of_team)
        .on_conflict(mail_stores::team_id)
        .do_update()
        .set((
            mail_stores::bytes.eq(mail_stores::bytes + more.bytes),
            mail_stores::messages.eq(mail_stores::messages + more.messages),
            mail_stores::refused_bytes.eq(mail_stores::refused_bytes + more.refused_bytes),
            mail_stores::refused_messages.eq(mail_stores::refused_messages + more.refused_messages),
        ))
        .returning(COLUMNS))
        .get_result(inner))?)
}

type Refused = (MessageId, i64, i64, Option<i64>);

/// Returns the `seq` and stored bytes of a team's oldest refused messages. On Postgres, skips locked rows: a manual deletion
/// locks the message before the counters, which a delivery has already locked.
pub fn oldest_refused(tx: &mut Tx<'_>, team: TeamId, limit: i64) -> Result<Vec<(i64, i64)>> {
    let mut found: Vec<Refused> = Vec::new();
    // One query per state, because each is a range in the index.
    for state in [MessageState::Denied, MessageState::Rejected] {
        let of_state = messages::table
            .filter(messages::team_id.eq(team))
            .filter(sql::<Bool>(&format!("state = '{state}'")))
            .order(messages::id.asc())
            .limit(limit)
            .select((messages::id, messages::seq, messages::size, messages::kept));
        found.extend(match &mut *tx.connection {
            Engine::Sqlite(inner) => of_state.load::<Refused>(inner)?,
            Engine::Postgres(inner) => of_state.for_update().skip_locked().load::<Refused>(inner)?,
        });
    }
    found.sort_unstable_by_key(|row| row.0);
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(found.into_iter().map(|(_, seq, size, kept)| (seq, kept.unwrap_or(size))).collect())
}
