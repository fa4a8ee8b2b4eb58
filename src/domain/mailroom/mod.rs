//! Mail: the addresses that receive it, who writes, and what was written.

pub mod address;
pub mod aliases;
pub mod authentication;
pub mod authors;
mod clean;
pub mod contacts;
pub mod conversations;
mod decoding;
mod defuse;
pub mod domain_checks;
pub mod downloads;
mod excerpt;
mod fields;
pub mod html;
pub mod mail_domains;
mod mailboxes;
pub mod messages;
pub mod parse;
mod part_headers;
pub mod parts;
pub mod pictures;
pub mod quota;
pub mod receive;
pub mod received_header;
mod route;
mod words;
