//! The baseline: a bare actix handler that returns constant JSON of the size of `/api/v1/me`.

use actix_web::{App, HttpResponse, HttpServer, web};

const BODY: &str = r#"{"team":{"id":"team_01a1fbf648ce73e793a94969e75e444b","name":"Acme"},"token":{"id":"tok_01a1fbf649167ac485693fc5763a8228","name":"ci","start":"gp_tUclQDCA","createdAt":"2026-11-21T02:36:24.214673Z"},"plan":"pro","scopes":["team:read","tokens:read","domains:read","aliases:read","contacts:read","messages:read"]}"#;

fn main() -> std::io::Result<()> {
    let address = std::env::var("BARE_LISTEN").unwrap_or_else(|_| "127.0.0.1:8931".into());
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| {
            App::new().route(
                "/api/v1/me",
                web::get().to(async || HttpResponse::Ok().content_type("application/json").body(BODY)),
            )
        });
        server.bind(address)?.run().await
    })
}
