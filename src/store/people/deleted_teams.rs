//! Removes the rows of a deleted team. Rows that give access are removed at once, the others in batches: functions
//! with `most` remove about as many rows. All return the number of removed rows.

use diesel::prelude::*;

use crate::store::Tx;
use crate::store::activity_kinds::ActivityKind;
use crate::store::columns::Timestamp;
use crate::store::error::{OptionalRow, Result};
use crate::store::ids::{ActivityId, AliasId, TeamId, TokenId};
use crate::store::mailroom::aliases::aliases;
use crate::store::mailroom::contacts::{ContactId, contacts};
use crate::store::mailroom::mail_domains::domains;
use crate::store::schema::{
    activity, call_counts, conversations, idempotent_responses, invitations, jobs, mail_days, mail_stores,
    memberships, sessions, teams, tokens,
};

/// Marks a team as deleted, with a name that no other team can have. Returns false if it was already deleted.
pub fn mark(tx: &mut Tx<'_>, team: TeamId, name: &str, now: Timestamp) -> Result<bool> {
    let live = teams::table.filter(teams::id.eq(team).and(teams::deleted_at.is_null()));
    let marks = (
        teams::deleted_at.eq(now),
        teams::name.eq(name),
        teams::name_key.eq(name),
        teams::api_enabled.eq(false),
    );
    Ok(diesel::update(live).set(marks).execute(tx.connection)? == 1)
}

pub fn find(tx: &mut Tx<'_>, team: TeamId) -> Result<Option<Timestamp>> {
    let deleted = teams::table.filter(teams::id.eq(team)).filter(teams::deleted_at.is_not_null());
    let at: Option<Option<Timestamp>> =
        deleted.select(teams::deleted_at).get_result(tx.connection).optional_row()?;
    Ok(at.flatten())
}

/// Sets the team of sessions without one, so that their pages can say that the team was deleted.
pub fn mark_sessions(tx: &mut Tx<'_>, team: TeamId) -> Result<usize> {
    let people = memberships::table.filter(memberships::team_id.eq(team)).select(memberships::user_id);
    let undecided =
        sessions::table.filter(sessions::user_id.eq_any(people)).filter(sessions::team_id.is_null());
    Ok(diesel::update(undecided).set(sessions::team_id.eq(team)).execute(tx.connection)?)
}

/// Removes everyone except the owner, whom the team's row refers to.
pub fn remove_people(tx: &mut Tx<'_>, team: TeamId) -> Result<usize> {
    let owner = teams::table.find(team).select(teams::owner_id);
    let others = memberships::table
        .filter(memberships::team_id.eq(team))
        .filter(diesel::dsl::not(memberships::user_id.eq_any(owner)));
    Ok(diesel::delete(others).execute(tx.connection)?)
}

pub fn remove_invitations(tx: &mut Tx<'_>, team: TeamId) -> Result<usize> {
    Ok(diesel::delete(invitations::table.filter(invitations::team_id.eq(team))).execute(tx.connection)?)
}

/// A running job loses its lease, which aborts it.
pub fn remove_jobs(tx: &mut Tx<'_>, team: TeamId) -> Result<usize> {
    Ok(diesel::delete(jobs::table.filter(jobs::team_id.eq(team))).execute(tx.connection)?)
}

/// Refuses all further mail. Frees `postmaster` on the shared domain, which belongs to the oldest team, by renaming
/// the alias to `name`.
pub fn close_addresses(
    tx: &mut Tx<'_>,
    team: TeamId,
    (postmaster, name): (&str, &str),
    now: Timestamp,
) -> Result<usize> {
    let open = aliases::table.filter(aliases::team_id.eq(team).and(aliases::deleted_at.is_null()));
    let closed = (aliases::deleted_at.eq(now), aliases::deleted_by_label.eq(""), aliases::enabled.eq(false));
    let mut count = diesel::update(open).set(closed).execute(tx.connection)?;
    let shared = aliases::table
        .filter(aliases::domain_id.is_null().and(aliases::local_key.eq(postmaster)))
        .filter(aliases::team_id.eq(team));
    let freed = (aliases::local.eq(name), aliases::local_key.eq(name));
    count += diesel::update(shared).set(freed).execute(tx.connection)?;
    let held = domains::table.filter(domains::team_id.eq(team).and(domains::removed_at.is_null()));
    let removed = (
        domains::removed_at.eq(now),
        domains::verified_at.eq(None::<Timestamp>),
        domains::suspended_at.eq(None::<Timestamp>),
    );
    count += diesel::update(held).set(removed).execute(tx.connection)?;
    Ok(count)
}

pub fn remove_contacts(tx: &mut Tx<'_>, team: TeamId, most: i64) -> Result<usize> {
    let some = contacts::table.filter(contacts::team_id.eq(team)).order(contacts::id.asc()).limit(most);
    let ids: Vec<ContactId> = some.select(contacts::id).load(tx.connection)?;
    Ok(diesel::delete(contacts::table.filter(contacts::id.eq_any(ids))).execute(tx.connection)?)
}

pub fn remove_tokens(tx: &mut Tx<'_>, team: TeamId, most: i64) -> Result<usize> {
    let some = tokens::table.filter(tokens::team_id.eq(team)).order(tokens::id.asc()).limit(most);
    let ids: Vec<TokenId> = some.select(tokens::id).load(tx.connection)?;
    Ok(diesel::delete(tokens::table.filter(tokens::id.eq_any(ids))).execute(tx.connection)?)
}

/// Keeps the record of the deletion, which a trigger protects.
pub fn remove_activity(tx: &mut Tx<'_>, team: TeamId, most: i64) -> Result<usize> {
    let of_team = || {
        activity::table
            .filter(activity::team_id.eq(team))
            .filter(activity::kind.ne(ActivityKind::TeamDeleted))
    };
    let some = of_team().order(activity::id.asc()).limit(most);
    let ids: Vec<ActivityId> = some.select(activity::id).load(tx.connection)?;
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(0) };
    let range = of_team().filter(activity::id.ge(first).and(activity::id.le(last)));
    Ok(diesel::delete(range).execute(tx.connection)?)
}

/// Removes all rows of an alias together: a month at most.
pub fn remove_mail_days(tx: &mut Tx<'_>, team: TeamId, most: i64) -> Result<usize> {
    let of_team = || mail_days::table.filter(mail_days::team_id.eq(team));
    let some = of_team().order((mail_days::alias_id, mail_days::day)).limit(most);
    let mut aliases: Vec<Vec<u8>> = some.select(mail_days::alias_id).load(tx.connection)?;
    aliases.dedup();
    Ok(diesel::delete(of_team().filter(mail_days::alias_id.eq_any(aliases))).execute(tx.connection)?)
}

/// Removes all rows of a token together: a month at most.
pub fn remove_call_counts(tx: &mut Tx<'_>, team: TeamId, most: i64) -> Result<usize> {
    let of_team = || call_counts::table.filter(call_counts::team_id.eq(team));
    let some = of_team().order((call_counts::token_id, call_counts::began)).limit(most);
    let mut tokens: Vec<Vec<u8>> = some.select(call_counts::token_id).load(tx.connection)?;
    tokens.dedup();
    Ok(diesel::delete(of_team().filter(call_counts::token_id.eq_any(tokens))).execute(tx.connection)?)
}

/// Aliases of the team's own domains, which a later team can use again.
pub fn remove_own_aliases(tx: &mut Tx<'_>, team: TeamId, most: i64) -> Result<usize> {
    let own = domains::table.filter(domains::team_id.eq(team)).select(domains::id.nullable());
    let some = aliases::table.filter(aliases::domain_id.eq_any(own)).limit(most);
    let ids: Vec<AliasId> = some.select(aliases::id).load(tx.connection)?;
    Ok(diesel::delete(aliases::table.filter(aliases::id.eq_any(ids))).execute(tx.connection)?)
}

/// Removes the other rows in one step, because they are few or have no index by team. Addresses on the shared domain
/// remain reserved, without their details.
pub fn remove_rest(tx: &mut Tx<'_>, team: TeamId, name: &str) -> Result<usize> {
    let mut removed = 0;
    macro_rules! of_team {
        ($($table:ident),+) => {
            $(removed += diesel::delete($table::table.filter($table::team_id.eq(team))).execute(tx.connection)?;)+
        };
    }
    of_team!(domains, conversations, idempotent_responses, invitations, mail_stores, jobs);
    removed += remove_people(tx, team)?;
    let freed = aliases::table.filter(aliases::team_id.eq(team).and(aliases::local_key.eq(name)));
    removed += diesel::delete(freed).execute(tx.connection)?;
    let described = aliases::created_by_label.ne("").or(aliases::note.is_not_null());
    let kept = aliases::table.filter(aliases::team_id.eq(team)).filter(described);
    let emptied = (
        aliases::created_by_label.eq(""),
        aliases::deleted_by_label.eq(""),
        aliases::note.eq(None::<String>),
        aliases::received.eq(0),
        aliases::denied.eq(0),
        aliases::last_received_at.eq(None::<Timestamp>),
    );
    removed += diesel::update(kept).set(emptied).execute(tx.connection)?;
    Ok(removed)
}
