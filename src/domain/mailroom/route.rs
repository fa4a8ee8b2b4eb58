use super::address::{MailAddress, POSTMASTER};
use super::aliases;
use crate::domain::Result;
use crate::domain::actor::Actor;
use crate::store::Tx;
use crate::store::ids::{AliasId, DomainId, TeamId};
use crate::store::mailroom::{aliases as alias_rows, mail_domains as domain_rows, mail_usage};
use crate::store::people::teams as team_rows;

#[derive(Clone, Debug)]
pub struct MailSettings {
    pub domain: String,
    pub quota: Option<u64>,
    /// The bytes of refused mail that a team stores outside of the quota. New mail replaces the oldest.
    pub refused_bytes: i64,
}

/// The default of [`MailSettings::refused_bytes`].
pub(crate) const REFUSED_BYTES: i64 = 64 << 20;

impl MailSettings {
    /// The type that the store uses; `None` for no limit.
    pub(super) fn quota(&self) -> Option<i64> {
        self.quota.map(|quota| i64::try_from(quota).unwrap_or(i64::MAX))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedBy {
    Exact,
    Tag,
    CatchAll,
    Postmaster,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub team: TeamId,
    pub alias: AliasId,
    /// As the sender wrote it.
    pub address: String,
    pub matched_by: MatchedBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unroutable {
    Unknown,
    Disabled,
    Deleted,
    /// The domain's proof was lost.
    Suspended,
    Full,
    HourlyLimit,
    /// The message has passed too many servers, or this one before.
    Loop,
}

/// Finds the alias of an address: an exact match, else the alias before the `+`, else the domain's
/// catch-all. Addresses with a `+` belong to the team that has or had the name before it. Every domain has
/// a `postmaster`.
pub fn route(
    tx: &mut Tx<'_>,
    settings: &MailSettings,
    address: &str,
) -> Result<std::result::Result<Recipient, Unroutable>> {
    let Some(parsed) = MailAddress::parse(address) else { return Ok(Err(Unroutable::Unknown)) };
    let domain = match domain_of(tx, settings, &parsed)? {
        Ok(domain) => domain,
        Err(why) => return Ok(Err(why)),
    };
    let found = match alias_of(tx, domain, &parsed)? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    let (alias, matched_by) = found;
    if let Some(quota) = settings.quota()
        && mail_usage::find(tx, alias.team_id)?.bytes >= quota
    {
        return Ok(Err(Unroutable::Full));
    }
    Ok(Ok(Recipient { team: alias.team_id, alias: alias.id, address: address.to_owned(), matched_by }))
}

/// Finds the active domain of an address; `None` is the shared domain.
fn domain_of(
    tx: &mut Tx<'_>,
    settings: &MailSettings,
    address: &MailAddress,
) -> Result<std::result::Result<Option<DomainId>, Unroutable>> {
    if address.domain() == settings.domain {
        return Ok(Ok(None));
    }
    if let Some(domain) = domain_rows::find_active(tx, address.domain())? {
        return Ok(Ok(Some(domain.id)));
    }
    match domain_rows::is_suspended(tx, address.domain())? {
        true => Ok(Err(Unroutable::Suspended)),
        false => Ok(Err(Unroutable::Unknown)),
    }
}

type Found = std::result::Result<(alias_rows::Alias, MatchedBy), Unroutable>;

fn alias_of(tx: &mut Tx<'_>, domain: Option<DomainId>, address: &MailAddress) -> Result<Found> {
    let exact = alias_rows::find_by_key(tx, domain, &address.local_key())?;
    let base = match address.tag_base() {
        Some(base) => alias_rows::find_by_key(tx, domain, &base)?,
        None => None,
    };
    if let Some(exact) = exact.filter(|exact| owns_its_base(exact, base.as_ref(), address)) {
        let matched_by = if address.is_postmaster() { MatchedBy::Postmaster } else { MatchedBy::Exact };
        return Ok(unless_refused(exact, matched_by));
    }
    if let Some(base) = base {
        return Ok(unless_refused(base, MatchedBy::Tag));
    }
    // Mail to a missing postmaster doesn't go to the catch-all, because postmaster is created.
    let Some(domain) = domain.filter(|_| !address.is_postmaster()) else {
        return Ok(Err(Unroutable::Unknown));
    };
    let found = aliases::catch_all(tx, domain)?.map(|alias| unless_refused(alias, MatchedBy::CatchAll));
    // A disabled or deleted catch-all accepts nothing.
    Ok(Ok(match found {
        Some(Ok(found)) => found,
        _ => return Ok(Err(Unroutable::Unknown)),
    }))
}

/// Whether an alias with a `+` belongs to the team that has the name before it. Aliases from older versions,
/// which didn't check this, must not get another team's mail.
fn owns_its_base(exact: &alias_rows::Alias, base: Option<&alias_rows::Alias>, address: &MailAddress) -> bool {
    match (base, address.tag_base()) {
        (Some(base), _) => base.team_id == exact.team_id,
        (None, Some(base)) => exact.domain_id.is_some() || !aliases::is_reserved(&base),
        (None, None) => true,
    }
}

fn unless_refused(alias: alias_rows::Alias, matched_by: MatchedBy) -> Found {
    match refusal(&alias, matched_by) {
        Some(why) => Err(why),
        None => Ok((alias, matched_by)),
    }
}

pub(super) fn refusal(alias: &alias_rows::Alias, matched_by: MatchedBy) -> Option<Unroutable> {
    match alias {
        _ if matched_by == MatchedBy::Postmaster => None,
        alias if alias.deleted_at.is_some() => Some(Unroutable::Deleted),
        alias if !alias.enabled => Some(Unroutable::Disabled),
        _ => None,
    }
}

/// Whether [`create_postmaster`] would create an alias for this address.
pub(crate) fn lacks_postmaster(tx: &mut Tx<'_>, settings: &MailSettings, address: &str) -> Result<bool> {
    Ok(missing_postmaster(tx, settings, address)?.is_some())
}

/// Creates a missing `postmaster` for the domain's team, or for the oldest team on the shared domain.
pub(crate) fn create_postmaster(
    tx: &mut Tx<'_>,
    actor: &Actor,
    settings: &MailSettings,
    address: &str,
) -> Result<()> {
    match missing_postmaster(tx, settings, address)? {
        Some(missing) => {
            aliases::create_postmaster(tx, actor, missing.team, missing.domain, missing.address.domain())
        }
        None => Ok(()),
    }
}

struct Missing {
    address: MailAddress,
    domain: Option<DomainId>,
    team: TeamId,
}

fn missing_postmaster(tx: &mut Tx<'_>, settings: &MailSettings, address: &str) -> Result<Option<Missing>> {
    let address = MailAddress::parse(address).filter(MailAddress::is_postmaster);
    let Some(address) = address else { return Ok(None) };
    let Ok(domain) = domain_of(tx, settings, &address)? else { return Ok(None) };
    if alias_rows::find_by_key(tx, domain, POSTMASTER)?.is_some() {
        return Ok(None);
    }
    let team = match domain {
        Some(_) => domain_rows::find_active(tx, address.domain())?.map(|domain| domain.team_id),
        None => team_rows::oldest(tx)?,
    };
    Ok(team.map(|team| Missing { address, domain, team }))
}
