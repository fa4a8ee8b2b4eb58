//! Limits on the resources that one client, one team and all together can use.

pub(super) mod budget;
pub(crate) mod connections;
pub(crate) mod held;
pub(crate) mod hourly;
pub(crate) mod memory;

use std::net::IpAddr;

use super::App;
use crate::domain::network::network;
use held::Hold;

/// Bytes of long responses that are in memory until they are read, to one network and to all.
const RESPONSES_PER_NETWORK: usize = 16 << 20;
const RESPONSES: usize = 128 << 20;

impl App {
    /// Memory for a long response, or `None` while too much of it is taken by others.
    pub fn hold_response(&self, to: IpAddr, bytes: usize) -> Option<Hold<IpAddr>> {
        let limit = (network(to), RESPONSES_PER_NETWORK);
        self.0.responses.acquire_or_alone(bytes, RESPONSES, limit).ok()
    }
}
