//! Gatepost: a self-hosted inbox platform whose front door for programs is its Developer page.

pub mod app;
pub mod config;
pub mod domain;
pub mod gate;
pub mod store;
pub mod web;
