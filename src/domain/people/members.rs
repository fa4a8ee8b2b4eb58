use super::roles::{MemberRole, Role};
use super::{invitations, teams};
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::access::tokens;
use crate::domain::actor::Actor;
use crate::domain::{Error, Result};
use crate::store::Tx;
use crate::store::ids::{TeamId, UserId};
use crate::store::people::{members as rows, teams as team_rows};

pub(crate) use rows::Member;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TheirTokens {
    Keep,
    Revoke,
}

pub(crate) fn find(tx: &mut Tx<'_>, team: TeamId, user: UserId) -> Result<Option<Member>> {
    Ok(rows::find(tx, team, user)?)
}

/// Locks the roles of the team until the transaction ends.
pub(crate) fn lock(tx: &mut Tx<'_>, team: TeamId, user: UserId) -> Result<Option<Member>> {
    rows::lock(tx, team)?;
    find(tx, team, user)
}

pub fn list(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Member>> {
    Ok(rows::list(tx, team)?)
}

/// Returns one page of the list, and the length of the whole list.
pub(crate) fn page(tx: &mut Tx<'_>, team: TeamId, limit: i64, offset: i64) -> Result<(Vec<Member>, i64)> {
    Ok(rows::page(tx, team, limit, offset)?)
}

/// Returns false if the member already has the role.
pub fn set_role(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    user: UserId,
    role: MemberRole,
    tokens: TheirTokens,
) -> Result<bool> {
    actor.require(tx, team, Role::Owner)?;
    let member = find(tx, team, user)?.ok_or(Error::NotFound)?;
    if member.role() == Role::Owner {
        return Err(Error::conflict(
            "role",
            "The owner's role can't be changed. Transfer ownership instead.",
        ));
    }
    if member.role == role {
        return Ok(false);
    }
    rows::set_role(tx, team, user, role)?;
    let event = Event::of(ActivityKind::RoleChanged)
        .subject(&member.email)
        .detail("from", member.role.as_str())
        .detail("to", role.as_str());
    let event = match role {
        MemberRole::Admin => event,
        MemberRole::Member => {
            invitations::revoke_unsendable(tx, actor, team, user)?;
            let revoked = end_tokens(tx, actor, &member, team, tokens, "is no longer an admin")?;
            event.detail("tokensRevoked", revoked as i64)
        }
    };
    activity::record(tx, actor, team, event)?;
    Ok(true)
}

/// The owner can remove everyone else, an admin can remove plain members, and members can leave.
pub(crate) fn role_to_remove(actor: &Actor, member: &Member) -> Result<Role> {
    match member.role() {
        Role::Owner => {
            Err(Error::conflict("person", "The owner can't leave or be removed. Transfer ownership first."))
        }
        _ if leaves(actor, member) => Ok(Role::Member),
        Role::Member => Ok(Role::Admin),
        Role::Admin => Ok(Role::Owner),
    }
}

fn leaves(actor: &Actor, member: &Member) -> bool {
    actor.person() == Some(member.user_id)
}

/// A plain member who leaves can't choose: their tokens are kept.
pub(crate) fn decides_on_tokens(actor: &Actor, member: &Member) -> bool {
    !leaves(actor, member) || member.role() >= Role::Admin
}

pub fn remove(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, user: UserId, tokens: TheirTokens) -> Result<()> {
    let member = lock(tx, team, user)?.ok_or(Error::NotFound)?;
    actor.require(tx, team, role_to_remove(actor, &member)?)?;
    let tokens = if decides_on_tokens(actor, &member) { tokens } else { TheirTokens::Keep };
    let revoked = end_tokens(tx, actor, &member, team, tokens, "left the team")?;
    rows::delete(tx, team, user)?;
    invitations::revoke_unsendable(tx, actor, team, user)?;
    let event =
        Event::of(ActivityKind::PersonRemoved).subject(&member.email).detail("tokensRevoked", revoked as i64);
    activity::record(tx, actor, team, event)
}

/// Returns the number of revoked tokens.
fn end_tokens(
    tx: &mut Tx<'_>,
    actor: &Actor,
    member: &Member,
    team: TeamId,
    tokens: TheirTokens,
    why: &str,
) -> Result<usize> {
    match tokens {
        TheirTokens::Keep => Ok(0),
        TheirTokens::Revoke => {
            tokens::revoke_by_creator(tx, actor, team, member.user_id, &format!("{} {why}", member.email))
        }
    }
}

/// Makes someone else the owner. The former owner becomes an admin, and their invitations for admins end.
pub(crate) fn transfer(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, to: UserId) -> Result<()> {
    actor.require(tx, team, Role::Owner)?;
    let owner = teams::find(tx, team)?.owner_id;
    let next = find(tx, team, to)?.ok_or(Error::NotFound)?;
    if to == owner {
        return Err(Error::conflict("to", "This person already owns the team."));
    }
    rows::set_role(tx, team, to, MemberRole::Admin)?;
    if !team_rows::set_owner(tx, team, owner, to)? {
        return Err(Error::conflict("to", "Ownership was transferred in the meantime. Reload the page."));
    }
    invitations::revoke_unsendable(tx, actor, team, owner)?;
    let event = Event::of(ActivityKind::OwnershipTransferred).subject(&next.email);
    activity::record(tx, actor, team, event)
}
