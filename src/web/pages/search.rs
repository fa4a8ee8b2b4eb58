//! Searches everything in a team. The command palette is this search in a dialog. Also lists keyboard shortcuts.

use actix_web::http::StatusCode;
use askama::Template;

use super::navigation;
use crate::domain::mailroom::messages::Message;
use crate::domain::people::roles::Role;
use crate::domain::search::Search;
use crate::domain::team_search::{self, Found, Named, Thing};
use crate::web::htmx::Htmx;
use crate::web::pages::list::{ListQuery, filters};
use crate::web::pages::{Answer, Layout, Member, html};
use crate::web::paths;
use crate::web::route::{PageRoute, page};

pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::SEARCH).get(search), page(paths::SHORTCUTS).get(shortcuts)]
}

filters!(Filters at paths::SEARCH => q);

#[derive(Template)]
#[template(path = "search/page.html")]
struct SearchPage {
    layout: Layout,
    q: String,
    groups: Vec<Group>,
}

/// The search in a dialog.
#[derive(Template)]
#[template(path = "search/_palette.html")]
struct Palette {
    team: String,
    q: String,
    groups: Vec<Group>,
}

struct Group {
    name: &'static str,
    rows: Vec<Row>,
}

struct Row {
    icon: &'static str,
    text: String,
    detail: String,
    path: String,
}

impl Row {
    fn of(thing: Named) -> (&'static str, Self) {
        let (group, icon, path) = match thing.thing {
            Thing::Contact(id) => ("Contacts", "users", paths::CONTACT.of(id)),
            Thing::Alias(id) => ("Aliases", "at-sign", paths::ALIAS.of(id)),
            Thing::Domain(id) => ("Domains", "globe", paths::DOMAIN.of(id)),
            Thing::Token(id) => ("API tokens", "key-round", paths::TOKEN.of(id)),
            Thing::Person(_) => ("People", "users-round", paths::TEAM.to_string()),
        };
        (group, Self { icon, text: thing.name, detail: thing.detail, path })
    }

    fn of_message(message: &Message) -> Self {
        let from = message.from_name.as_ref().or(message.from_address.as_ref());
        let subject = if message.subject.is_empty() { "(no subject)" } else { &message.subject };
        Self {
            icon: "mail",
            text: subject.to_owned(),
            detail: from.cloned().unwrap_or_default(),
            path: paths::MESSAGE.of(message.id),
        }
    }
}

/// Pages with the search text in their name.
fn pages(role: Role, search: &Search) -> Vec<Row> {
    let key = search.key().unwrap_or_default();
    let pages = navigation::pages(role).filter(|page| page.name.to_lowercase().contains(&key));
    let row = |page: &navigation::Page| Row {
        icon: page.icon,
        text: page.name.to_owned(),
        detail: String::new(),
        path: page.path.to_string(),
    };
    pages.map(row).collect()
}

fn groups(role: Role, search: &Search, found: Found) -> Vec<Group> {
    let mut groups = vec![Group { name: "Pages", rows: pages(role, search) }];
    for (name, row) in found.named.into_iter().map(Row::of) {
        match groups.last_mut().filter(|group| group.name == name) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { name, rows: vec![row] }),
        }
    }
    let mut messages: Vec<_> = found.messages.iter().map(Row::of_message).collect();
    if found.more_messages {
        let path = paths::INBOX.with("q", search.as_str());
        let text = "Show all messages found".to_owned();
        messages.push(Row { icon: "search", text, detail: String::new(), path });
    }
    groups.push(Group { name: "Messages", rows: messages });
    groups.retain(|group| !group.rows.is_empty());
    groups
}

async fn search(member: Member, htmx: Htmx, asked: ListQuery<Filters>) -> Answer {
    let search = Search::parse(&asked.filters.q)?;
    let (role, words) = (member.role, search.clone());
    let found = match search.key() {
        Some(_) => member.read(move |tx, team| team_search::find(tx, team, role, &words)).await?,
        None => Found::default(),
    };
    let (groups, q) = (groups(role, &search, found), asked.filters.q);
    match htmx.0 {
        true => html(StatusCode::OK, &Palette { team: member.team.name.clone(), q, groups }),
        false => html(StatusCode::OK, &SearchPage { layout: Layout::new(&member, "search"), q, groups }),
    }
}

#[derive(Template)]
#[template(path = "search/shortcuts.html")]
struct ShortcutsPage {
    layout: Layout,
    groups: Vec<Shortcuts>,
}

#[derive(Template)]
#[template(path = "search/_shortcuts.html")]
struct ShortcutsDialog {
    groups: Vec<Shortcuts>,
}

struct Shortcuts {
    name: &'static str,
    rows: Vec<Shortcut>,
}

struct Shortcut {
    text: &'static str,
    /// Pressed one after the other.
    keys: Vec<String>,
}

fn shortcut(text: &'static str, keys: &[&str]) -> Shortcut {
    Shortcut { text, keys: keys.iter().map(|key| (*key).to_owned()).collect() }
}

/// The keys of `static/js/inbox.js`.
const INBOX_KEYS: &[(&str, &str)] = &[
    ("j", "Next message"),
    ("k", "Previous message"),
    ("o", "Open message"),
    ("x", "Select message"),
    ("u", "Mark as unread, or as read"),
    ("e", "Archive, or move to Inbox"),
    ("#", "Delete"),
];

fn all_shortcuts(role: Role) -> Vec<Shortcuts> {
    let pages = navigation::pages(role).filter(|page| !page.key.is_empty());
    let pages = pages.map(|page| shortcut(page.name, &["g", page.key]));
    let everywhere = vec![
        shortcut("Search", &["Ctrl K"]),
        shortcut("Search", &["/"]),
        shortcut("Keyboard shortcuts", &["?"]),
        shortcut("Close a dialog or menu", &["Esc"]),
    ];
    let inbox = INBOX_KEYS.iter().map(|(key, text)| shortcut(text, &[key]));
    vec![
        Shortcuts { name: "Everywhere", rows: everywhere },
        Shortcuts { name: "Inbox", rows: inbox.collect() },
        Shortcuts { name: "Go to", rows: pages.collect() },
    ]
}

async fn shortcuts(member: Member, htmx: Htmx) -> Answer {
    let groups = all_shortcuts(member.role);
    match htmx.0 {
        true => html(StatusCode::OK, &ShortcutsDialog { groups }),
        false => html(StatusCode::OK, &ShortcutsPage { layout: Layout::new(&member, "shortcuts"), groups }),
    }
}
