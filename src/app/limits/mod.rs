//! Limits on the resources used by a client, a team, or in total.

pub(super) mod budget;
pub(crate) mod connections;
pub(crate) mod hourly;
pub(crate) mod in_use;
pub(crate) mod memory;

use std::net::IpAddr;

use super::App;
use crate::domain::network::network;
use in_use::Reservation;

/// Bytes of long responses in memory, per network and in total.
const RESPONSES_PER_NETWORK: usize = 16 << 20;
const RESPONSES: usize = 128 << 20;

impl App {
    /// Reserves memory for a long response. Returns `None` if there is no room.
    pub fn reserve_response(&self, to: IpAddr, bytes: usize) -> Option<Reservation<IpAddr>> {
        let limit = (network(to), RESPONSES_PER_NETWORK);
        self.0.responses.acquire_or_alone(bytes, RESPONSES, limit).ok()
    }
}
