//! Searches everything of a team: names, and messages by their words.

use super::lists::Page;
use super::mailroom::contacts::ContactId;
use super::mailroom::messages::{self, Message};
use super::mailroom::words;
use super::people::roles::Role;
use super::search::Search;
use super::{Error, Result};
use crate::store::Tx;
use crate::store::error::Error as StoreError;
use crate::store::ids::{AliasId, DomainId, TeamId, TokenId, UserId};
use crate::store::team_search as rows;

/// The maximum results of each kind.
const SHOWN: i64 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Contact(ContactId),
    Alias(AliasId),
    Domain(DomainId),
    Token(TokenId),
    Person(UserId),
}

#[derive(Clone, Debug)]
pub struct Named {
    pub thing: Thing,
    pub name: String,
    /// An address or a note.
    pub detail: String,
}

#[derive(Clone, Debug, Default)]
pub struct Found {
    pub named: Vec<Named>,
    /// Newest first.
    pub messages: Vec<Message>,
    pub more_messages: bool,
}

/// Finds what this role can see. Only admins see tokens.
pub fn find(tx: &mut Tx<'_>, team: TeamId, role: Role, search: &Search) -> Result<Found> {
    let Some(key) = search.key() else { return Ok(Found::default()) };
    let named = rows::find(tx, team, (&words::comparable(&key), &key), role >= Role::Admin, SHOWN)?;
    let filter = messages::Filter::default();
    let Page { rows, next } = messages::search(tx, team, search.as_str(), &filter, None, SHOWN)?;
    let named = named.into_iter().map(Named::of).collect::<Result<_>>()?;
    Ok(Found { named, messages: rows, more_messages: next.is_some() })
}

impl Named {
    fn of(row: rows::Named) -> Result<Self> {
        let id = row.id.try_into().ok();
        let thing = id.and_then(|id| match &*row.kind {
            "contact" => Some(Thing::Contact(ContactId::from_bytes(id))),
            "alias" => Some(Thing::Alias(AliasId::from_bytes(id))),
            "domain" => Some(Thing::Domain(DomainId::from_bytes(id))),
            "token" => Some(Thing::Token(TokenId::from_bytes(id))),
            "person" => Some(Thing::Person(UserId::from_bytes(id))),
            _ => None,
        });
        let thing = thing.ok_or_else(|| StoreError::Fault(format!("no row of a {}", row.kind)));
        let detail = row.detail.filter(|detail| *detail != row.name).unwrap_or_default();
        Ok(Self { thing: thing.map_err(Error::from)?, name: row.name, detail })
    }
}
