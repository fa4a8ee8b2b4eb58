use sha2::{Digest, Sha256};
use time::Duration;
use zeroize::Zeroizing;

use super::roles::{MemberRole, Role};
use super::teams::{self, Team};
use super::users::{self, NewPerson, User, UserId};
use crate::domain::access::activity::{self, ActivityKind, Event};
use crate::domain::actor::Actor;
use crate::domain::sealing::hex;
use crate::domain::text::EmailAddress;
use crate::domain::{Error, Result, Timestamp, entropy};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::people::{invitations as rows, members as member_rows};

pub(crate) use crate::store::ids::InvitationId;
pub(crate) use rows::Invitation;

pub(crate) const LIFETIME: Duration = Duration::days(7);

/// Per team, including expired ones.
const MAX_OPEN: usize = 200;

/// 32 hexadecimal digits, stored only as a hash.
pub type LinkSecret = Zeroizing<String>;

impl Invitation {
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

/// Creates an invitation. A person invited before gets a new link, and the old one ends.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    email: &EmailAddress,
    role: MemberRole,
) -> Result<LinkSecret> {
    actor.require(tx, team, role_to_invite(role))?;
    let there = member_rows::list(tx, team)?.iter().any(|each| each.email.to_lowercase() == email.key());
    if there {
        return Err(Error::conflict("email", format!("{} is already on the team.", email.as_str())));
    }
    let mut open = rows::list_open(tx, team)?;
    match open.iter().position(|each| each.email_key == email.key()) {
        Some(earlier) => replace(tx, actor, team, &open.swap_remove(earlier))?,
        None => make_room(tx, actor, team, &open)?,
    }
    let secret = Zeroizing::new(hex(&entropy::bytes::<16>(&*actor.entropy)));
    rows::insert(tx, &new_row(actor, team, email, role, &secret))?;
    let event = Event::of(ActivityKind::PersonInvited).subject(email.as_str()).detail("role", role.as_str());
    activity::record(tx, actor, team, event)?;
    Ok(secret)
}

fn role_to_invite(role: MemberRole) -> Role {
    match role {
        MemberRole::Member => Role::Admin,
        MemberRole::Admin => Role::Owner,
    }
}

/// Removes expired invitations when the list is full.
fn make_room(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, open: &[Invitation]) -> Result<()> {
    if open.len() < MAX_OPEN {
        return Ok(());
    }
    let expired: Vec<_> = open.iter().filter(|each| each.is_expired(actor.now)).collect();
    if expired.is_empty() {
        let full = format!("Your team has {MAX_OPEN} open invitations. Revoke one first.");
        return Err(Error::conflict("email", full));
    }
    expired.into_iter().try_for_each(|each| rows::revoke(tx, team, each.id, actor.now).map(drop))?;
    Ok(())
}

/// Only the owner can replace an admin's link.
fn replace(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, earlier: &Invitation) -> Result<()> {
    if earlier.role == MemberRole::Admin {
        actor.require(tx, team, Role::Owner)?;
    }
    rows::revoke(tx, team, earlier.id, actor.now)?;
    activity::record(tx, actor, team, Event::of(ActivityKind::InvitationRevoked).subject(&earlier.email))
}

fn new_row(actor: &Actor, team: TeamId, email: &EmailAddress, role: MemberRole, secret: &str) -> Invitation {
    Invitation {
        id: InvitationId::new(actor.now, actor.chance()),
        team_id: team,
        email: email.as_str().to_owned(),
        email_key: email.key(),
        role,
        secret_hash: hash(secret),
        invited_by: actor.label().into_owned(),
        inviter_id: actor.person(),
        created_at: actor.now,
        expires_at: actor.now.plus(LIFETIME),
        accepted_at: None,
        revoked_at: None,
    }
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

pub struct Opened {
    pub invitation: Invitation,
    pub team: Team,
    pub account: Option<User>,
}

/// # Errors
/// `NotFound` for a link that doesn't exist, was used or revoked, has expired, or that its sender could no
/// longer send.
pub(crate) fn open(tx: &mut Tx<'_>, secret: &str, now: Timestamp) -> Result<Opened> {
    let invitation = rows::find_by_secret(tx, &hash(secret))?
        .filter(|each| each.accepted_at.is_none() && each.revoked_at.is_none() && !each.is_expired(now))
        .ok_or(Error::NotFound)?;
    if !is_still_allowed(tx, &invitation)? {
        return Err(Error::NotFound);
    }
    let team = teams::find(tx, invitation.team_id)?;
    let email = EmailAddress::parse(&invitation.email)?;
    let account = users::find_by_email(tx, &email)?;
    Ok(Opened { invitation, team, account })
}

fn is_still_allowed(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<bool> {
    let Some(inviter) = invitation.inviter_id else { return Ok(true) };
    let sender = member_rows::find(tx, invitation.team_id, inviter)?;
    Ok(sender.is_some_and(|sender| sender.role() >= role_to_invite(invitation.role)))
}

/// Accepts an invitation with a new account. The sender of the link could have followed it, so the new
/// address is not verified, and the record says that the account is new.
pub fn accept_as_new(
    tx: &mut Tx<'_>,
    actor: &Actor,
    secret: &str,
    person: &NewPerson,
) -> Result<(Team, User)> {
    let opened = open(tx, secret, actor.now)?;
    let user = users::create(tx, actor, person, Some(&opened.invitation.invited_by))?;
    join(tx, &actor.as_person(user.id, &user.email), opened, user, true)
}

pub(crate) fn accept_as_known(tx: &mut Tx<'_>, actor: &Actor, secret: &str) -> Result<(Team, User)> {
    let mut opened = open(tx, secret, actor.now)?;
    let user = opened.account.take().ok_or(Error::NotFound)?;
    join(tx, &actor.as_person(user.id, &user.email), opened, user, false)
}

fn join(tx: &mut Tx<'_>, actor: &Actor, opened: Opened, user: User, is_new: bool) -> Result<(Team, User)> {
    let Opened { invitation, team, .. } = opened;
    if !rows::accept(tx, invitation.id, actor.now)? {
        return Err(Error::NotFound);
    }
    member_rows::insert(tx, team.id, user.id, invitation.role, actor.now).map_err(|error| {
        Error::from(error).as_conflict("email", format!("{} is already on the team.", user.email))
    })?;
    let event = Event::of(ActivityKind::PersonJoined)
        .subject(&user.email)
        .detail("role", invitation.role.as_str())
        .detail("invitedBy", invitation.invited_by.as_str());
    let event = if is_new { event.detail("account", "new, email not verified") } else { event };
    activity::record(tx, actor, team.id, event)?;
    Ok((team, user))
}

pub fn list_open(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Invitation>> {
    Ok(rows::list_open(tx, team)?)
}

/// Even accepted and revoked ones.
pub(crate) fn list_ever(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Invitation>> {
    Ok(rows::list_ever(tx, team)?)
}

pub(crate) fn revoke(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: InvitationId) -> Result<()> {
    actor.require(tx, team, Role::Admin)?;
    let revoked = rows::revoke(tx, team, id, actor.now)?.ok_or(Error::NotFound)?;
    activity::record(tx, actor, team, Event::of(ActivityKind::InvitationRevoked).subject(&revoked.email))
}

/// Revokes the open invitations that their sender could no longer send.
pub(super) fn revoke_unsendable(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, sender: UserId) -> Result<()> {
    for invitation in list_by_inviter(tx, team, sender)? {
        if is_still_allowed(tx, &invitation)? {
            continue;
        }
        rows::revoke(tx, team, invitation.id, actor.now)?;
        let event = Event::of(ActivityKind::InvitationRevoked).subject(&invitation.email);
        activity::record(tx, actor, team, event)?;
    }
    Ok(())
}

pub(crate) fn list_by_inviter(tx: &mut Tx<'_>, team: TeamId, inviter: UserId) -> Result<Vec<Invitation>> {
    let open = list_open(tx, team)?.into_iter();
    Ok(open.filter(|each| each.inviter_id == Some(inviter)).collect())
}
