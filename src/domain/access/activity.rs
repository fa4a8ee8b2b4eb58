//! The append-only log of API requests and changes. A change is recorded in its own transaction, so that
//! there is never one without the other.

use serde_json::{Map, Value};
use time::Duration;

use crate::domain::actor::Actor;
use crate::domain::lists::{Capped, MAX_COUNT, Page, Window};
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::access::activity as rows;
use crate::store::access::calls;
use crate::store::access::uses;
use crate::store::ids::{TeamId, UserId};
use crate::store::people::teams as team_rows;

pub(crate) use crate::store::activity_kinds::ActivityGroup;
pub use crate::store::activity_kinds::ActivityKind;
pub(crate) use crate::store::columns::ActorKind;
pub use crate::store::ids::{ActivityId, TokenId};
pub(crate) use calls::CallRecord;
pub use rows::Named;
pub(crate) use rows::Subject;
pub use rows::{Filter, Record};
pub(crate) use uses::Use;

/// The detail that holds earlier values, by their keys.
pub(crate) const BEFORE: &str = "before";

/// A record without its actor, time and origin.
#[derive(Clone, Debug)]
pub struct Event {
    kind: ActivityKind,
    token: Option<TokenId>,
    subject: Option<String>,
    detail: Map<String, Value>,
}

impl Event {
    pub fn of(kind: ActivityKind) -> Self {
        Self { kind, token: None, subject: None, detail: Map::new() }
    }

    pub fn token(mut self, id: TokenId, name: &str) -> Self {
        self.token = Some(id);
        self.subject(name)
    }

    /// The name of the affected object at that time.
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// Adds the earlier values of the changed details, as [`BEFORE`].
    pub(crate) fn changed_from(self, before: &Self) -> Self {
        let differs = |(key, value): &(&String, &Value)| self.detail.get(*key) != Some(*value);
        let earlier = before.detail.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone()));
        match earlier.collect::<Map<_, _>>() {
            earlier if earlier.is_empty() => self,
            earlier => self.detail(BEFORE, earlier),
        }
    }
}

pub fn record(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, event: Event) -> Result<()> {
    Ok(rows::insert(tx, &[row(actor, team, &event)])?)
}

/// Records a change of a person's account in each of their teams.
pub(crate) fn record_in_all_teams(tx: &mut Tx<'_>, actor: &Actor, user: UserId, event: Event) -> Result<()> {
    let teams = team_rows::of_user(tx, user)?;
    let records: Vec<_> = teams.iter().map(|team| row(actor, team.id, &event)).collect();
    Ok(rows::insert(tx, &records)?)
}

fn row(actor: &Actor, team: TeamId, event: &Event) -> Record {
    let detail = (!event.detail.is_empty()).then(|| Value::Object(event.detail.clone()).to_string());
    Record {
        team_id: team,
        id: ActivityId::new(actor.now, actor.chance()),
        at: actor.now,
        kind: event.kind,
        actor_kind: actor.kind(),
        person_id: actor.person(),
        token_id: event.token,
        actor_label: Some(actor.label().into_owned()),
        subject: event.subject.clone(),
        method: None,
        route: None,
        status: None,
        duration_us: None,
        ip: actor.ip.map(|ip| ip.to_string()),
        agent: actor.agent.clone(),
        request_id: actor.request,
        detail,
        count: 1,
    }
}

pub fn append(tx: &mut Tx<'_>, records: &[Record]) -> Result<()> {
    Ok(rows::insert(tx, records)?)
}

/// Adds API requests and updates the last use of their tokens. The order doesn't matter, and adding a
/// request twice changes nothing.
pub(crate) fn append_calls<'a>(
    tx: &mut Tx<'_>,
    calls: impl Iterator<Item = CallRecord<'a>>,
    uses: &[Use],
) -> Result<()> {
    calls::insert(tx, calls)?;
    Ok(uses::record(tx, uses)?)
}

/// Like [`append_calls`], but faster, for requests that have never been added.
///
/// # Errors
/// `Conflict` on Postgres if one has been added.
pub(crate) fn append_new_calls<'a>(
    tx: &mut Tx<'_>,
    calls: impl Iterator<Item = CallRecord<'a>>,
    uses: &[Use],
) -> Result<()> {
    calls::insert_new(tx, calls)?;
    Ok(uses::record(tx, uses)?)
}

pub(crate) fn find_named(tx: &mut Tx<'_>, team: TeamId, id: ActivityId) -> Result<Named> {
    rows::find_named(tx, team, id)?.ok_or(Error::NotFound)
}

pub fn list(
    tx: &mut Tx<'_>,
    team: TeamId,
    filter: &Filter,
    window: Window<ActivityId>,
) -> Result<Page<Record, ActivityId>> {
    Page::load(window, |window| rows::list(tx, team, filter, window), |record| record.id)
}

/// Like [`list`], with the names that the records mention.
pub fn list_named(
    tx: &mut Tx<'_>,
    team: TeamId,
    filter: &Filter,
    window: Window<ActivityId>,
) -> Result<Page<Named, ActivityId>> {
    Page::load(window, |window| rows::list_named(tx, team, filter, window), |named| named.record.id)
}

/// Returns the team's people by name, and its newest tokens.
pub(crate) fn subjects(tx: &mut Tx<'_>, team: TeamId, tokens: i64) -> Result<(Vec<Subject>, Vec<Subject>)> {
    let all = rows::subjects(tx, team, tokens)?;
    let (mut tokens, mut people): (Vec<_>, Vec<_>) = all.into_iter().partition(|each| each.is_token);
    people.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    tokens.sort_by(|a, b| b.id.cmp(&a.id));
    Ok((people, tokens))
}

/// Counts API requests since `from`, of one token or of the whole team.
pub fn calls_since(tx: &mut Tx<'_>, team: TeamId, token: Option<TokenId>, from: Timestamp) -> Result<Capped> {
    Capped::count(|limit| rows::count_calls(tx, team, token, from, limit))
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub in_24h: Capped,
    pub in_7d: Capped,
    pub in_30d: Capped,
}

pub(crate) fn usage(tx: &mut Tx<'_>, team: TeamId, token: TokenId, now: Timestamp) -> Result<Usage> {
    let since = [1, 7, 30].map(|days| now.minus(Duration::days(days)));
    let [in_24h, in_7d, in_30d] = rows::count_calls_since(tx, team, token, since, MAX_COUNT + 1)?.map(Capped);
    Ok(Usage { in_24h, in_7d, in_30d })
}

/// Counts the calls that count towards the limit of the hour that began at `began`, for one token or the
/// whole team. Includes calls up to [`Timestamp::MAX_CLOCK_DRIFT`] after that hour.
pub fn used_in_hour(tx: &mut Tx<'_>, team: TeamId, token: Option<TokenId>, began: Timestamp) -> Result<u32> {
    let until = began.plus(Duration::HOUR + Timestamp::MAX_CLOCK_DRIFT);
    let used = rows::sum_calls(tx, team, token, (began, until))?;
    Ok(u32::try_from(used).unwrap_or(u32::MAX))
}
