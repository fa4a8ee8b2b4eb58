//! The API's description (OpenAPI 3.1): gathered from its handlers, completed in one place,
//! and served without a credential, since it is the same for everybody.

pub mod about;
mod complete;
mod example;
mod shared;
pub mod words;

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, EntityTag, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::etag::{self, Known};
use super::{ApiError, aliases, api_keys, contacts, domains, downloads, me, messages, team};
use crate::config::PublicUrl;
use crate::web::request::RequestInfo;

#[derive(OpenApi)]
#[openapi(
    info(title = "Gatepost API", version = "1"),
    tags(
        (name = "Me", description = "The token a call is made with."),
        (name = "Messages", description = "Mail that came in."),
        (name = "Domains", description = "Domains of the team's own, proved by a DNS record."),
        (name = "Aliases", description = "The team's addresses that receive mail."),
        (name = "Contacts", description = "Who writes to the team."),
        (name = "Team", description = "The team it is made for."),
        (name = "API keys", description = "The team's tokens.")
    ),
    paths(
        me::show,
        me::revoke,
        team::show,
        team::people,
        domains::list,
        domains::create,
        domains::show,
        domains::change,
        domains::delete,
        domains::check,
        messages::list,
        messages::show,
        messages::change,
        messages::delete,
        downloads::raw,
        downloads::attachment,
        aliases::list,
        aliases::create,
        aliases::show,
        aliases::change,
        aliases::delete,
        contacts::list,
        contacts::create,
        contacts::show,
        contacts::change,
        contacts::delete,
        api_keys::list,
        api_keys::show,
        api_keys::create,
        api_keys::rename,
        api_keys::revoke
    )
)]
struct Description;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let gathered = serde_json::to_value(Description::openapi());
    complete::complete(gathered.expect("a description is JSON"))
});

/// The whole of it, but for the address of the instance.
pub fn description() -> &'static Value {
    &DESCRIPTION
}

/// The description of one instance, as it is sent.
pub struct Published {
    text: web::Bytes,
    tag: EntityTag,
}

impl Published {
    pub fn at(url: &PublicUrl) -> Self {
        let mut whole = description().clone();
        whole["servers"] = json!([{"url": url.as_str(), "description": "This instance."}]);
        Self { tag: etag::of(&whole), text: whole.to_string().into() }
    }
}

/// The description itself, which names no team: no credential is asked for, and anybody may
/// keep it.
pub async fn show(known: Known, published: web::Data<Published>) -> HttpResponse {
    let mut answer = match known.has(&published.tag) {
        true => HttpResponse::NotModified().finish(),
        false => HttpResponse::Ok().content_type("application/json").body(published.text.clone()),
    };
    etag::tag_head(&mut answer, &published.tag);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    answer
}

/// The answer to other methods. This address is outside the middleware that renders errors.
pub async fn other(request: HttpRequest, info: RequestInfo) -> HttpResponse {
    const ALLOWED: &str = "GET, HEAD, OPTIONS";
    match *request.method() {
        Method::OPTIONS => HttpResponse::NoContent().insert_header((ALLOW, ALLOWED)).finish(),
        _ => ApiError::method_not_allowed(ALLOWED).render(info.id, request.headers()),
    }
}
