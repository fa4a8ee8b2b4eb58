//! The pages, one file or folder an area.

mod activity;
mod developer;
mod docs;
mod mailroom;
mod people;
