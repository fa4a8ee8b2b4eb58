//! The query of the inbox: a tab, narrowed by filters.

use crate::domain::mailroom::aliases::{Alias, AliasId};
use crate::domain::mailroom::contacts::{Contact, ContactId};
use crate::domain::mailroom::messages::{Filter, Folder, Tallies};
use crate::domain::search::Search;
use crate::web::pages::PageError;
use crate::web::pages::form::Choice;
use crate::web::pages::layout::Unread;
use crate::web::pages::list::{self, ListQuery, chosen, filters};
use crate::web::paths;

// The last two concern the open message: see `message::View`.
filters!(Filters at paths::INBOX => view, q, alias, contact; also body, images);

/// A tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Inbox,
    Unread,
    Blocked,
    All,
}

impl View {
    pub const ALL: [Self; 4] = [Self::Inbox, Self::Unread, Self::Blocked, Self::All];

    /// The value in the query string.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Inbox => "",
            Self::Unread => "unread",
            Self::Blocked => "blocked",
            Self::All => "all",
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "Inbox",
            Self::Unread => "Unread",
            Self::Blocked => "Blocked",
            Self::All => "All",
        }
    }

    fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.code() == code)
    }

    fn filter(self) -> Filter {
        match self {
            Self::Inbox => Filter { folder: Some(Folder::Inbox), ..Filter::default() },
            Self::Unread => Filter { unread: true, ..Filter::default() },
            Self::Blocked => Filter { folder: Some(Folder::Blocked), ..Filter::default() },
            Self::All => Filter::default(),
        }
    }
}

impl Filters {
    /// # Errors
    /// `NotFound` for unknown values, `Invalid` for a search that is too long.
    pub fn parse(&self) -> Result<(Search, Filter), PageError> {
        let filter = Filter {
            alias: chosen(&self.alias, AliasId::parse)?,
            contact: chosen(&self.contact, ContactId::parse)?,
            ..View::parse(&self.view).ok_or_else(PageError::not_found)?.filter()
        };
        Ok((Search::parse(&self.q)?, filter))
    }

    /// Whether any filter narrows the tab.
    pub fn narrows(&self) -> bool {
        [&self.q, &self.alias, &self.contact].into_iter().any(|value| !value.is_empty())
    }

    pub fn view(&self) -> View {
        View::parse(&self.view).unwrap_or(View::Inbox)
    }
}

pub struct Tab {
    pub view: View,
    pub address: String,
    pub is_current: bool,
    /// Empty if there are none.
    pub count: String,
}

/// Builds the tabs, which keep the filters.
pub fn tabs(asked: &ListQuery<Filters>, tallies: Tallies) -> Vec<Tab> {
    let tab = |view: View| {
        let mut pairs = list::Filters::pairs(&asked.filters);
        pairs.retain(|(name, _)| *name != "view");
        pairs.insert(0, ("view", view.code()));
        let count = match view {
            View::Inbox => tallies.inbox,
            View::Unread => tallies.unread,
            View::Blocked => tallies.blocked,
            View::All => 0,
        };
        Tab {
            view,
            address: paths::INBOX.query(&pairs),
            is_current: view == asked.filters.view(),
            count: Unread(count).text(),
        }
    };
    View::ALL.into_iter().map(tab).collect()
}

/// Keeps a selected alias in the menu even if it is deleted or not among the newest.
pub fn alias_menu(asked: &ListQuery<Filters>, aliases: &[Alias]) -> Vec<Choice> {
    let chosen = &asked.filters.alias;
    let mut menu = vec![Choice::new("", "All aliases")];
    menu.extend(aliases.iter().map(|alias| Choice::new(alias.id, alias.address())));
    if menu.iter().all(|known| known.value != *chosen) {
        menu.push(Choice::new(chosen, "Another alias"));
    }
    menu
}

/// The name of the contact in the filter, or empty.
pub fn contact_name(asked: &ListQuery<Filters>, contact: Option<Contact>) -> String {
    match contact {
        Some(contact) => contact.name.unwrap_or(contact.address),
        None if asked.filters.contact.is_empty() => String::new(),
        // Deleting a contact keeps its messages.
        None => "a deleted contact".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_are_refused() {
        for filters in [
            Filters { alias: "hello".into(), ..Filters::default() },
            Filters { contact: "alias_1".into(), ..Filters::default() },
            Filters { view: "eaten".into(), ..Filters::default() },
            Filters { q: "x".repeat(255), ..Filters::default() },
        ] {
            assert!(filters.parse().is_err(), "{filters:?}");
        }
    }

    #[test]
    fn tabs_keep_the_search_and_cap_their_counts() {
        let asked = ListQuery::<Filters>::parse("view=unread&q=tea").expect("a query");
        let tabs = tabs(&asked, Tallies { inbox: 1000, unread: 3, blocked: 0, any: 1 });
        let shown: Vec<_> = tabs.iter().map(|tab| (&*tab.address, &*tab.count, tab.is_current)).collect();
        assert_eq!(
            shown,
            [
                ("/inbox?q=tea", "999+", false),
                ("/inbox?view=unread&q=tea", "3", true),
                ("/inbox?view=blocked&q=tea", "", false),
                ("/inbox?view=all&q=tea", "", false)
            ]
        );
    }
}
