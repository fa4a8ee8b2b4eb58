use super::roles::Role;
use super::users::{self, NewPerson, User};
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::{Actor, Identity};
use crate::domain::{Error, FieldError, Result, names};
use crate::store::Tx;
use crate::store::columns::{MemberRole, Plan};
use crate::store::instance;
use crate::store::people::{members as member_rows, teams as rows};

pub use crate::store::ids::TeamId;
pub use rows::Team;

#[derive(Clone, Debug)]
pub struct TeamName(String);

impl TeamName {
    pub fn parse(text: &str) -> std::result::Result<Self, FieldError> {
        names::parse("team", "a team name", text, 60).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone)]
pub struct NewTeam {
    pub name: TeamName,
    pub plan: Plan,
    pub owner: NewPerson,
}

/// Creates a team and its owner. A visitor's creation is recorded as the new owner's.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, new: &NewTeam) -> Result<(Team, User)> {
    instance::claim_set_up(tx, actor.now)?;
    let owner = users::create(tx, actor, &new.owner, None)?;
    let founder = match actor.identity {
        Identity::Visitor => actor.as_person(owner.id, &owner.email),
        _ => actor.clone(),
    };
    let team = create_for(tx, &founder, &new.name, new.plan, &owner)?;
    Ok((team, owner))
}

/// Creates a team for a person who has an account.
pub fn create_for(tx: &mut Tx<'_>, actor: &Actor, name: &TeamName, plan: Plan, owner: &User) -> Result<Team> {
    let team = Team {
        id: TeamId::new(actor.now, actor.chance()),
        name: name.0.clone(),
        name_key: names::key(&name.0),
        plan,
        owner_id: owner.id,
        api_enabled: false,
        created_at: actor.now,
    };
    insert(tx, &team)?;
    member_rows::insert(tx, team.id, owner.id, MemberRole::Admin, actor.now)?;
    let event = Event::of(ActivityKind::TeamCreated)
        .subject(&team.name)
        .detail("owner", owner.email.as_str())
        .detail("plan", team.plan.as_str());
    activity::record(tx, actor, team.id, event)?;
    Ok(team)
}

fn insert(tx: &mut Tx<'_>, team: &Team) -> Result<()> {
    let taken = taken(&team.name);
    if rows::find_by_name(tx, &team.name_key)?.is_some() {
        return Err(Error::conflict("team", taken));
    }
    rows::insert(tx, team).map_err(|error| Error::from(error).as_conflict("team", taken))
}

/// Returns false if the team already has the name.
pub fn rename(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, name: &TeamName) -> Result<bool> {
    actor.require(tx, team, Role::Owner)?;
    let before = find(tx, team)?;
    if before.name == name.0 {
        return Ok(false);
    }
    let (key, taken) = (names::key(&name.0), taken(&name.0));
    if rows::find_by_name(tx, &key)?.is_some_and(|other| other.id != team) {
        return Err(Error::conflict("team", taken));
    }
    rows::rename(tx, team, &name.0, &key).map_err(|error| Error::from(error).as_conflict("team", taken))?;
    let event = Event::of(ActivityKind::TeamRenamed).subject(&name.0).detail("from", before.name.as_str());
    activity::record(tx, actor, team, event)?;
    Ok(true)
}

/// Records that the owner takes the team's data with them.
pub(crate) fn record_export(tx: &mut Tx<'_>, actor: &Actor, team: TeamId) -> Result<()> {
    actor.require(tx, team, Role::Owner)?;
    activity::record(tx, actor, team, Event::of(ActivityKind::TeamExported))
}

fn taken(name: &str) -> String {
    format!("A team called {name} already exists.")
}

/// Creates the first team. If several try at once, one succeeds. `NotFound` if there is one.
pub(crate) fn set_up(tx: &mut Tx<'_>, actor: &Actor, new: &NewTeam) -> Result<(Team, User)> {
    match instance::claim_set_up(tx, actor.now)? {
        true => create(tx, actor, new),
        false => Err(Error::NotFound),
    }
}

pub(crate) fn is_set_up(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(instance::is_set_up(tx)?)
}

pub(crate) fn find(tx: &mut Tx<'_>, id: TeamId) -> Result<Team> {
    rows::find(tx, id)?.ok_or(Error::NotFound)
}

pub fn find_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Team> {
    // Teams from before a change of [`names::RULE`] can share a key, so the exact spelling decides.
    match rows::find_by_spelling(tx, name)? {
        Some(team) => Ok(team),
        None => rows::find_by_name(tx, &names::key(name))?.ok_or(Error::NotFound),
    }
}
