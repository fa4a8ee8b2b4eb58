use std::io;
use std::net::TcpListener;

use crate::app::App;
use crate::config::PublicUrl;

#[derive(Clone)]
pub struct Site {
    /// Without a trailing slash.
    pub url: PublicUrl,
}

pub fn site(app: &App, listener: &TcpListener) -> io::Result<Site> {
    let url = app.config().public_url.clone();
    Ok(Site { url: url.map_or_else(|| listener.local_addr().map(PublicUrl::of_listener), Ok)? })
}
