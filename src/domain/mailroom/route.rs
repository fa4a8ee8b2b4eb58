//! Whom an address leads to.

use super::address::{MailAddress, POSTMASTER};
use super::aliases;
use crate::domain::Result;
use crate::domain::actor::Actor;
use crate::store::Tx;
use crate::store::ids::{AliasId, DomainId, TeamId};
use crate::store::mailroom::{aliases as alias_rows, mail_domains as domain_rows, mail_usage};
use crate::store::people::teams as team_rows;

/// Where mail is taken, and how much of it.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The shared domain, in lower case.
    pub domain: String,
    /// Bytes a team may keep.
    pub quota: Option<u64>,
    /// Bytes of refused mail a team keeps beside that: when there are more, the oldest goes.
    pub refused: i64,
}

/// See [`MailSettings::refused`].
pub const REFUSED: i64 = 64 << 20;

impl MailSettings {
    /// Bytes a team may keep, as they are counted; `None` is any number.
    pub(super) fn quota(&self) -> Option<i64> {
        self.quota.map(|quota| i64::try_from(quota).unwrap_or(i64::MAX))
    }
}

/// Why an address leads to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Exact,
    Tag,
    CatchAll,
    Postmaster,
}

/// Whom an address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub team: TeamId,
    pub alias: AliasId,
    /// As it was given.
    pub address: String,
    pub way: Way,
}

/// Why nobody takes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unroutable {
    Unknown,
    Disabled,
    Deleted,
    /// The domain's proof was lost.
    Suspended,
    /// The team keeps as much as it may.
    Full,
    /// Its network has sent as much as it can in an hour.
    TooMuch,
    /// It has been handed on too often.
    Loop,
}

/// Whom an address leads to: the alias itself, else that before its `+`, else the domain's
/// catch-all. The team that has the name before a `+`, or had it and deleted it, has all tags
/// of it. `postmaster` is there on every domain, see [`make_postmaster`].
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
    let (alias, way) = found;
    if let Some(quota) = settings.quota()
        && mail_usage::find(tx, alias.team_id)?.bytes >= quota
    {
        return Ok(Err(Unroutable::Full));
    }
    Ok(Ok(Recipient { team: alias.team_id, alias: alias.id, address: address.to_owned(), way }))
}

/// The active row of a domain; `None` is the shared one.
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

type Found = std::result::Result<(alias_rows::Alias, Way), Unroutable>;

fn alias_of(tx: &mut Tx<'_>, domain: Option<DomainId>, address: &MailAddress) -> Result<Found> {
    let exact = alias_rows::find_by_key(tx, domain, &address.local_key())?;
    let base = match address.tag_base() {
        Some(base) => alias_rows::find_by_key(tx, domain, &base)?,
        None => None,
    };
    if let Some(exact) = exact.filter(|exact| is_theirs(exact, base.as_ref(), address)) {
        let way = if address.is_postmaster() { Way::Postmaster } else { Way::Exact };
        return Ok(taking(exact, way));
    }
    if let Some(base) = base {
        return Ok(taking(base, Way::Tag));
    }
    // A postmaster that is not there yet is made, and no catch-all's.
    let Some(domain) = domain.filter(|_| !address.is_postmaster()) else {
        return Ok(Err(Unroutable::Unknown));
    };
    let found = aliases::catch_all(tx, domain)?.map(|alias| taking(alias, Way::CatchAll));
    // One that is switched off or deleted catches nothing.
    Ok(Ok(match found {
        Some(Ok(found)) => found,
        _ => return Ok(Err(Unroutable::Unknown)),
    }))
}

/// Whether an alias with a `+` belongs to the team that has the name before it. Others were
/// created before that was checked, and would get that team's mail.
fn is_theirs(exact: &alias_rows::Alias, base: Option<&alias_rows::Alias>, address: &MailAddress) -> bool {
    match (base, address.tag_base()) {
        (Some(base), _) => base.team_id == exact.team_id,
        (None, Some(base)) => exact.domain_id.is_some() || !aliases::is_reserved(&base),
        (None, None) => true,
    }
}

fn taking(alias: alias_rows::Alias, way: Way) -> Found {
    match refusal(&alias, way) {
        Some(why) => Err(why),
        None => Ok((alias, way)),
    }
}

/// Why an alias takes no mail that comes this way.
pub(super) fn refusal(alias: &alias_rows::Alias, way: Way) -> Option<Unroutable> {
    match alias {
        _ if way == Way::Postmaster => None,
        alias if alias.deleted_at.is_some() => Some(Unroutable::Deleted),
        alias if !alias.enabled => Some(Unroutable::Disabled),
        _ => None,
    }
}

/// Whether an address is that of a postmaster whom [`make_postmaster`] would make.
pub fn lacks_postmaster(tx: &mut Tx<'_>, settings: &MailSettings, address: &str) -> Result<bool> {
    Ok(missing_postmaster(tx, settings, address)?.is_some())
}

/// Makes the alias `postmaster` of a domain that has none yet: for the team whose domain it
/// is, on the shared domain for the oldest team.
pub fn make_postmaster(tx: &mut Tx<'_>, actor: &Actor, settings: &MailSettings, address: &str) -> Result<()> {
    match missing_postmaster(tx, settings, address)? {
        Some(missing) => {
            aliases::make_postmaster(tx, actor, missing.team, missing.domain, missing.address.domain())
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
