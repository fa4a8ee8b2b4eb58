//! HTTP and HTML. The only folder that names actix, askama and htmx.
//!
//! [`routes`] lists every path. A handler's arguments are its permissions: see [`viewer`] for pages and
//! [`api::caller`] for the API.

pub mod api;
pub(crate) mod assets;
mod browser;
mod compression;
mod connection;
mod cors;
mod deadline;
mod encoding;
mod files;
mod flash;
mod headers;
mod htmx;
mod limits;
mod logged;
mod metrics;
pub mod nouns;
mod origin;
mod pages;
pub(crate) mod paths;
pub(crate) mod preferences;
mod request;
mod request_log;
mod response_memory;
mod route;
pub mod routes;
mod server;
mod session;
mod site;
mod theme;
mod viewer;

use std::io;
use std::net::TcpListener;

use actix_web::body::BoxBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web;

use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;

pub use limits::Limits;
use server::Capacity;
pub(crate) use site::{Site, site};

/// Serves until SIGINT or SIGTERM, then finishes open requests. Calls `started` once it accepts connections.
/// Metrics are served on `metrics`, if set.
///
/// # Errors
/// If the listener can't be used.
pub(crate) fn run(
    app: App,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    limits: Limits,
    started: impl FnOnce(),
) -> io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        // Only for its log message: the dashboard works without the limiter.
        app.gate().limiter_is_reachable().await;
        if let Some(listener) = metrics {
            actix_web::rt::spawn(metrics::serve(app.clone(), listener)?);
        }
        let server = serve(app, listener, limits)?;
        let handle = server.handle();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        started();
        let stop = async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            tracing::info!("stopping after open requests are finished");
            handle.stop(true).await;
        };
        actix_web::rt::spawn(stop);
        server.await
    })
}

/// Serves the dashboard and the API on a bound listener. Await it to run until its handle's `stop`.
///
/// # Errors
/// If the listener can't be used.
pub fn serve(app: App, listener: TcpListener, limits: Limits) -> io::Result<Server> {
    let site = site(&app, &listener)?;
    let published = web::Data::new(api::openapi::Published::at(&site.url));
    let capacity = Capacity::new(limits, &app.config().trusted_proxies);
    let builder = Server::build().shutdown_timeout(30);
    server::serve(builder, listener, capacity, move || {
        program(app.clone(), site.clone()).app_data(published.clone())
    })
}

fn program(
    app: App,
    site: Site,
) -> actix_web::App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    actix_web::App::new()
        .configure(|services| routes::configure(services, &app, &site))
        .app_data(web::Data::new(app))
        .app_data(web::Data::new(site))
        .wrap(actix_web::middleware::from_fn(request_log::request_log))
}
