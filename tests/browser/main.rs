//! The pages in a real Chromium, against the real program.

mod helpers;
mod story;
mod support;
