//! Addresses that receive mail.

use super::address::{DomainName, LocalPart, POSTMASTER};
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::lists::{Page, Window};
use crate::domain::nouns::{Noun, team_noun};
use crate::domain::people::roles::Role;
use crate::domain::{Error, FieldError, Result, text};
use crate::store::Tx;
use crate::store::ids::{DomainId, TeamId};
use crate::store::mailroom::{aliases as rows, mail_domains as domain_rows};

pub use crate::store::ids::AliasId;
pub(crate) use rows::ShadowedAlias;
pub use rows::{Alias, Column, Filter};

const MAX_NOTE: usize = 1000;

/// Names that mail operators and certificate authorities write to, reserved on the shared domain.
const RESERVED: [&str; 10] = [
    POSTMASTER,
    "abuse",
    "admin",
    "administrator",
    "hostmaster",
    "mailer-daemon",
    "root",
    "security",
    "ssladmin",
    "webmaster",
];

impl Alias {
    pub fn address(&self) -> String {
        format!("{}@{}", self.local, self.domain_name)
    }

    pub(crate) fn is_postmaster(&self) -> bool {
        self.local_key == POSTMASTER
    }
}

pub(crate) fn parse_note(text: &str) -> std::result::Result<Option<String>, FieldError> {
    text::lines("note", "a note", text, MAX_NOTE)
}

#[derive(Clone, Debug)]
pub struct NewAlias {
    /// `None` for a random one.
    pub local: Option<LocalPart>,
    /// `None` for the shared domain, or else one of the team's.
    pub domain: Option<String>,
    pub note: Option<String>,
}

/// Creates an alias. `shared` is the name of the shared domain.
///
/// # Errors
/// `Invalid` on `domain` if the team lacks it, `Conflict` on `localPart` if the address is or was in use.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, shared: &str, new: &NewAlias) -> Result<Alias> {
    actor.require_or_token(tx, team, Role::Member)?;
    let (domain_id, domain_name) = domain_of(tx, team, shared, new.domain.as_deref())?;
    let local = new.local.clone().unwrap_or_else(|| LocalPart::random(&*actor.entropy));
    if domain_id.is_none() {
        check_shared(tx, team, shared, &local)?;
    }
    let alias = row(actor, team, domain_id, &domain_name, &local, new.note.clone());
    if rows::find_by_key(tx, domain_id, &alias.local_key)?.is_some() {
        let (field, sentence) = taken(&alias);
        return Err(Error::conflict(field, sentence));
    }
    insert(tx, actor, alias)
}

/// Checks a name on the shared domain against those of other teams. Needs no lock, because rows are never
/// removed: the result is still valid when the alias is inserted.
fn check_shared(tx: &mut Tx<'_>, team: TeamId, shared: &str, local: &LocalPart) -> Result<()> {
    let (key, name) = (local.key(), local.as_str());
    let refuse = |why: String| Err(Error::conflict("localPart", why));
    let Some(base) = local.tag_base() else {
        if is_reserved(&key) {
            return refuse(format!("{name}@{shared} is reserved."));
        }
        // Older versions created aliases with a `+` even if the name before it didn't exist.
        return match rows::is_tagged_by_another(tx, team, &key)? {
            true => refuse(format!(
                "{name}@{shared} is taken: another team has addresses that start with {name}+."
            )),
            false => Ok(()),
        };
    };
    if is_reserved(&base) {
        return refuse(format!("{name}@{shared} is reserved."));
    }
    match rows::find_by_key(tx, None, &base)? {
        Some(found) if found.team_id == team => Ok(()),
        Some(_) => refuse(format!("{name}@{shared} is taken: another team has {base}@{shared}.")),
        None => refuse(format!(
            "Create {base}@{shared} first. Addresses that start with {base}+ belong to its team."
        )),
    }
}

pub(super) fn is_reserved(local_key: &str) -> bool {
    RESERVED.contains(&local_key)
}

/// Lists addresses on the shared domain that get no mail, because the name before their `+` belongs to
/// another team or is reserved. Older versions could create them.
pub fn shadowed_aliases(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<ShadowedAlias>> {
    Ok(rows::shadowed_aliases(tx, &format!(",{},", RESERVED.join(",")), limit)?)
}

fn domain_of(
    tx: &mut Tx<'_>,
    team: TeamId,
    shared: &str,
    name: Option<&str>,
) -> Result<(Option<DomainId>, String)> {
    let name = name.map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty() && name != shared);
    let Some(name) = name else { return Ok((None, shared.to_owned())) };
    let name = DomainName::parse(&name).map_err(|error| FieldError::new("domain", error.message))?;
    let of_team =
        domain_rows::find_by_name(tx, team, name.as_str())?.filter(|domain| domain.removed_at.is_none());
    match of_team {
        Some(domain) => Ok((Some(domain.id), domain.name)),
        None => {
            let message = format!("{} isn't one of your team's domains. Add it first.", name.as_str());
            Err(FieldError::new("domain", message).into())
        }
    }
}

fn row(
    actor: &Actor,
    team: TeamId,
    domain_id: Option<DomainId>,
    domain_name: &str,
    local: &LocalPart,
    note: Option<String>,
) -> Alias {
    Alias {
        id: AliasId::new(actor.now, actor.chance()),
        team_id: team,
        domain_id,
        domain_name: domain_name.to_owned(),
        local: local.as_str().to_owned(),
        local_key: local.key(),
        note,
        enabled: true,
        created_at: actor.now,
        created_by_label: actor.label().into_owned(),
        deleted_at: None,
        deleted_by_label: None,
        received: 0,
        denied: 0,
        last_received_at: None,
    }
}

team_noun! { Alias, AliasId: find, list, sorted, count, insert, save, plain; Member: lock }

fn event(kind: ActivityKind, alias: &Alias) -> Event {
    Event::of(kind).subject(&alias.address()).detail("enabled", alias.enabled)
}

fn taken(alias: &Alias) -> (&'static str, String) {
    ("localPart", format!("{} is taken. Deleted addresses can't be reused.", alias.address()))
}

/// Creates the alias that every domain has, unless it exists.
pub(super) fn create_postmaster(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    domain: Option<DomainId>,
    domain_name: &str,
) -> Result<()> {
    let local = LocalPart::parse(POSTMASTER)?;
    let alias = row(actor, team, domain, domain_name, &local, None);
    match rows::insert_unless_taken(tx, &alias)? {
        true => activity::record(tx, actor, team, event(ActivityKind::Created(Noun::Alias), &alias)),
        false => Ok(()),
    }
}

/// Returns the alias that gets mail to unknown addresses of the domain.
pub(super) fn catch_all(tx: &mut Tx<'_>, domain: DomainId) -> Result<Option<Alias>> {
    Ok(rows::catch_all(tx, domain)?)
}

/// Lists aliases, including deleted ones.
pub(crate) fn list_ever(
    tx: &mut Tx<'_>,
    team: TeamId,
    window: Window<AliasId>,
) -> Result<Page<Alias, AliasId>> {
    Page::load(window, |window| rows::list_ever(tx, team, window), |alias| alias.id)
}

/// Finds aliases, including deleted ones, because messages still refer to them.
pub(crate) fn find_all(tx: &mut Tx<'_>, team: TeamId, ids: &[AliasId]) -> Result<Vec<Alias>> {
    Ok(rows::find_all(tx, team, ids)?)
}

/// # Errors
/// `Conflict` on `enabled` for postmaster, which must receive mail.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    id: AliasId,
    note: Option<&str>,
    enabled: bool,
) -> Result<Alias> {
    let before = lock(tx, actor, team, id)?;
    if before.is_postmaster() && !enabled {
        return Err(Error::conflict(
            "enabled",
            "Mail to postmaster is always accepted, so this alias can't be turned off.",
        ));
    }
    let after = Alias { note: note.map(str::to_owned), enabled, ..before.clone() };
    save(tx, actor, &before, after)
}

/// Turns several aliases on or off.
///
/// # Errors
/// Like [`change`].
pub(crate) fn switch(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    ids: &[AliasId],
    enabled: bool,
) -> Result<Vec<AliasId>> {
    let mut changed = Vec::new();
    for &id in ids {
        let before = find(tx, team, id)?;
        change(tx, actor, team, id, before.note.as_deref(), enabled)?;
        if before.enabled != enabled {
            changed.push(id);
        }
    }
    Ok(changed)
}

/// Deletes an alias: it receives no more mail, and its address is never reused.
///
/// # Errors
/// `Conflict` for postmaster, which must receive mail.
pub fn delete(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: AliasId) -> Result<()> {
    let before = lock(tx, actor, team, id)?;
    if before.is_postmaster() {
        return Err(Error::conflict(
            "alias",
            "Mail to postmaster is always accepted, so this alias can't be deleted.",
        ));
    }
    let deleted_by_label = Some(actor.label().into_owned());
    let deleted = Alias { deleted_at: Some(actor.now), deleted_by_label, ..before };
    if !rows::save(tx, &deleted)? {
        return Err(Error::NotFound);
    }
    activity::record(tx, actor, team, event(ActivityKind::Deleted(Noun::Alias), &deleted))
}
