//! The address fields of a message.

use std::panic::catch_unwind;

use mail_parser::{Address, MessageParser};

use super::address::MailAddress;
use super::clean::one_line;

pub const ADDRESSES: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Mailbox {
    pub address: String,
    pub name: Option<String>,
}

pub(super) fn mailboxes(list: Option<&Address<'_>>) -> Vec<Mailbox> {
    let each = list.into_iter().flat_map(Address::iter).take(ADDRESSES);
    each.filter_map(|each| {
        let address = one_line(each.address()?);
        let name = each.name().map(one_line).filter(|name| !name.is_empty());
        (!address.is_empty()).then_some(Mailbox { address, name })
    })
    .collect()
}

pub fn mailboxes_in(value: &str) -> Vec<Mailbox> {
    read(value.replace(['\r', '\n'], " ").as_bytes(), mailboxes)
}

/// Every address in the value of a From field. The parser is the one that also reads the message and
/// checks DMARC, so that all of them see the same authors.
pub(super) fn addresses_in(value: &[u8]) -> Vec<String> {
    let each = |list: Option<&Address<'_>>| {
        let each = list.into_iter().flat_map(Address::iter);
        each.filter_map(|each| each.address().map(str::to_owned)).collect()
    };
    read(value, each)
}

fn read<T>(value: &[u8], each: fn(Option<&Address<'_>>) -> Vec<T>) -> Vec<T> {
    let header = [b"From: ", value, b"\n\n"].concat();
    let read = catch_unwind(|| {
        let message = MessageParser::default().parse_headers(&header);
        message.map(|message| each(message.from())).unwrap_or_default()
    });
    read.unwrap_or_default()
}

/// The address, if one can write to it.
pub fn address_of(mailbox: &Mailbox) -> Option<MailAddress> {
    MailAddress::parse(&mailbox.address)
}
