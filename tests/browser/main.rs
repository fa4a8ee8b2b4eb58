//! The pages in a real Chromium, against the real program.

mod addresses;
mod docs;
mod helpers;
mod home;
mod inbox;
mod pages;
mod search;
mod story;
mod style;
mod support;
