//! Gatepost: self-hosted email inboxes with an API.
//!
//! ```text
//!  interfaces       rules            database
//!  web  ─┐
//!  smtp ─┼─→ app (+ gate, dns) ─→ domain ─→ store ─→ Diesel
//!  cli  ─┘
//! ```
//!
//! Dependencies only point right; `tests/suite/architecture.rs` checks this. [`web`] serves HTTP and HTML,
//! [`smtp`] receives mail, [`cli`] is for the operator. [`app`] holds what all three share, and runs blocking
//! work on threads of its own. Every API call passes through [`gate`]: verify, limit, record. [`domain`] holds
//! the rules, as plain synchronous functions that take the time and the random source as arguments. [`store`]
//! keeps rows in SQLite or Postgres.
//!
//! The modules `domain`, `store` and `web::pages` share three folders: `people` (users, teams, members,
//! invitations, sessions), `access` (tokens, the team key, plans, the API switch, activity) and `mailroom`
//! (domains, aliases, contacts, messages). A noun has the same file name in each; where a page shows one of
//! many, its file has the singular, like `alias.rs` beside `aliases.rs`. `docs/developing.md` says what a new
//! noun takes.
//!
//! # The path of a request
//!
//! `web::routes` names a handler; its arguments are its permissions, so only owners can reach a handler that
//! takes an `Owner`. The handler parses the input into types that can only be valid, and makes one call:
//! `app.write(|tx| tokens::revoke(tx, &actor, team, id, reason))`. The domain checks inside the transaction
//! whether the `actor` is allowed to do this, makes the change and records it. Every query for a row includes
//! the team, so the id of another team's row is not found.
//!
//! Each API request first passes `web::api::authenticate`: the credential, the gate, the handler, the record.
//! In the strict mode, the response is sent after its record is on disk; in the buffered mode, before.
//!
//! # Secrets
//!
//! Passwords, tokens and the secret key have types of their own that print as `…`. The store keeps only a hash
//! of a token, and the log contains route templates, never paths.

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
