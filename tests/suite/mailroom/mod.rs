//! Mail without a socket: what the domain and the app promise of it.

mod delivering;
mod hostile;
mod receiving;
mod routing;
pub mod steps;
