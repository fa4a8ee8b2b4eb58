use super::activity::{self, ActivityKind, Event};
use super::scopes::Scopes;
use super::secret::{HashedToken, PlainToken, Prefix};
use crate::domain::actor::{Actor, Identity};
use crate::domain::lists::{Capped, MAX_COUNT};
use crate::domain::nouns::team_noun;
use crate::domain::people::roles::Role;
use crate::domain::people::teams::Team;
use crate::domain::{Error, FieldError, Result, Timestamp, names, text};
use crate::store::Tx;
use crate::store::access::tokens as rows;
use crate::store::ids::{TeamId, UserId};

pub(crate) use crate::store::columns::TokenKind;
pub(crate) use crate::store::ids::TokenId;
pub use rows::{Column, Filter, Token};

#[derive(Clone, Debug)]
pub struct Label(String);

impl Label {
    pub fn parse(text: &str) -> std::result::Result<Self, FieldError> {
        names::parse("name", "a token name", text, 60).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(crate) fn parse_reason(text: &str) -> std::result::Result<Option<String>, FieldError> {
    text::optional(text, |text| text::one_line("reason", "a reason", text, 200))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    Expired,
    Revoked,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Token {
    pub fn state(&self, now: Timestamp) -> State {
        match self {
            _ if self.revoked_at.is_some() => State::Revoked,
            _ if self.expires_at.is_some_and(|at| at <= now) => State::Expired,
            _ => State::Active,
        }
    }

    pub fn masked(&self) -> String {
        format!("{}…", self.start)
    }

    pub fn scopes(&self) -> Scopes {
        Scopes::stored(self.scopes.as_deref())
    }
}

/// Creates a token. The plain token is revealed once and stored nowhere.
///
/// # Errors
/// `Conflict` on `name` if an active token of the team has it, even in a race.
pub fn mint(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    label: &Label,
    scopes: Scopes,
    prefix: &Prefix,
) -> Result<(Token, PlainToken)> {
    actor.require(tx, team, Role::Admin)?;
    let plain = PlainToken::mint(prefix, &*actor.entropy);
    let mut token = new_row(actor, team, TokenKind::Token, label.as_str(), &plain);
    token.scopes = scopes.to_column();
    rows::insert(tx, &token).map_err(|error| name_taken(error, label))?;
    let event = Event::of(ActivityKind::TokenCreated)
        .token(token.id, &token.name)
        .detail("scopes", scopes.to_string());
    activity::record(tx, actor, team, event)?;
    Ok((token, plain))
}

pub(super) fn new_row(actor: &Actor, team: TeamId, kind: TokenKind, name: &str, plain: &PlainToken) -> Token {
    let hashed = plain.hashed();
    Token {
        id: TokenId::new(actor.now, actor.chance()),
        team_id: team,
        kind,
        hash: hashed.hash().to_vec(),
        public_id: hashed.public_id().to_owned(),
        start: plain.start().to_owned(),
        sealed: None,
        name: name.to_owned(),
        name_key: names::key(name),
        created_by: actor.person(),
        created_by_label: actor.label().into_owned(),
        created_at: actor.now,
        expires_at: None,
        scopes: None,
        hourly_cap: None,
        allow_list: None,
        last_used_at: None,
        last_used_ip: None,
        last_used_agent: None,
        revoked_at: None,
        revoked_by_label: None,
        revoke_reason: None,
    }
}

fn name_taken(error: crate::store::Error, label: &Label) -> Error {
    let message = format!(
        "An active token is already called {}. Choose another name, or revoke that token first.",
        label.0
    );
    Error::from(error).as_conflict("name", message)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    Unknown,
    /// The caller has the secret, so this reveals nothing to strangers.
    Revoked(TokenId, TeamId),
    Expired(TokenId, TeamId),
}

pub fn verify(
    tx: &mut Tx<'_>,
    presented: &HashedToken,
    now: Timestamp,
) -> Result<std::result::Result<(Token, Team), Rejected>> {
    let found = rows::find_presented(tx, presented.public_id(), presented.hash())?;
    let Some((token, team)) = found.filter(|(token, _)| presented.matches(&token.hash)) else {
        return Ok(Err(Rejected::Unknown));
    };
    Ok(match token.state(now) {
        State::Active => Ok((token, team)),
        State::Revoked => Err(Rejected::Revoked(token.id, team.id)),
        State::Expired => Err(Rejected::Expired(token.id, team.id)),
    })
}

/// Locks a token for a change. A token can change only itself.
pub(crate) fn lock(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: TokenId) -> Result<Token> {
    if !is_own_token(actor, id) {
        actor.require(tx, team, Role::Admin)?;
    }
    rows::lock(tx, team, id)?.ok_or(Error::NotFound)
}

fn is_own_token(actor: &Actor, id: TokenId) -> bool {
    matches!(&actor.identity, Identity::Token { id: own, .. } if *own == id)
}

/// Revokes a token. Only the owner can revoke the team key, because having one is the owner's choice; an
/// admin who must stop it regenerates it. No instance accepts the token once `App::write` has returned: see
/// `Gate::confirm`.
///
/// # Errors
/// `NotFound` if the team has no such token, `Conflict` if it is already revoked.
pub fn revoke(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    id: TokenId,
    reason: Option<&str>,
) -> Result<Token> {
    if lock(tx, actor, team, id)?.kind == TokenKind::TeamKey && !is_own_token(actor, id) {
        actor.require(tx, team, Role::Owner)?;
    }
    let Some(token) = rows::revoke(tx, team, id, actor.now, &actor.label(), reason)? else {
        return Err(Error::conflict("token", "This token is already revoked."));
    };
    record_revoked(tx, actor, &token)?;
    Ok(token)
}

/// The maximum number of matches that an error lists.
const MAX_MATCHES: i64 = 10;

/// Revokes the only token of any team whose public id begins with `start`. Only the operator may do so.
///
/// # Errors
/// `Conflict` if there are several, with a list of them.
pub fn revoke_by_start(tx: &mut Tx<'_>, actor: &Actor, start: &str) -> Result<Token> {
    let mut found = rows::find_by_start(tx, start, MAX_MATCHES)?;
    if found.len() > 1 {
        let names = found.iter().map(|(token, team)| {
            format!(
                "{} ({} of {}, {})",
                token.public_id,
                token.name,
                team.name,
                token.state(actor.now).as_str()
            )
        });
        let names = names.collect::<Vec<_>>().join(", ");
        let message =
            format!("several tokens start with {start}: {names}. Use all 12 characters of the public ID");
        return Err(Error::conflict("public_id", message));
    }
    let (token, _) = found.pop().ok_or(Error::NotFound)?;
    revoke(tx, actor, token.team_id, token.id, None)
}

/// Returns the number of revoked tokens.
pub(crate) fn revoke_by_creator(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    creator: UserId,
    reason: &str,
) -> Result<usize> {
    let revoked = rows::revoke_by_creator(tx, team, creator, actor.now, &actor.label(), reason)?;
    for token in &revoked {
        record_revoked(tx, actor, token)?;
    }
    Ok(revoked.len())
}

pub(super) fn record_revoked(tx: &mut Tx<'_>, actor: &Actor, token: &Token) -> Result<()> {
    let mut event = Event::of(ActivityKind::TokenRevoked).token(token.id, &token.name);
    if let Some(reason) = &token.revoke_reason {
        event = event.detail("reason", reason.as_str());
    }
    activity::record(tx, actor, token.team_id, event)
}

/// # Errors
/// `NotFound` if the team has no such active token, `Conflict` if the name is taken.
pub fn rename(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: TokenId, label: &Label) -> Result<Token> {
    actor.require(tx, team, Role::Admin)?;
    let before = lock(tx, actor, team, id)?;
    if before.name == label.0 {
        return Ok(before);
    }
    let renamed = rows::rename(tx, team, id, &label.0, &names::key(&label.0))
        .map_err(|error| name_taken(error, label))?;
    if !renamed {
        return Err(Error::conflict("token", "Only active tokens can be renamed."));
    }
    let event = Event::of(ActivityKind::TokenRenamed).token(id, &label.0).detail("from", before.name);
    activity::record(tx, actor, team, event)?;
    find(tx, team, id)
}

/// 0 is not allowed: revoke the token instead.
pub(crate) fn parse_cap(text: &str) -> std::result::Result<Option<i32>, FieldError> {
    let digits = text.trim().replace([',', ' '], "");
    match digits.parse() {
        _ if digits.is_empty() => Ok(None),
        Ok(cap @ 1..=1_000_000_000) => Ok(Some(cap)),
        _ => Err(FieldError::new("cap", "Enter a whole number from 1 to 1,000,000,000, or leave it empty.")),
    }
}

/// Sets a token's own hourly limit, which applies in addition to the team's.
///
/// # Errors
/// `NotFound` if the team has no such token, `Conflict` if it is not active.
pub(crate) fn set_cap(
    tx: &mut Tx<'_>,
    actor: &Actor,
    team: TeamId,
    id: TokenId,
    cap: Option<i32>,
) -> Result<Token> {
    actor.require(tx, team, Role::Admin)?;
    let before = lock(tx, actor, team, id)?;
    if before.hourly_cap == cap {
        return Ok(before);
    }
    if !rows::set_cap(tx, team, id, cap)? {
        return Err(Error::conflict("token", "Only active tokens can have a limit."));
    }
    let mut event = Event::of(ActivityKind::TokenCapChanged).token(id, &before.name);
    for (key, cap) in [("from", before.hourly_cap), ("to", cap)] {
        if let Some(cap) = cap {
            event = event.detail(key, cap);
        }
    }
    activity::record(tx, actor, team, event)?;
    find(tx, team, id)
}

team_noun! { Token, TokenId: find, list, sorted, count }

pub(crate) fn find_all(tx: &mut Tx<'_>, team: TeamId, ids: &[TokenId]) -> Result<Vec<Token>> {
    Ok(rows::find_all(tx, team, ids)?)
}

impl Filter {
    pub const ACTIVE: Self = Self { revoked: Some(false) };
    pub const REVOKED: Self = Self { revoked: Some(true) };
}

/// The lengths of the lists of tokens, which exclude the active team key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tallies {
    pub active: Capped,
    pub revoked: Capped,
}

pub(crate) fn tallies(tx: &mut Tx<'_>, team: TeamId) -> Result<Tallies> {
    let rows::Tallies { active, revoked } = rows::tallies(tx, team, MAX_COUNT + 1)?;
    Ok(Tallies { active: Capped(active), revoked: Capped(revoked) })
}

pub(crate) fn list_by_creator(tx: &mut Tx<'_>, team: TeamId, creator: UserId) -> Result<Vec<Token>> {
    Ok(rows::list_by_creator(tx, team, creator)?)
}
