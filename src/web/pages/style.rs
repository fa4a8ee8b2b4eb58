//! Shows every component in every state on one page, only in demos and debug builds.

use actix_web::http::StatusCode;
use askama::Template;

use super::answer::{Answer, html};
use super::error::PageError;
use super::guards::Member;
use super::layout::Layout;
use crate::web::paths;
use crate::web::route::{PageRoute, page};

#[derive(Template)]
#[template(path = "style/page.html")]
struct StylePage {
    layout: Layout,
}

/// Their avatars have different colors.
const PEOPLE: [(&str, &str); 9] = [
    ("Ada Lovelace", "ada@acme.test"),
    ("Grace Murray", "grace@navy.test"),
    ("Paula Ives", "paula@ives.test"),
    ("Edith Eccles", "edith@eccles.test"),
    ("Annie Kay", "annie@kay.test"),
    ("Olive Hart", "olive@hart.test"),
    ("Lea Brandt", "lea@brandt.test"),
    ("Hedy Lane", "hedy@lane.test"),
    ("Bea Bouchard", "bea@acme.test"),
];

const COLORS: [&str; 15] = [
    "sunken",
    "bg",
    "surface",
    "raised",
    "text",
    "text-2",
    "accent",
    "ok-mark",
    "warn-mark",
    "bad-mark",
    "c1",
    "c2",
    "c3",
    "c4",
    "c5",
];

pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::STYLE).get(show)]
}

async fn show(member: Member) -> Answer {
    if !cfg!(debug_assertions) && !member.app().config().is_demo {
        return Err(PageError::not_found());
    }
    html(StatusCode::OK, &StylePage { layout: Layout::new(&member, "style") })
}
