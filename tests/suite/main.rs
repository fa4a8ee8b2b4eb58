//! Everything but the browser, in one binary: it links once.

mod access;
mod api;
mod architecture;
mod cli;
mod crash;
mod pages;
mod store;
mod support;
