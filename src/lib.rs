//! Gatepost: a self-hosted inbox platform whose front door for programs is its Developer page.

pub mod domain;
pub mod store;
