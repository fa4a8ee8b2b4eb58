//! Pages: one file per page, with its handlers and the struct of its template.

pub mod access;
mod answer;
pub mod csrf;
pub mod error;
pub mod form;
pub mod format;
pub mod guards;
pub mod health;
pub mod jobs;
pub mod layout;
pub mod list;
pub mod mailroom;
pub mod notice;
pub mod password_again;
pub mod people;
mod question;

pub use answer::{Answer, html, part_at, see_other, see_other_with};
pub use error::PageError;
pub use form::{Fields, FormErrors};
pub use guards::{Admin, Member, Owner};
pub use layout::Layout;
pub use notice::Notice;
pub use question::Confirmation;

/// A state as pages show it: tone and text; see `badge` in `templates/macros/ui.html`.
pub type Badge = (&'static str, &'static str);
