//! Tokens of the sample team, in every state.

use super::calendar::{Calendar, When};
use super::people::People;
use crate::app::Tx;
use crate::domain::Result;
use crate::domain::access::scopes::{Scope, Scopes};
use crate::domain::access::secret::PlainToken;
use crate::domain::access::team_key::{self, Sealer};
use crate::domain::access::tokens::{self, Label, Token};
use crate::domain::actor::{Actor, Identity};
use crate::domain::nouns::Noun;
use crate::domain::people::users::User;

pub struct Tokens {
    /// Creates an alias for each order, and reads its mail.
    pub orders: Token,
    pub crm: Token,
    /// The text of `crm`, for everyone who starts the demo.
    pub plain: PlainToken,
    pub export: Token,
    /// Makes requests beyond its scopes.
    pub support: Token,
    /// Has its own hourly limit. Its creator leaves.
    pub staging: Token,
    pub website: Token,
    pub laptop: Token,
    pub team_key: Token,
}

const ORDERS: Scopes = Scopes::of(&[
    Scope::Read(Noun::Alias),
    Scope::Write(Noun::Alias),
    Scope::MessagesRead,
    Scope::MessagesWrite,
    Scope::Read(Noun::Contact),
    Scope::TeamRead,
]);
const EXPORT: Scopes = Scopes::of(&[Scope::MessagesRead, Scope::Read(Noun::Contact)]);
const SUPPORT: Scopes =
    Scopes::of(&[Scope::MessagesRead, Scope::Read(Noun::Contact), Scope::Read(Noun::Alias)]);

/// The app that uses this token.
pub fn app(token: &Token, actor: &Actor) -> Actor {
    actor.with(Identity::Token { id: token.id, label: token.name.clone() })
}

pub fn create(tx: &mut Tx<'_>, calendar: &Calendar, people: &People, sealer: &Sealer) -> Result<Tokens> {
    let People { team, ada, bea, dan, .. } = people;
    let mut mint = |who: &User, when: When, name: &str, scopes| {
        tokens::mint(tx, &calendar.person(who, when), team.id, &Label::parse(name)?, scopes, &sealer.prefix)
    };
    let (website, _) = mint(ada, (20, 14, 20), "Old website", Scopes::ALL)?;
    let (laptop, _) = mint(ada, (20, 15, 2), "Ada's laptop", Scopes::ALL)?;
    let (crm, plain) = mint(ada, (19, 9, 14), "CRM integration", Scopes::READ)?;
    let (orders, _) = mint(bea, (18, 10, 31), "Orders", ORDERS)?;
    let (staging, _) = mint(dan, (16, 11, 20), "Staging sync", Scopes::READ)?;
    let (support, _) = mint(bea, (13, 9, 40), "Support bot", SUPPORT)?;
    let (export, _) = mint(bea, (9, 16, 25), "Nightly export", EXPORT)?;
    mint(ada, (2, 11, 5), "Label printer", Scopes::of(&[Scope::Read(Noun::Alias)]))?;
    let (team_key, _) = team_key::enable(tx, &calendar.person(ada, (14, 10, 2)), team.id, sealer)?;
    team_key::reveal(tx, &calendar.person(bea, (7, 13, 18)), team.id, sealer)?;
    Ok(Tokens { orders, crm, plain, export, support, staging, website, laptop, team_key })
}

/// Later changes to the tokens.
pub fn review(tx: &mut Tx<'_>, calendar: &Calendar, people: &People, tokens: &Tokens) -> Result<()> {
    let People { team, ada, bea, dan, .. } = people;
    let name = Label::parse("Order notifications")?;
    tokens::rename(tx, &calendar.person(bea, (17, 9, 2)), team.id, tokens.orders.id, &name)?;
    tokens::set_cap(tx, &calendar.person(dan, (16, 11, 24)), team.id, tokens.staging.id, Some(60))?;
    for (who, when, token, reason) in [
        (ada, (15, 10, 31), &tokens.laptop, "it was pasted into a chat"),
        (bea, (6, 15, 20), &tokens.website, "the website moved"),
    ] {
        tokens::revoke(tx, &calendar.person(who, when), team.id, token.id, Some(reason))?;
    }
    Ok(())
}
