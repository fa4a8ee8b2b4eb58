//! Where this instance is reached.

use std::io;
use std::net::TcpListener;

use crate::app::App;
use crate::config::PublicUrl;

/// What the handlers share apart from the app itself.
#[derive(Clone)]
pub struct Site {
    /// Where people and programs reach this instance, without a slash at the end.
    pub url: PublicUrl,
}

/// Where this listener is reached.
pub fn site(app: &App, listener: &TcpListener) -> io::Result<Site> {
    let url = app.config().public_url.clone();
    Ok(Site { url: url.map_or_else(|| listener.local_addr().map(PublicUrl::of_listener), Ok)? })
}
