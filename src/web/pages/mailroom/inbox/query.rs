//! What of the inbox is asked for: the parameters of the address, and what they mean.

use super::news::Known;
use crate::domain::mailroom::aliases::{Alias, AliasId};
use crate::domain::mailroom::contacts::{Contact, ContactId};
use crate::domain::mailroom::messages::{Filter, MessageId, MessageState};
use crate::domain::search::Search;
use crate::web::pages::error::PageError;
use crate::web::paths::{self, Path};

/// The parameters as they were sent; what is empty does not narrow.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Query {
    pub q: String,
    pub alias: String,
    pub contact: String,
    pub state: String,
    /// Anything for the unread ones alone.
    pub unread: String,
    pub before: String,
}

/// What the parameters mean.
#[derive(Clone, Debug)]
pub struct Asked {
    pub words: Search,
    pub filter: Filter,
    pub before: Option<MessageId>,
}

impl Query {
    /// # Errors
    /// `NotFound` for a menu's value that no menu holds, a sentence for too long a search.
    pub fn parse(&self) -> Result<Asked, PageError> {
        let filter = Filter {
            alias: given(&self.alias, AliasId::parse)?,
            contact: given(&self.contact, ContactId::parse)?,
            state: given(&self.state, MessageState::parse)?,
            unread: !self.unread.is_empty(),
            ..Filter::default()
        };
        let words = Search::parse(&self.q)?;
        Ok(Asked { words, filter, before: given(&self.before, MessageId::parse)? })
    }

    pub fn is_filtered(&self) -> bool {
        !self.pairs().is_empty()
    }

    /// Whether this is the inbox as it opens.
    pub fn is_plain(&self) -> bool {
        !self.is_filtered() && self.before.is_empty()
    }

    /// The address of what is asked for here.
    pub fn address(&self) -> String {
        let before = Some(("before", self.before.clone())).filter(|_| !self.before.is_empty());
        self.at(paths::INBOX, before)
    }

    /// The address of the first page.
    pub fn newest(&self) -> String {
        self.at(paths::INBOX, [])
    }

    /// The address of the page that starts below `id`.
    pub fn below(&self, id: MessageId) -> String {
        self.at(paths::INBOX, [("before", id.to_string())])
    }

    /// Where to ask for what is new in this list.
    pub fn news(&self, known: &Known) -> String {
        self.at(paths::INBOX_UPDATES, known.pairs())
    }

    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("q", self.q.trim()),
            ("alias", &self.alias),
            ("contact", &self.contact),
            ("state", &self.state),
            ("unread", &self.unread),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    fn at(&self, path: Path, more: impl IntoIterator<Item = (&'static str, String)>) -> String {
        let more: Vec<_> = more.into_iter().collect();
        let mut pairs = self.pairs();
        pairs.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
        path.query(&pairs)
    }
}

fn given<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, PageError> {
    match text {
        "" => Ok(None),
        text => parse(text).map(Some).ok_or_else(PageError::not_found),
    }
}

/// One line of a menu.
pub struct Choice {
    pub value: String,
    pub text: String,
}

impl Choice {
    fn new(value: impl ToString, text: impl Into<String>) -> Self {
        Self { value: value.to_string(), text: text.into() }
    }
}

/// What can be chosen in the filters.
pub struct Menus {
    pub aliases: Vec<Choice>,
    pub contacts: Vec<Choice>,
    pub states: Vec<Choice>,
}

impl Menus {
    /// What is chosen stays in its menu, also when it is too old for it or gone.
    pub fn of(asked: &Query, aliases: &[Alias], contacts: impl Iterator<Item = Contact>) -> Self {
        let aliases = aliases.iter().map(|alias| Choice::new(alias.id, alias.address()));
        let contacts = contacts.map(|contact| Choice::new(contact.id, contact.address));
        Self {
            aliases: menu("All aliases", aliases, &asked.alias, "An alias not listed here"),
            contacts: menu("Everybody", contacts, &asked.contact, "A contact that is gone"),
            states: vec![
                Choice::new("", "Any state"),
                Choice::new("delivered", "Delivered"),
                Choice::new("denied", "Denied: from a blocked contact"),
                Choice::new("rejected", "Rejected: refused to its sender"),
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
    fn an_address_keeps_every_filter_and_nothing_that_is_empty() {
        let query = Query { q: " lost & found ".into(), state: "denied".into(), ..Query::default() };
        assert_eq!(query.address(), "/inbox?q=lost%20%26%20found&state=denied");
        assert_eq!(Query::default().address(), "/inbox");
        assert!(Query::default().is_plain() && query.is_filtered());
    }

    #[test]
    fn what_no_form_sends_means_nothing() {
        for query in [
            Query { alias: "hello".into(), ..Query::default() },
            Query { contact: "alias_1".into(), ..Query::default() },
            Query { state: "eaten".into(), ..Query::default() },
            Query { before: "x".into(), ..Query::default() },
            Query { q: "x".repeat(255), ..Query::default() },
        ] {
            assert!(query.parse().is_err(), "{query:?}");
        }
    }
}
