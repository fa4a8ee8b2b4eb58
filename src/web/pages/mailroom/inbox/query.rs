//! The filters of the inbox, parsed from the query string, and their menus.

use crate::domain::mailroom::aliases::{Alias, AliasId};
use crate::domain::mailroom::contacts::{Contact, ContactId};
use crate::domain::mailroom::messages::{Filter, MessageState};
use crate::domain::search::Search;
use crate::web::pages::PageError;
use crate::web::pages::form::Choice;
use crate::web::pages::list::{ListQuery, chosen, filters};
use crate::web::paths;

filters!(Filters at paths::INBOX => q, alias, contact, state, unread);

impl Filters {
    /// # Errors
    /// `NotFound` for a value that no menu offers; `Invalid` for a search that is too long.
    pub fn parse(&self) -> Result<(Search, Filter), PageError> {
        let filter = Filter {
            alias: chosen(&self.alias, AliasId::parse)?,
            contact: chosen(&self.contact, ContactId::parse)?,
            state: chosen(&self.state, MessageState::parse)?,
            unread: !self.unread.is_empty(),
            ..Filter::default()
        };
        Ok((Search::parse(&self.q)?, filter))
    }
}

/// The entries of the filter menus.
pub struct Menus {
    pub aliases: Vec<Choice>,
    pub contacts: Vec<Choice>,
    pub states: Vec<Choice>,
}

impl Menus {
    /// A selected entry stays in its menu even if it is deleted or not among the newest.
    pub fn of(
        asked: &ListQuery<Filters>,
        aliases: &[Alias],
        contacts: impl Iterator<Item = Contact>,
    ) -> Self {
        let aliases = aliases.iter().map(|alias| Choice::new(alias.id, alias.address()));
        let contacts = contacts.map(|contact| Choice::new(contact.id, contact.address));
        Self {
            aliases: menu("All aliases", aliases, &asked.filters.alias, "Another alias"),
            contacts: menu("All contacts", contacts, &asked.filters.contact, "A deleted contact"),
            states: vec![
                Choice::new("", "All"),
                Choice::new("delivered", "Delivered"),
                Choice::new("denied", "Blocked: from a blocked contact"),
                Choice::new("rejected", "Rejected: refused on arrival"),
            ],
        }
    }
}

fn menu(all: &str, choices: impl Iterator<Item = Choice>, chosen: &str, unknown: &str) -> Vec<Choice> {
    let mut menu = vec![Choice::new("", all)];
    for choice in choices {
        if menu.iter().all(|known| known.value != choice.value) {
            menu.push(choice);
        }
    }
    if menu.iter().all(|known| known.value != chosen) {
        menu.push(Choice::new(chosen, unknown));
    }
    menu
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_no_menu_holds_is_refused() {
        for filters in [
            Filters { alias: "hello".into(), ..Filters::default() },
            Filters { contact: "alias_1".into(), ..Filters::default() },
            Filters { state: "eaten".into(), ..Filters::default() },
            Filters { q: "x".repeat(255), ..Filters::default() },
        ] {
            assert!(filters.parse().is_err(), "{filters:?}");
        }
    }
}
