//! The pages in a real Chromium, served by the real binary.

mod addresses;
mod docs;
mod gallery;
mod helpers;
mod home;
mod inbox;
mod pages;
mod reach;
mod search;
mod story;
mod style;
mod support;
