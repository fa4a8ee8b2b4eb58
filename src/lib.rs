//! Gatepost: a self-hosted inbox platform whose front door for programs is its Developer page.
//!
//! ```text
//!  faces            heart            ground
//!  web  ─┐
//!  smtp ─┼─→ app (+ gate, dns) ─→ domain ─→ store ─→ Diesel
//!  cli  ─┘
//! ```
//!
//! Every arrow points right; a test holds them. [`web`] speaks HTTP and HTML, [`smtp`]
//! takes mail, [`cli`] speaks to an operator. [`app`] holds what both share and is where async code hops to a thread
//! that may block. [`gate`] is what every API call passes: verify, limit, record. [`domain`]
//! says what Gatepost means, in plain synchronous functions that take time and
//! chance as arguments. [`store`] is rows in two engines.
//!
//! In `domain`, `store` and `web::pages` two areas have a folder each: `people` (users, teams,
//! members, invitations, sessions) and `access` (tokens, the team key, plans, the API switch,
//! activity). A noun has the same file name in each.
//!
//! # How a request travels
//!
//! `web::routes` names a handler; its arguments are its permissions, so a handler that takes
//! an `Owner` cannot be reached by anyone else. It parses what was sent into types that can
//! only be valid, and makes one trip: `app.write(|tx| tokens::revoke(tx, &by, team, id, why))`.
//! The domain checks again, inside the transaction, whether the `actor` may do that;
//! changes, and records the change. Rows are always looked for within the team, so another
//! team's id does not exist.
//!
//! Each API request passes `web::api::authenticate` first: the credential, the gate, the handler,
//! the record. The response leaves when the record is on disk.
//!
//! # Secrets
//!
//! A password, a token, the secret key each have a type that prints as `…`. Of a token the
//! store keeps a hash; the log knows routes by their templates, never by their paths.

pub mod app;
mod blocking;
pub mod cli;
pub mod config;
pub mod dns;
pub mod domain;
pub mod gate;
pub mod smtp;
pub mod store;
pub mod web;
