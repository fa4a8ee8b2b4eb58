//! What is known of a request before anybody handles it: its id, its moment, where it is from.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue, USER_AGENT};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use ipnet::IpNet;

use crate::app::App;
use crate::domain::by::{Actor, By};
use crate::domain::entropy;
use crate::domain::people::teams::Team;
use crate::domain::{RequestId, Timestamp};

/// Agents longer than this are cut: they are shown, not parsed.
const AGENT: usize = 200;

/// Of one request. `now` does not move while it is handled.
#[derive(Clone)]
pub struct RequestInfo {
    pub id: RequestId,
    pub now: Timestamp,
    pub ip: Option<IpAddr>,
    pub agent: Option<String>,
    app: web::Data<App>,
}

impl RequestInfo {
    /// The same in the name of somebody.
    pub fn by(&self, actor: Actor) -> By {
        let mut by = By::new(actor, self.now, self.app.entropy());
        by.request = Some(self.id);
        by.ip = self.ip;
        by.agent = self.agent.clone();
        by
    }

    /// Whether a team's plan has an API here: the gate's own limits say so.
    pub fn plan_has_api(&self, team: &Team) -> bool {
        self.app.gate().limit(team.plan) > 0
    }

    /// In nobody's name yet: before a sign-in.
    pub fn by_nobody(&self) -> By {
        self.by(Actor::Operator)
    }
}

impl FromRequest for RequestInfo {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(of(request)))
    }
}

/// What [`identify`] noted of this request.
pub fn of(request: &HttpRequest) -> RequestInfo {
    let info = request.extensions().get::<RequestInfo>().cloned();
    info.expect("every request is identified first")
}

/// What the log says of an answer whose reader learns no more than its request id.
pub struct Cause(pub String);

/// The outermost middleware: gives each request its id, and logs it once with the route's
/// template, never the path, which can hold a one-time link.
pub async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let info = observe(request.request());
    let (id, ip, method) = (info.id, info.ip, request.method().clone());
    request.extensions_mut().insert(info);
    let mut response = next.call(request).await?;
    let value = HeaderValue::try_from(id.to_string()).expect("an id is ASCII");
    response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    let route = response.request().match_pattern().unwrap_or_else(|| "-".into());
    let status = response.status().as_u16();
    let took = began.elapsed().as_micros() as u64;
    let cause = response.response().extensions().get::<Cause>().map(|cause| cause.0.clone());
    let ip = ip.map(|ip| ip.to_string());
    match cause {
        Some(cause) => tracing::error!(request = %id, %method, route, status, took_us = took, ip, cause),
        None => tracing::info!(request = %id, %method, route, status, took_us = took, ip),
    }
    Ok(response)
}

fn observe(request: &HttpRequest) -> RequestInfo {
    let app = request.app_data::<web::Data<App>>().expect("the app is registered").clone();
    let now = app.now();
    RequestInfo {
        id: RequestId::new(now, entropy::bytes(&*app.entropy())),
        now,
        ip: client(request, &app.config().trusted_proxies),
        agent: agent(request),
        app,
    }
}

fn agent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(AGENT).collect())
}

/// Who is at the other end. X-Forwarded-For is believed only of a trusted proxy, and walked
/// from the right: what stands left of the first untrusted address anybody can have written.
fn client(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    // Odd bytes that somebody put in front must not hide what the proxy has added behind.
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
        match hop.parse::<IpAddr>() {
            Ok(ip) => client = ip.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_are_believed_only_of_trusted_proxies() {
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
        ] {
            assert_eq!(walk(ip(peer), forwarded, &proxies), ip(client), "{peer} {forwarded:?}");
        }
        assert_eq!(walk(ip("10.0.0.1"), "1.2.3.4", &[]), ip("10.0.0.1"));
    }
}
