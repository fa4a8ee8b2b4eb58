//! Pages: one file per page, with its handlers and the struct of its template.

pub(crate) mod access;
mod answer;
pub(crate) mod avatar;
pub(crate) mod charts;
pub(crate) mod csrf;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod format;
pub(crate) mod guards;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod icons;
pub(crate) mod jobs;
pub(crate) mod layout;
pub(crate) mod list;
pub(crate) mod mailroom;
mod navigation;
pub(crate) mod notice;
pub(crate) mod password_again;
pub(crate) mod people;
mod plain;
mod question;
pub(crate) mod search;
pub(crate) mod style;
pub(crate) mod theme;

pub use answer::{Answer, html, html_with_secret, part_at, see_other, see_other_to_undo, see_other_with};
pub use error::PageError;
pub use form::{Fields, FormErrors};
pub use guards::{Admin, Member, Owner};
pub use layout::Layout;
pub use notice::{Notice, Undo};
pub use question::Confirmation;

/// The tone and text of a badge; see `badge` in `templates/macros/ui.html`.
pub type Badge = (&'static str, &'static str);
