//! The pages in the navigation, one line each.

use crate::domain::people::roles::Role;
use crate::web::paths::{self, Path};

pub struct Group {
    /// Empty for pages above all groups.
    pub name: &'static str,
    pub pages: Vec<&'static Page>,
}

pub struct Page {
    /// Identifies the page in [`super::Layout`].
    pub nav: &'static str,
    pub name: &'static str,
    /// A name in `static/icons/icons.svg`.
    pub icon: &'static str,
    pub path: Path,
    /// The keyboard shortcut after "g", or empty.
    pub key: &'static str,
    group: &'static str,
    min_role: Role,
    /// Whether it is in the bottom bar on phones, which has room for three.
    is_main: bool,
}

const MAIL: &str = "Mail";
const BUILD: &str = "Build";
const TEAM: &str = "Team";

const PAGES: &[Page] = &[
    page("", "home", "Home", "house", paths::HOME).key("h").main(),
    page(MAIL, "inbox", "Inbox", "inbox", paths::INBOX).key("i").main(),
    page(MAIL, "contacts", "Contacts", "users", paths::CONTACTS).key("c"),
    page(MAIL, "aliases", "Aliases", "at-sign", paths::ALIASES).key("a"),
    page(MAIL, "domains", "Domains", "globe", paths::DOMAINS).key("o"),
    page(BUILD, "developer", "Developer", "code-xml", paths::DEVELOPER).key("d").main(),
    page(BUILD, "docs", "API reference", "book-open", paths::DOCS).key("r"),
    page(TEAM, "activity", "Activity", "activity", paths::ACTIVITY).key("v").only(Role::Admin),
    page(TEAM, "team", "People", "users-round", paths::TEAM).key("p"),
    page(TEAM, "settings", "Settings", "settings", paths::SETTINGS).key("s"),
];

const fn page(
    group: &'static str,
    nav: &'static str,
    name: &'static str,
    icon: &'static str,
    path: Path,
) -> Page {
    Page { nav, name, icon, path, key: "", group, min_role: Role::Member, is_main: false }
}

impl Page {
    const fn main(self) -> Self {
        Self { is_main: true, ..self }
    }

    const fn key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    const fn only(self, min_role: Role) -> Self {
        Self { min_role, ..self }
    }
}

/// The pages that this role can open, in groups.
pub fn groups(role: Role) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for page in pages(role) {
        match groups.last_mut().filter(|group| group.name == page.group) {
            Some(group) => group.pages.push(page),
            None => groups.push(Group { name: page.group, pages: vec![page] }),
        }
    }
    groups
}

/// The pages in the bottom bar on phones.
pub fn main_pages(role: Role) -> impl Iterator<Item = &'static Page> {
    pages(role).filter(|page| page.is_main)
}

pub fn pages(role: Role) -> impl Iterator<Item = &'static Page> {
    PAGES.iter().filter(move |page| role >= page.min_role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_sees_only_pages_it_can_open() {
        let names =
            |role| groups(role).into_iter().flat_map(|it| it.pages).map(|it| it.nav).collect::<Vec<_>>();
        assert!(names(Role::Admin).contains(&"activity"));
        assert!(!names(Role::Member).contains(&"activity"));
        assert_eq!(names(Role::Owner).len(), PAGES.len());
        assert_eq!(main_pages(Role::Member).count(), 3);
    }

    #[test]
    fn keyboard_shortcuts_are_unique() {
        let with_key = || PAGES.iter().map(|page| page.key).filter(|key| !key.is_empty());
        let keys: std::collections::BTreeSet<_> = with_key().collect();
        assert_eq!(keys.len(), with_key().count());
        assert!(keys.len() >= 8 && keys.iter().all(|key| key.len() == 1));
    }
}
