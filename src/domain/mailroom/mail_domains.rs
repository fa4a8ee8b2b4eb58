//! Domains of a team, verified by a TXT record and checked regularly.
//!
//! A team proves that it owns a domain by publishing a DNS record. A domain receives mail for one team at a
//! time. It is suspended if the proof has been missing for [`SUSPENSION_GRACE`], or at once if another team's
//! proof is found instead.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::address::DomainName;
use super::aliases;
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::nouns::team_noun;
use crate::domain::people::roles::Role;
use crate::domain::sealing::hex;
use crate::domain::{Error, Result, Timestamp, entropy};
use crate::store::Tx;
use crate::store::ids::{AliasId, TeamId};
use crate::store::mailroom::mail_domains as rows;

pub use crate::store::ids::DomainId;
pub use rows::{Column, Domain, Filter};

/// How long a proof may be missing before its domain is suspended.
pub(crate) const SUSPENSION_GRACE: Duration = Duration::days(7);
const VERIFIED_INTERVAL: Duration = Duration::days(1);
const UNVERIFIED_INTERVAL: Duration = Duration::hours(1);
const PROOF_DEADLINE: Duration = Duration::days(7);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The texts of TXT records or the hosts of MX records.
    Found(Vec<String>),
    Nothing,
    /// The lookup failed, for this reason.
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The TXT records of [`Domain::proof_name`].
    pub proof: Answer,
    pub mx: Answer,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordState {
    #[default]
    Unchecked,
    Ok,
    Missing,
    Wrong,
    Unknown,
}

impl RecordState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub name: String,
    pub value: String,
    pub state: RecordState,
    pub found: Vec<String>,
    pub checked_at: Option<Timestamp>,
}

/// The result of a check, stored as JSON.
#[derive(Default, Serialize, Deserialize)]
struct Findings {
    txt: Finding,
    mx: Finding,
    /// Whether another team has the domain and its proof is still published.
    #[serde(default)]
    held: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Finding {
    state: RecordState,
    found: Vec<String>,
}

impl Domain {
    pub fn is_active(&self) -> bool {
        self.verified_at.is_some() && self.suspended_at.is_none()
    }

    /// Whether the proof was found, but another team has the domain and its proof is still published.
    pub fn is_verified_by_another(&self) -> bool {
        !self.is_active() && self.findings().held
    }

    /// When the domain will be suspended, if its proof stays missing.
    pub fn suspension_due(&self) -> Option<Timestamp> {
        let seen = self.proof_seen_at.filter(|seen| self.is_active() && self.checked_at > Some(*seen))?;
        Some(seen.plus(SUSPENSION_GRACE))
    }

    pub(crate) fn proof_name(&self) -> String {
        format!("_gatepost.{}", self.name)
    }

    pub fn proof_value(&self) -> String {
        format!("gatepost-verify={}", self.proof)
    }

    /// The records to publish. The MX record is left out if other machines can't find `mail_host`.
    pub fn records(&self, mail_host: &str) -> Vec<Record> {
        let Findings { txt, mx, .. } = self.findings();
        let record = |kind, name, value, finding: Finding| {
            let Finding { state, found } = finding;
            Record { kind, name, value, state, found, checked_at: self.checked_at }
        };
        let proof = record("TXT", self.proof_name(), self.proof_value(), txt);
        let route = || record("MX", self.name.clone(), format!("10 {mail_host}"), mx);
        [proof].into_iter().chain(is_public(mail_host).then(route)).collect()
    }

    /// The state of the MX record at the last check.
    pub(crate) fn mx_state(&self) -> RecordState {
        self.findings().mx.state
    }

    fn findings(&self) -> Findings {
        serde_json::from_str(&self.findings).unwrap_or_default()
    }
}

/// Whether other machines can find this host: not `localhost`, nor a name without a dot.
pub(crate) fn is_public(host: &str) -> bool {
    host.contains('.') && !host.ends_with(".localhost")
}

/// Adds a domain. It receives no mail until it is verified.
///
/// # Errors
/// `Conflict` on `name` if the team has it, or if it is the shared domain.
pub fn add(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, shared: &str, name: &DomainName) -> Result<Domain> {
    actor.require_or_token(tx, team, Role::Admin)?;
    let taken = || format!("{} has already been added.", name.as_str());
    if name.as_str() == shared {
        return Err(Error::conflict("name", format!("{shared} is already available to every team.")));
    }
    let earlier = rows::find_by_name(tx, team, name.as_str())?;
    if earlier.as_ref().is_some_and(|earlier| earlier.removed_at.is_none()) {
        return Err(Error::conflict("name", taken()));
    }
    let domain = new(actor, team, name, earlier.as_ref().map(|earlier| earlier.id));
    match earlier {
        Some(_) => rows::save(tx, &domain)?,
        None => rows::insert(tx, &domain).map_err(|error| Error::from(error).as_conflict("name", taken()))?,
    }
    record(tx, actor, &domain, ActivityKind::DomainAdded)?;
    Ok(domain)
}

/// `id` is the earlier id of a removed domain, so that its aliases return with it.
fn new(actor: &Actor, team: TeamId, name: &DomainName, id: Option<DomainId>) -> Domain {
    Domain {
        id: id.unwrap_or_else(|| DomainId::new(actor.now, actor.chance())),
        team_id: team,
        name: name.as_str().to_owned(),
        proof: hex(&entropy::bytes::<16>(&*actor.entropy)),
        created_at: actor.now,
        created_by_label: actor.label().into_owned(),
        verified_at: None,
        proof_seen_at: None,
        suspended_at: None,
        checked_at: None,
        removed_at: None,
        findings: "{}".into(),
        catch_all_id: None,
    }
}

fn record(tx: &mut Tx<'_>, actor: &Actor, domain: &Domain, kind: ActivityKind) -> Result<()> {
    activity::record(tx, actor, domain.team_id, Event::of(kind).subject(&domain.name))
}

team_noun! { Domain, DomainId: find, sorted, count; Admin: lock }

/// Sorted by name. Not paged, because a team has few domains.
pub fn list(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Domain>> {
    Ok(rows::list(tx, team)?)
}

/// Even removed ones.
pub(crate) fn list_ever(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Domain>> {
    Ok(rows::list_ever(tx, team)?)
}

/// Removes a domain: its aliases receive no more mail. They return if the team adds and verifies it again.
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: DomainId) -> Result<()> {
    let domain = lock(tx, actor, team, id)?;
    let removed = Domain {
        removed_at: Some(actor.now),
        verified_at: None,
        suspended_at: None,
        catch_all_id: None,
        ..domain
    };
    rows::save(tx, &removed)?;
    record(tx, actor, &removed, ActivityKind::DomainRemoved)
}

/// Sets the alias that gets mail to unknown addresses of the domain.
pub fn set_catch_all(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    id: DomainId,
    alias: Option<AliasId>,
) -> Result<Domain> {
    let domain = lock(tx, actor, team, id)?;
    if domain.catch_all_id == alias {
        return Ok(domain);
    }
    let alias = alias.map(|alias| aliases::find(tx, team, alias)).transpose()?;
    let changed = Domain { catch_all_id: alias.as_ref().map(|alias| alias.id), ..domain };
    rows::save(tx, &changed)?;
    let to = alias.map(|alias| alias.address()).unwrap_or_default();
    let event = Event::of(ActivityKind::CatchAllChanged).subject(&changed.name).detail("to", to);
    activity::record(tx, actor, team, event)?;
    Ok(changed)
}

/// Lists domains that are due for a check, starting with those checked longest ago.
pub fn due(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<Vec<Domain>> {
    let (proved, unproved) = (now.minus(VERIFIED_INTERVAL), now.minus(UNVERIFIED_INTERVAL));
    let latest = now.plus(Timestamp::MAX_CLOCK_DRIFT);
    Ok(rows::due(tx, (proved, unproved), now.minus(PROOF_DEADLINE), latest, limit)?)
}

pub(crate) fn is_due(tx: &mut Tx<'_>, now: Timestamp, team: TeamId, id: DomainId) -> Result<bool> {
    let Some(domain) = rows::find(tx, team, id)? else { return Ok(false) };
    let interval = if domain.verified_at.is_some() { VERIFIED_INTERVAL } else { UNVERIFIED_INTERVAL };
    Ok(domain.checked_at.is_none_or(|checked| checked < now.minus(interval) || checked.is_ahead_of(now)))
}

/// Stores the result of a check, and verifies or suspends the domain accordingly.
pub fn record_check(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    id: DomainId,
    mail_host: &str,
    seen: &Observation,
) -> Result<Domain> {
    let mut domain = rows::lock(tx, team, id)?.ok_or(Error::NotFound)?;
    let was_active = domain.is_active();
    let proof = txt_finding(&seen.proof, &domain.proof_value());
    let (is_proved, is_gone) =
        (proof.state == RecordState::Ok, matches!(proof.state, RecordState::Missing | RecordState::Wrong));
    let mut findings = Findings { txt: proof, mx: mx_finding(&seen.mx, mail_host), held: false };
    domain.checked_at = Some(actor.now);
    if is_proved {
        domain.proof_seen_at = Some(actor.now);
        findings.held = !was_active && !take_from_other_team(tx, actor, &domain, &findings.txt.found)?;
    }
    // A clock that ran ahead set the time, so the grace period begins now.
    domain.proof_seen_at =
        domain.proof_seen_at.map(|seen| if seen.is_ahead_of(actor.now) { actor.now } else { seen });
    let lost = is_gone && domain.proof_seen_at.is_some_and(|seen| actor.now.since(seen) >= SUSPENSION_GRACE);
    if is_proved && !was_active && !findings.held {
        domain.verified_at = Some(actor.now);
        domain.suspended_at = None;
        record(tx, actor, &domain, ActivityKind::DomainVerified)?;
    } else if was_active && lost {
        domain.suspended_at = Some(actor.now);
        record(tx, actor, &domain, ActivityKind::DomainSuspended)?;
    }
    domain.findings = serde_json::to_string(&findings).unwrap_or_default();
    rows::save(tx, &domain)?;
    Ok(domain)
}

/// Suspends the domain of the team that has it, unless its proof is still published. Returns whether the
/// domain is free.
fn take_from_other_team(tx: &mut Tx<'_>, actor: &Actor, domain: &Domain, texts: &[String]) -> Result<bool> {
    let Some(other) = rows::find_active(tx, &domain.name)?.filter(|other| other.id != domain.id) else {
        return Ok(true);
    };
    if texts.iter().any(|text| text.trim() == other.proof_value()) {
        return Ok(false);
    }
    let suspended = Domain { suspended_at: Some(actor.now), ..other };
    rows::save(tx, &suspended)?;
    record(tx, actor, &suspended, ActivityKind::DomainSuspended)?;
    Ok(true)
}

fn txt_finding(answer: &Answer, value: &str) -> Finding {
    finding(answer, |found| found.trim() == value)
}

fn mx_finding(answer: &Answer, mail_host: &str) -> Finding {
    finding(answer, |found| found.trim_end_matches('.').eq_ignore_ascii_case(mail_host))
}

fn finding(answer: &Answer, is_it: impl Fn(&str) -> bool) -> Finding {
    let (state, found) = match answer {
        Answer::Found(found) if found.iter().any(|each| is_it(each)) => (RecordState::Ok, found.clone()),
        Answer::Found(found) if !found.is_empty() => (RecordState::Wrong, found.clone()),
        Answer::Found(_) | Answer::Nothing => (RecordState::Missing, Vec::new()),
        Answer::Failed(why) => (RecordState::Unknown, vec![why.clone()]),
    };
    // DNS records can be long and contain any characters.
    let clean = |text: String| text.chars().filter(|c| !c.is_control()).take(255).collect::<String>();
    Finding { state, found: found.into_iter().take(20).map(clean).collect() }
}
