//! An HTTP server built from actix's components, so that each connection is our own [`Connection`].

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol, Request};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactoryExt, apply_fn_factory, fn_service, map_config,
};
use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, Server, ServiceFactory, ServiceResponse};
use actix_web::http::Method;
use ipnet::IpNet;
use tokio::net::TcpStream;

use super::connection::Connection;
use super::deadline::{self, TimedBody};
use super::limits::Limits;
use crate::app::limits::connections::{Connections, Slot};
use crate::app::limits::in_use::Exceeded;
use crate::domain::network::Network;

const CLOSING_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);

/// The response when all connections are in use.
const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 15\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

/// The connections of one listener, and their limits.
#[derive(Clone)]
pub struct Capacity {
    connections: Connections,
    pub limits: Limits,
    trusted: Arc<[IpNet]>,
}

impl Capacity {
    pub fn new(limits: Limits, trusted: &[IpNet]) -> Self {
        Self { connections: Connections::default(), limits, trusted: trusted.into() }
    }

    fn admit(&self, peer: IpAddr) -> Result<Slot, Exceeded<Network>> {
        let peer = peer.to_canonical();
        let is_trusted = self.trusted.iter().any(|network| network.contains(&peer));
        let per_ip = if is_trusted { self.limits.connections } else { self.limits.per_ip };
        self.connections.admit(peer, self.limits.connections, per_ip, self.limits.idle)
    }

    async fn enter(self, stream: TcpStream) -> Result<Entered, DispatchError> {
        let peer = stream.peer_addr().map_err(DispatchError::Io)?;
        match self.admit(peer.ip()) {
            Ok(slot) => Ok((Connection::new(stream, slot, self.limits), Protocol::Http1, Some(peer))),
            Err(_) => {
                // It fits into the socket's buffer, so the write doesn't block.
                let _ = stream.try_write(TOO_MANY_CONNECTIONS);
                Err(DispatchError::DisconnectTimeout)
            }
        }
    }
}

type Entered = (Connection, Protocol, Option<std::net::SocketAddr>);

/// Await the result to run until its handle's `stop`.
///
/// # Errors
/// If the listener can't be used.
pub fn serve<P, I, S>(
    builder: ServerBuilder,
    listener: TcpListener,
    capacity: Capacity,
    program: P,
) -> io::Result<Server>
where
    P: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + 'static,
{
    let (address, stopping) = (listener.local_addr()?, builder.graceful_shutdown_signal());
    let builder =
        builder.listen("web", listener, move || {
            let (capacity, stopping) = (capacity.clone(), stopping.clone());
            let followed =
                apply_fn_factory(program().into_factory(), |mut request: Request, program: &S::Service| {
                    let (responding, is_head) =
                        (deadline::follow(&mut request), request.method() == Method::HEAD);
                    let response = program.call(request);
                    async move {
                        Ok(response.await?.map_body(|_, body| TimedBody::new(body, is_head, responding)))
                    }
                });
            let refused = followed.map_err(|error: Error| error.error_response());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                // [`Connection`] has a deadline for the header of every request, not only the first.
                .client_request_timeout(std::time::Duration::ZERO)
                .client_disconnect_timeout(CLOSING_TIMEOUT)
                .local_addr(address)
                .on_connect_ext(|connection: &Connection, data| {
                    drop(data.insert(connection.deadline.clone()))
                })
                .finish(map_config(refused, |()| AppConfig::default()));
            fn_service(move |stream| capacity.clone().enter(stream)).and_then(http)
        })?;
    Ok(builder.disable_signals().run())
}
