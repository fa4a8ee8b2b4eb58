//! The allowed dependencies between layers:
//!
//! ```text
//!  interfaces           rules                database
//!  web  ─┐
//!  smtp ─┼─→ app (gate, jobs) ─→ domain ─→ store ─→ Diesel
//!  cli  ─┘       └─→ dns
//! ```

use std::collections::BTreeSet;

use super::rule::Rule;
use super::rust;
use super::source::Source;

const ARROWS: &[(&str, &[&str])] = &[
    // The command line starts the servers.
    ("cli", &["web", "smtp", "app", "domain", "config"]),
    ("web", &["app", "gate", "domain", "config"]),
    ("smtp", &["app", "domain", "config"]),
    ("app", &["gate", "dns", "domain", "store", "config", "blocking"]),
    ("gate", &["domain", "store", "blocking"]),
    ("blocking", &["domain"]),
    ("dns", &["domain"]),
    ("config", &["domain"]),
    ("domain", &["store"]),
    ("store", &[]),
];

/// The modules of the app that use the store directly. Others use `App::read` and `App::write`.
const MAY_USE_THE_STORE: &[&str] = &[
    "src/app.rs",
    "src/app/backup/",
    "src/app/downloads.rs",
    "src/app/idempotency.rs",
    "src/app/inbound.rs",
    "src/app/inbound/writer.rs",
    "src/app/name_keys.rs",
    "src/app/retention.rs",
    "src/app/storage.rs",
];

#[test]
fn dependencies_point_right() {
    Rule::new("a layer names another that it must not depend on", forbidden_arrows)
        .refuses("src/domain/people/teams.rs", "use crate::web::paths;")
        .refuses("src/domain/a.rs", "use crate::{app::App, store};")
        .refuses("src/web/a.rs", "fn a() { crate::store::open() }")
        .refuses("src/store/a.rs", "use crate::{\n    store::{ids, Tx},\n    domain::users,\n};")
        .refuses("src/gate/a.rs", "use crate::app::App;")
        .refuses("src/config.rs", "use crate::gate::Mode;")
        .refuses("src/config/a.rs", "use crate::store::Location;")
        .refuses("src/dns/a.rs", "use crate::app::App;")
        .refuses("src/app.rs", "pub(crate) use crate::cli;")
        .refuses("src/smtp/a.rs", "use crate::other::A;")
        .permits("src/domain/a.rs", "use crate::{domain::clock, store::{web, tokens}};")
        .permits("src/web/a.rs", "use crate::app::App; mod store {}")
        .permits("src/lib.rs", "pub use crate::web;")
        .holds_for(&rust());
}

#[test]
fn only_some_modules_of_the_app_use_the_store_directly() {
    Rule::new("read and write through the app", |file| {
        let holds = MAY_USE_THE_STORE.iter().any(|holder| file.path.starts_with(holder));
        let names = file.path.starts_with("src/app") && modules_named(&file.code()).contains("store");
        if names && !holds { vec![file.path.clone()] } else { Vec::new() }
    })
    .refuses("src/app/a.rs", "use crate::store::Store;")
    .permits("src/app.rs", "use crate::store::Store;")
    .permits("src/app/a.rs", "use crate::domain::people::users;")
    .holds_for(&rust());
}

fn forbidden_arrows(file: &Source) -> Vec<String> {
    let layer = file.path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or("");
    let Some((_, allowed)) = ARROWS.iter().find(|(it, _)| *it == layer) else { return Vec::new() };
    modules_named(&file.code())
        .into_iter()
        .filter(|module| module != layer && !allowed.contains(&module.as_str()))
        .map(|module| format!("{}: crate::{module}", file.path))
        .collect()
}

/// Returns the first module of every path that starts at the crate's root.
fn modules_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, root) in code.match_indices("crate::") {
        let path = code[at + root.len()..].trim_start();
        match path.strip_prefix('{') {
            Some(group) => named.extend(first_words(group)),
            None => named.extend([word(path)]),
        };
    }
    named
}

/// Returns the first segments of `a::{b, c}, d}`: a and d.
fn first_words(group: &str) -> Vec<String> {
    let (mut depth, mut words, mut start) = (0, Vec::new(), 0);
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b',' | b'}' if depth == 0 => {
                words.push(word(group[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
        if byte == b'}' && start == at + 1 {
            break;
        }
    }
    words
}

fn word(path: &str) -> String {
    path.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
}
