//! What one client, one team and all of them together may take of this process.

pub(super) mod budget;
pub mod connections;
pub mod held;
pub mod hourly;
pub mod memory;

use std::net::IpAddr;

use super::App;
use crate::domain::network::network;
use held::Hold;

/// Bytes of long answers that are in memory until they are read, to one network and to all.
const ANSWERS_PER_NETWORK: usize = 16 << 20;
const ANSWERS: usize = 128 << 20;

impl App {
    /// Memory for a long answer, or `None` while too much of it is taken by others.
    pub fn hold_answer(&self, to: IpAddr, bytes: usize) -> Option<Hold<IpAddr>> {
        let limit = (network(to), ANSWERS_PER_NETWORK);
        self.0.answers.acquire_or_alone(bytes, ANSWERS, limit).ok()
    }
}
