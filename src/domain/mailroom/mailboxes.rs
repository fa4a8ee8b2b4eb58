//! The address fields of a message.

use super::address::MailAddress;
use super::clean::one_line;
use super::mime::address::{self, Entry};
use super::mime::charset::Charset;

/// Mailboxes of one field that are kept.
const MOST: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mailbox {
    pub address: String,
    pub name: Option<String>,
}

/// To whom a message is addressed, as its header says.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recipients {
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
}

/// The mailboxes of all fields of one name. `body` is the charset of the message's text.
pub(super) fn mailboxes<'v>(values: impl Iterator<Item = &'v [u8]>, body: Charset) -> Vec<Mailbox> {
    values.flat_map(|value| address::read(value, body)).take(MOST).filter_map(mailbox).collect()
}

fn mailbox(entry: Entry) -> Option<Mailbox> {
    let address = one_line(&entry.address);
    let name = entry.name.map(|name| one_line(&name)).filter(|name| !name.is_empty());
    (!address.is_empty()).then_some(Mailbox { address, name })
}

pub fn mailboxes_in(value: &str) -> Vec<Mailbox> {
    mailboxes([value.as_bytes()].into_iter(), Charset::Guess)
}

/// The domains of all authors in a From field: `None` for what is no address.
pub(super) fn domains_in(value: &[u8]) -> Vec<Option<String>> {
    address::read(value, Charset::Guess).into_iter().map(|entry| entry.domain).collect()
}

/// The address, if one can write to it.
pub fn address_of(mailbox: &Mailbox) -> Option<MailAddress> {
    MailAddress::parse(&mailbox.address)
}
