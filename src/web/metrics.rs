//! `/metrics`, on its own listener, for the operator only.

use std::io;
use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::{HttpRequest, HttpResponse, web};

use super::limits::Limits;
use super::server::{self, Capacity};
use crate::app::App;

const MAX_CONNECTIONS: usize = 32;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// # Errors
/// If the listener can't be used.
pub fn serve(app: App, listener: TcpListener) -> io::Result<Server> {
    let builder = Server::build().workers(1).shutdown_timeout(1);
    let limits = Limits { connections: MAX_CONNECTIONS, per_ip: MAX_CONNECTIONS, ..Limits::default() };
    server::serve(builder, listener, Capacity::new(limits, &[]), move || {
        let app = web::Data::new(app.clone());
        actix_web::App::new().app_data(app).default_service(web::to(show))
    })
}

/// Leaves out the queues while the store is unreachable.
async fn metrics(app: &App) -> String {
    app.gate().metrics_text().await + &app.jobs_metrics().await.unwrap_or_default()
}

async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match request.path() {
        "/metrics" => HttpResponse::Ok().content_type(TEXT).body(metrics(&app).await),
        _ => HttpResponse::NotFound().finish(),
    }
}
