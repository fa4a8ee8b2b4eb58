//! Pages of the mailroom.

mod alias;
mod aliases;
mod contacts;
mod domain;
mod domains;
mod inbox;
mod message;

use serde::Deserialize;

use crate::domain::lists::Capped;
use crate::web::pages::list::{Filters, ListQuery};
use crate::web::pages::{PageError, plain};
use crate::web::paths::PathOf;
use crate::web::route::PageRoute;

pub fn routes() -> Vec<PageRoute> {
    let all = [
        inbox::routes(),
        message::routes(),
        contacts::routes(),
        plain::routes::<contacts::Contacts>(),
        aliases::routes(),
        alias::routes(),
        domains::routes(),
        domain::routes(),
    ];
    all.into_iter().flatten().collect()
}

/// An action on the selected rows of a list.
#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    id: Vec<String>,
    #[serde(rename = "do", default)]
    action: String,
    /// The contacts that Undo restores, by their previous state.
    #[serde(default)]
    unset: Vec<String>,
    #[serde(default)]
    allowed: Vec<String>,
    #[serde(default)]
    blocked: Vec<String>,
    /// The address of the page that it came from.
    #[serde(default)]
    back: String,
}

impl Chosen {
    /// Redirects to the list, or to the page of a single chosen contact.
    fn back<F: Filters>(&self, one: PathOf) -> String {
        let all = [&self.id, &self.unset, &self.allowed, &self.blocked];
        match all.into_iter().flatten().collect::<Vec<_>>().as_slice() {
            [id] if one.of(id) == self.back => self.back.clone(),
            _ => ListQuery::<F>::at(&self.back).here(),
        }
    }

    fn ids<Id>(&self, parse: impl Fn(&str) -> Option<Id>) -> Result<Vec<Id>, PageError> {
        self.id.iter().map(|id| parse(id).ok_or_else(PageError::not_found)).collect()
    }
}

/// The sentence that deleting an alias, contact or domain keeps its messages.
fn messages_kept(stored: Capped) -> String {
    match stored.0 {
        0 => "No messages are stored.".into(),
        1 => "1 message is kept.".into(),
        _ => format!("{stored} messages are kept."),
    }
}
