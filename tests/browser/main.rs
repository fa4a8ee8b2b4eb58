//! The pages in a real Chromium, against the real program.

mod addresses;
mod helpers;
mod inbox;
mod story;
mod support;
