//! An incoming message, before any decision about it.

use std::net::IpAddr;
use std::sync::Arc;

use super::authentication::{Authentication, Verdict};
use super::parse::Parsed;

#[derive(Clone, Debug)]
pub struct Arrival {
    pub envelope_from: Option<String>,
    pub helo: String,
    pub ip: Option<IpAddr>,
    pub tls: bool,
    pub raw: Arc<Vec<u8>>,
    pub parsed: Parsed,
    pub authentication: Authentication,
}

impl Arrival {
    /// Whether DMARC proves that the message comes from its author's domain.
    pub(crate) fn is_proven(&self) -> bool {
        self.authentication.dmarc.result == Verdict::Pass
    }
}
