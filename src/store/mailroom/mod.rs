//! Rows of mail: domains, aliases, contacts, conversations and messages.

pub mod aliases;
pub(crate) mod contacts;
pub(crate) mod contents;
pub(crate) mod conversations;
pub(crate) mod mail_days;
pub(crate) mod mail_domains;
pub mod mail_usage;
pub(crate) mod messages;
pub(crate) mod search;
