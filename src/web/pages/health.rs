//! Health checks.

use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::domain::people::teams;

pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// Also checks the database.
pub async fn ready(app: web::Data<App>) -> HttpResponse {
    match app.read(teams::is_set_up).await {
        Ok(_) => HttpResponse::Ok().content_type("text/plain").body("ready\n"),
        Err(cause) => {
            tracing::warn!(%cause, "not ready");
            HttpResponse::ServiceUnavailable()
                .insert_header(("retry-after", "5"))
                .content_type("text/plain")
                .body("the store is unreachable\n")
        }
    }
}
