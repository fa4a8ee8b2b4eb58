//! Mail without a socket: what the domain and the app promise of it.

mod delivering;
mod receiving;
mod routing;
pub mod steps;
