//! Reads the address fields of a message.

use super::address::MailAddress;
use super::clean::one_line;
use super::mime::address::{self, Entry};
use super::mime::charset::Charset;

/// The maximum number of mailboxes in all fields with one name.
const MAX_MAILBOXES: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mailbox {
    pub address: String,
    pub name: Option<String>,
}

/// The recipients in a message's header.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recipients {
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
}

/// Parses all fields with one name. `body` is the charset of the message's text.
pub(super) fn mailboxes<'v>(values: impl Iterator<Item = &'v [u8]>, body: Charset) -> Vec<Mailbox> {
    values.flat_map(|value| address::read(value, body)).take(MAX_MAILBOXES).filter_map(mailbox).collect()
}

fn mailbox(entry: Entry) -> Option<Mailbox> {
    let address = one_line(&entry.address);
    let name = entry.name.map(|name| one_line(&name)).filter(|name| !name.is_empty());
    (!address.is_empty()).then_some(Mailbox { address, name })
}

pub fn mailboxes_in(value: &str) -> Vec<Mailbox> {
    mailboxes([value.as_bytes()].into_iter(), Charset::Guess)
}

/// Returns the domain of each mailbox in a field, with `None` for each invalid address.
pub(super) fn domains_in(value: &[u8]) -> Vec<Option<String>> {
    address::read(value, Charset::Guess).into_iter().map(|entry| entry.domain).collect()
}

/// Returns `None` if the address is invalid.
pub fn address_of(mailbox: &Mailbox) -> Option<MailAddress> {
    MailAddress::parse(&mailbox.address)
}
