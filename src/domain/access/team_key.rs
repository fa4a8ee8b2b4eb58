//! The team key: the one token of a team that the owner and admins can reveal again. It is opt-in. It is
//! stored as a hash and also encrypted with the instance's secret key.

use time::Duration;

use super::activity::{self, ActivityKind, Event, Filter, Record};
use super::secret::{PlainToken, Prefix};
use super::tokens::{self, Token, TokenKind};
use crate::domain::actor::Actor;
use crate::domain::lists::{Capped, MAX_COUNT, Window};
use crate::domain::people::roles::Role;
use crate::domain::sealing::SecretKey;
use crate::domain::{Error, Result, Timestamp};
use crate::store::Tx;
use crate::store::access::tokens as rows;
use crate::store::ids::TeamId;

const NAME: &str = "Team key";

#[derive(Clone)]
pub struct Sealer {
    pub key: SecretKey,
    pub prefix: Prefix,
}

pub fn find(tx: &mut Tx<'_>, team: TeamId) -> Result<Option<Token>> {
    Ok(rows::team_key(tx, team)?)
}

pub(crate) struct Overview {
    pub token: Token,
    pub calls_in_24h: Capped,
    pub last_revealed: Option<Record>,
}

pub(crate) fn overview(tx: &mut Tx<'_>, team: TeamId, now: Timestamp) -> Result<Option<Overview>> {
    let yesterday = now.minus(Duration::DAY);
    let Some((token, calls)) = rows::used_team_key(tx, team, yesterday, MAX_COUNT + 1)? else {
        return Ok(None);
    };
    let kinds = Some(vec![ActivityKind::TeamKeyRevealed]);
    let reveals = Filter { kinds, token: Some(token.id), ..Filter::default() };
    let last_revealed = activity::list(tx, team, &reveals, Window::first(1))?.rows.pop();
    Ok(Some(Overview { token, calls_in_24h: Capped(calls), last_revealed }))
}

/// # Errors
/// `Conflict` if the team already has one.
pub fn enable(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, sealer: &Sealer) -> Result<(Token, PlainToken)> {
    actor.require(tx, team, Role::Owner)?;
    let created = create(tx, actor, team, sealer)?;
    record(tx, actor, ActivityKind::TeamKeyEnabled, &created.0)?;
    Ok(created)
}

fn create(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, sealer: &Sealer) -> Result<(Token, PlainToken)> {
    let plain = PlainToken::mint(&sealer.prefix, &*actor.entropy);
    let mut token = tokens::new_row(actor, team, TokenKind::TeamKey, NAME, &plain);
    token.sealed = Some(sealer.key.seal(plain.reveal().as_bytes(), &token.id.bytes(), &*actor.entropy));
    rows::insert(tx, &token)
        .map_err(|error| Error::from(error).as_conflict("key", "The team already has a key."))?;
    Ok((token, plain))
}

/// Records every reveal.
pub fn reveal(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, sealer: &Sealer) -> Result<(Token, PlainToken)> {
    actor.require(tx, team, Role::Admin)?;
    let token = find(tx, team)?.ok_or(Error::NotFound)?;
    let sealed = token.sealed.as_deref().unwrap_or_default();
    let opened = sealer.key.open(sealed, &token.id.bytes()).ok();
    let plain = opened.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()).ok_or_else(|| {
        Error::conflict(
            "key",
            "This server's secret key can't decrypt the team key. Regenerate the team key.",
        )
    })?;
    record(tx, actor, ActivityKind::TeamKeyRevealed, &token)?;
    Ok((token, PlainToken::restore(plain)))
}

/// Replaces the key. The old one stops working at once.
pub fn regenerate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    sealer: &Sealer,
) -> Result<(Token, PlainToken)> {
    actor.require(tx, team, Role::Admin)?;
    revoke(tx, actor, team, "regenerated")?;
    let created = create(tx, actor, team, sealer)?;
    record(tx, actor, ActivityKind::TeamKeyRegenerated, &created.0)?;
    Ok(created)
}

pub fn disable(tx: &mut Tx<'_>, actor: &Actor, team: TeamId) -> Result<()> {
    actor.require(tx, team, Role::Owner)?;
    let revoked = revoke(tx, actor, team, "team key turned off")?;
    record(tx, actor, ActivityKind::TeamKeyDisabled, &revoked)
}

fn revoke(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, reason: &str) -> Result<Token> {
    let current = find(tx, team)?.ok_or(Error::NotFound)?;
    rows::revoke(tx, team, current.id, actor.now, &actor.label(), Some(reason))?.ok_or(Error::NotFound)
}

fn record(tx: &mut Tx<'_>, actor: &Actor, kind: ActivityKind, token: &Token) -> Result<()> {
    activity::record(tx, actor, token.team_id, Event::of(kind).token(token.id, &token.start))
}
