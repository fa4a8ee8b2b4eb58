//! Mail: domains and aliases that receive it, contacts who write, and their messages.

pub mod address;
pub mod aliases;
pub mod arrival;
pub mod authentication;
pub(crate) mod authors;
pub mod batch;
pub mod chosen;
mod clean;
pub mod contacts;
pub mod conversations;
pub mod domain_checks;
pub mod downloads;
mod excerpt;
pub(crate) mod html;
mod html_text;
pub(crate) mod mail_days;
pub mod mail_domains;
mod mailboxes;
pub mod messages;
mod mime;
#[cfg(fuzzing)]
pub use mime::properties;
pub mod parse;
pub mod parts;
pub(crate) mod pictures;
pub mod quota;
pub mod receive;
pub(crate) mod received_header;
pub(crate) mod reindex;
pub mod route;
mod subjects;
pub(crate) mod words;
