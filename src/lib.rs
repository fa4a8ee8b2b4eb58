//! Gatepost: self-hosted email inboxes with an API.
//!
//! ```text
//!  interfaces       rules            database
//!  web  ─┐
//!  smtp ─┼─→ app (+ gate, dns) ─→ domain ─→ store ─→ Diesel
//!  cli  ─┘
//! ```
//!
//! Dependencies only point right, which `tests/suite/architecture.rs` checks. [`web`] serves HTTP and HTML, [`smtp`]
//! receives mail, and [`cli`] is for the operator. [`app`] has the resources that all three share, and runs blocking work
//! on separate threads. Every API call passes through [`gate`]: verify, limit, record. [`domain`] has the rules, as plain
//! synchronous functions that take the time and the random source as arguments. [`store`] stores rows in SQLite or
//! Postgres.
//!
//! The modules `domain`, `store` and `web::pages` share three folders: `people` (users, teams, members,
//! invitations, sessions), `access` (tokens, the team key, plans, the API switch, activity) and `mailroom`
//! (domains, aliases, contacts, messages). A noun has the same file name in each. A page that shows a single one is in a
//! file with the singular, like `alias.rs` next to `aliases.rs`. `docs/developing.md` describes how to add a noun.
//!
//! # The path of a request
//!
//! `web::routes` names a handler; its arguments are its permissions, so only owners can reach a handler that
//! takes an `Owner`. The handler parses the input into types that are always valid, and makes one call:
//! `app.write(|tx| tokens::revoke(tx, &actor, team, id, reason))`. The domain checks inside the transaction
//! whether the `actor` is allowed to do this, makes the change and records it. Every query for a row includes
//! the team, so the id of another team's row is not found.
//!
//! Each API request passes `web::api::authenticate`: the credential, the gate, the handler, the record. In strict mode,
//! the response is sent after its record is on disk; in buffered mode, before.
//!
//! # Secrets
//!
//! Passwords, tokens and the secret key have their own types, which print as `…`. The store has only hashes of tokens,
//! and the log contains route templates, never paths.

pub mod app;
mod blocking;
pub mod cli;
pub mod config;
pub(crate) mod dns;
pub mod domain;
pub(crate) mod gate;
pub mod smtp;
pub mod store;
pub mod web;
