use diesel::prelude::*;

use crate::store::Tx;
use crate::store::columns::{MemberRole, Timestamp};
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{InvitationId, TeamId, UserId};
use crate::store::schema::invitations;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = invitations)]
pub struct Invitation {
    pub id: InvitationId,
    pub team_id: TeamId,
    pub email: String,
    pub email_key: String,
    pub role: MemberRole,
    pub secret_hash: Vec<u8>,
    pub invited_by: String,
    /// `None` if the command line sent it.
    pub inviter_id: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

pub fn insert(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<()> {
    diesel::insert_into(invitations::table).values(invitation).execute(tx.connection)?;
    Ok(())
}

pub fn find_by_secret(tx: &mut Tx<'_>, secret_hash: &[u8]) -> Result<Option<Invitation>> {
    invitations::table
        .filter(invitations::secret_hash.eq(secret_hash))
        .select(Invitation::as_select())
        .get_result(tx.connection)
        .optional_row()
}

/// Invitations that were neither accepted nor revoked, including expired ones, newest first.
pub fn list_open(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Invitation>> {
    Ok(invitations::table
        .filter(invitations::team_id.eq(team))
        .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()))
        .order(invitations::id.desc())
        .select(Invitation::as_select())
        .load(tx.connection)?)
}

/// Includes accepted and revoked ones.
pub fn list_ever(tx: &mut Tx<'_>, team: TeamId) -> Result<Vec<Invitation>> {
    let of_team = invitations::table.filter(invitations::team_id.eq(team)).order(invitations::id.desc());
    Ok(of_team.select(Invitation::as_select()).load(tx.connection)?)
}

/// Returns false if it has been accepted or revoked in the meantime.
pub fn accept(tx: &mut Tx<'_>, id: InvitationId, now: Timestamp) -> Result<bool> {
    let open = invitations::table
        .filter(invitations::id.eq(id))
        .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()));
    Ok(diesel::update(open).set(invitations::accepted_at.eq(now)).execute(tx.connection)? == 1)
}

pub fn revoke(tx: &mut Tx<'_>, team: TeamId, id: InvitationId, now: Timestamp) -> Result<Option<Invitation>> {
    let open = invitations::table
        .filter(invitations::team_id.eq(team).and(invitations::id.eq(id)))
        .filter(invitations::accepted_at.is_null().and(invitations::revoked_at.is_null()));
    diesel::update(open)
        .set(invitations::revoked_at.eq(now))
        .returning(invitations::all_columns)
        .get_result(tx.connection)
        .optional_row()
}
