//! The pages in a real Chromium, against the real program.

mod addresses;
mod helpers;
mod story;
mod support;
