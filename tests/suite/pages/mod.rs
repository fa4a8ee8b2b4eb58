//! The pages, one file or folder an area.

mod activity;
mod developer;
mod people;
