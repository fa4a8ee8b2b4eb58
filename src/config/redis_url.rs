use std::fmt;

use redis::io::tcp::TcpSettings;
use redis::{Client, IntoConnectionInfo};

/// Can contain a password, so `Debug` hides it.
#[derive(Clone)]
pub struct RedisUrl(Client);

impl RedisUrl {
    pub fn parse(text: &str) -> Option<Self> {
        let address = text.into_connection_info().ok()?;
        // Disables Nagle's algorithm, so that small messages don't wait for the previous reply.
        let client = Client::open(address.set_tcp_settings(TcpSettings::default().set_nodelay(true)));
        client.ok().map(Self)
    }

    pub fn client(&self) -> Client {
        self.0.clone()
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}
