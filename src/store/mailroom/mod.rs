//! Rows of mail: domains, aliases, contacts, conversations, messages.

pub mod aliases;
pub mod contacts;
pub mod contents;
pub mod conversations;
pub mod mail_domains;
pub mod mail_usage;
pub mod messages;
pub mod search;
