//! A request's id, time and client, determined before it is handled.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderValue, USER_AGENT};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use ipnet::IpNet;

use crate::app::App;
use crate::domain::actor::{Actor, Identity};
use crate::domain::entropy;
use crate::domain::people::teams::Team;
use crate::domain::{RequestId, Timestamp};

/// Longer user agents are truncated.
const MAX_AGENT: usize = 200;

/// Shared by everything that handles the request; `now` stays the same throughout.
#[derive(Clone)]
pub struct RequestInfo(Rc<Observed>);

pub struct Observed {
    pub id: RequestId,
    pub now: Timestamp,
    pub ip: Option<IpAddr>,
    agent: Option<HeaderValue>,
    app: web::Data<App>,
    /// Whether the call has an activity record.
    pub recorded: Cell<bool>,
}

impl Deref for RequestInfo {
    type Target = Observed;

    fn deref(&self) -> &Observed {
        &self.0
    }
}

impl RequestInfo {
    pub fn app(&self) -> &App {
        &self.app
    }

    pub fn actor(&self, identity: Identity) -> Actor {
        let mut actor = Actor::new(identity, self.now, self.app.entropy());
        actor.request = Some(self.id);
        actor.ip = self.ip;
        actor.agent = self.agent().map(str::to_owned);
        actor
    }

    /// The client's `User-Agent`.
    pub fn agent(&self) -> Option<&str> {
        let text = self.agent.as_ref()?.to_str().ok()?;
        // Slicing is safe: header text is ASCII.
        Some(&text[..text.len().min(MAX_AGENT)])
    }

    /// Whether the plan includes the API under this instance's limits.
    pub fn plan_has_api(&self, team: &Team) -> bool {
        self.app.gate().limit(team.plan) > 0
    }

    /// The actor before a sign-in.
    pub fn visitor(&self) -> Actor {
        self.actor(Identity::Visitor)
    }
}

impl FromRequest for RequestInfo {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(of(request)))
    }
}

/// Returns the data that [`super::request_log`] attached to this request.
pub fn of(request: &HttpRequest) -> RequestInfo {
    let info = request.extensions().get::<RequestInfo>().cloned();
    info.expect("request_log attaches it to every request")
}

pub fn identify(request: &HttpRequest) -> RequestInfo {
    let app = request.app_data::<web::Data<App>>().expect("the app is registered").clone();
    let now = app.now();
    RequestInfo(Rc::new(Observed {
        id: RequestId::new(now, entropy::bytes(app.entropy_ref())),
        now,
        ip: client(request, &app.config().trusted_proxies),
        agent: request.headers().get(USER_AGENT).cloned(),
        app,
        recorded: Cell::new(false),
    }))
}

/// The client's address. Trusts X-Forwarded-For only from trusted proxies, and reads it from the right: the part
/// left of the first untrusted address may be forged.
fn client(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if trusted.is_empty() {
        return Some(peer);
    }
    // Decoded lossily, so that invalid bytes can't hide the address that the proxy appended.
    let lines = request.headers().get_all("x-forwarded-for");
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    Some(walk(peer, &lines.join(","), trusted))
}

fn walk(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    let mut client = peer;
    for hop in forwarded.rsplit(',').map(str::trim) {
        if !is_trusted(client) {
            break;
        }
        match hop_address(hop) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
    }
    client
}

/// Parses an address as proxies write it: alone, with a port, in brackets or in quotes.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.strip_prefix('"').and_then(|hop| hop.strip_suffix('"')).unwrap_or(hop).trim();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse().map(|it: SocketAddr| it.ip()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_are_trusted_only_from_trusted_proxies() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
            ("::1", "2001:db8::7", "2001:db8::7"),
            ("::1", "198.51.100.7:567", "198.51.100.7"),
            ("::1", "[2001:db8::7]:443", "2001:db8::7"),
            ("::1", "[2001:db8::7]", "2001:db8::7"),
            ("::1", "\"[2001:db8::7]\"", "2001:db8::7"),
            ("::1", "\"198.51.100.7:567\"", "198.51.100.7"),
            ("::1", "203.0.113.9, [::ffff:198.51.100.7]:1, 10.1.2.3:80", "198.51.100.7"),
            ("::1", "198.51.100.7:99999", "::1"),
            ("::1", "[198.51.100.7", "::1"),
            ("::1", "\"", "::1"),
        ] {
            assert_eq!(walk(ip(peer), forwarded, &proxies), ip(client), "{peer} {forwarded:?}");
        }
        assert_eq!(walk(ip("10.0.0.1"), "1.2.3.4", &[]), ip("10.0.0.1"));
    }
}
