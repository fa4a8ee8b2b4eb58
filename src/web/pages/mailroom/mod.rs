//! Pages of the mailroom.

mod alias;
mod aliases;
mod contacts;
mod domain;
mod domains;
mod inbox;
mod message;

use crate::domain::lists::Capped;
use crate::web::pages::plain;
use crate::web::route::PageRoute;

pub fn routes() -> Vec<PageRoute> {
    let all = [
        inbox::routes(),
        message::routes(),
        plain::routes::<contacts::Contacts>(),
        aliases::routes(),
        alias::routes(),
        domains::routes(),
        domain::routes(),
    ];
    all.into_iter().flatten().collect()
}

/// Says that the messages are kept when an alias, contact or domain is deleted.
fn messages_kept(stored: Capped) -> String {
    match stored.0 {
        0 => "No messages are stored.".into(),
        1 => "1 message is kept.".into(),
        _ => format!("{stored} messages are kept."),
    }
}
