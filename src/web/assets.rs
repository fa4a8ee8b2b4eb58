//! The files of `static/`, embedded in the binary.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;

use crate::domain::sealing::hex;

#[derive(RustEmbed)]
#[folder = "static"]
struct Files;

/// With the file's hash, so that it can be cached forever.
pub fn url(path: &str) -> String {
    match Files::get(path) {
        Some(file) => format!("/static/{path}?v={}", version(&file)),
        None => format!("/static/{path}"),
    }
}

fn version(file: &rust_embed::EmbeddedFile) -> String {
    hex(&file.metadata.sha256_hash()[..8])
}

pub async fn serve(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let Some(file) = Files::get(&path) else {
        return HttpResponse::NotFound().finish();
    };
    let tag = EntityTag::new_strong(version(&file));
    let known = matches!(IfNoneMatch::parse(&request), Ok(IfNoneMatch::Items(tags)) if tags.iter().any(|each| each.weak_eq(&tag)));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    if known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, file.metadata.mimetype())).body(file.data.into_owned())
}
