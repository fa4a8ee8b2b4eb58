//! The OpenAPI description: collected from the route table, completed in one place, and served without a
//! credential, because it is the same for everyone.

pub(crate) mod about;
mod complete;
pub(crate) mod example;
mod operation;
mod shared;
pub(crate) mod words;

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::ApiError;
use super::dialect::Dialect;
use super::dialects::V1;
use super::etag;
use crate::config::PublicUrl;
use crate::web::compression::Fixed;
use crate::web::request::RequestInfo;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| complete::complete(gather(&V1)));

/// Collects what the routes of a dialect declare.
fn gather(dialect: &Dialect) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    let mut tags: Vec<Value> = Vec::new();
    for at in (dialect.routes)() {
        let tag = json!({"name": at.tag.name, "description": at.tag.text});
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        let path = paths.entry(format!("{}{}", dialect.base, at.path)).or_insert_with(|| json!({}));
        for (method, op) in &at.operations {
            path[method.as_str().to_ascii_lowercase()] = operation::describe(&at, method, op, &mut schemas);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gatepost API",
            "version": "1",
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "paths": paths,
        "components": {"schemas": schemas},
        "tags": tags,
    })
}

/// Without the URL of the instance.
pub fn description() -> &'static Value {
    &DESCRIPTION
}

/// The description of one instance, as served.
pub(crate) struct Published(Fixed);

impl Published {
    pub fn at(url: &PublicUrl) -> Self {
        let mut whole = description().clone();
        whole["servers"] = json!([{"url": url.as_str(), "description": "This instance."}]);
        let tag = etag::of(&whole).tag().to_owned();
        Self(Fixed::new("application/json", tag, whole.to_string().into()))
    }
}

pub(crate) async fn show(request: HttpRequest, published: web::Data<Published>) -> HttpResponse {
    let mut response = published.0.respond(&request);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// Responds to other methods, because this path is outside the middleware that renders errors.
pub(crate) async fn other(request: HttpRequest, info: RequestInfo) -> HttpResponse {
    const ALLOWED: &str = "GET, HEAD, OPTIONS";
    match *request.method() {
        Method::OPTIONS => HttpResponse::NoContent().insert_header((ALLOW, ALLOWED)).finish(),
        _ => ApiError::method_not_allowed(ALLOWED).render(info.id, request.headers()),
    }
}
