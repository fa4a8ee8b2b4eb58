//! Pages of the mailroom.

pub mod alias;
pub mod aliases;
pub mod contact;
pub mod contacts;
pub mod domain;
pub mod domains;
pub mod inbox;
pub mod message;
mod question;

use crate::web::route::PageRoute;

pub fn routes() -> Vec<PageRoute> {
    let all = [inbox::routes(), message::routes(), contacts::routes(), aliases::routes(), domains::routes()];
    all.into_iter().flatten().collect()
}

/// What was typed into a field of several lines: a browser sends the end of each as two
/// characters, and shows and counts one.
fn lines(typed: &str) -> String {
    typed.replace("\r\n", "\n")
}
