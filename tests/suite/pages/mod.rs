//! The pages, one file or folder an area.

mod activity;
mod developer;
mod mailroom;
mod people;
