//! The responses of handlers. Each type knows its status and its schema.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::header::EntityTag;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use super::describe::{Described, HandlerOutput};
use super::json::Json;
use super::{ApiError, etag, idempotency};
use crate::domain::access::idempotency::Outcome;

/// Responds 200 with a resource.
pub type ApiResult<T> = Result<Found<T>, ApiError>;
/// Responds 201 with the created resource.
pub type CreateResult<T> = Result<Created<T>, ApiError>;
/// Responds 204.
pub type Done = Result<NoContent, ApiError>;

/// A resource as JSON.
pub struct Found<T> {
    json: Json<T>,
    /// If `None`, the tag covers the whole JSON.
    tag: Option<EntityTag>,
}

impl<T> Found<T> {
    pub fn new(json: T, tag: Option<EntityTag>) -> Self {
        Self { json: Json(json), tag }
    }
}

impl<T> From<T> for Found<T> {
    fn from(json: T) -> Self {
        Self::new(json, None)
    }
}

impl<T: Serialize> Responder for Found<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = self.json.respond_to(request);
        if let Some(tag) = &self.tag {
            etag::insert(&mut response, tag);
        }
        response
    }
}

impl<T: ToSchema> HandlerOutput for Found<T> {
    fn describe(into: &mut Described) {
        into.response = Some(into.schema::<T>());
    }
}

impl<T: ToSchema> HandlerOutput for Json<T> {
    fn describe(into: &mut Described) {
        into.response = Some(into.schema::<T>());
    }
}

/// A resource in a response that the handler built itself.
pub struct Prepared<T>(HttpResponse, PhantomData<T>);

impl<T> From<HttpResponse> for Prepared<T> {
    fn from(response: HttpResponse) -> Self {
        Self(response, PhantomData)
    }
}

impl<T> Responder for Prepared<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl<T: ToSchema> HandlerOutput for Prepared<T> {
    fn describe(into: &mut Described) {
        into.response = Some(into.schema::<T>());
    }
}

/// The response to a creation, either the first or a replayed one.
pub struct Created<T>(HttpResponse, PhantomData<T>);

impl<T> Created<T> {
    /// # Errors
    /// If the key belongs to another request, or the first request with it is still in progress.
    pub fn of(outcome: Outcome) -> Result<Self, ApiError> {
        Ok(Self(idempotency::respond(outcome)?, PhantomData))
    }
}

impl<T> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl<T: ToSchema> HandlerOutput for Created<T> {
    fn describe(into: &mut Described) {
        into.status = 201;
        into.response = Some(into.schema::<T>());
    }
}

pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl HandlerOutput for NoContent {
    fn describe(into: &mut Described) {
        into.status = 204;
    }
}

/// Bytes of a type that the route declares, or 304.
pub struct File(pub HttpResponse);

impl Responder for File {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl HandlerOutput for File {
    fn describe(_: &mut Described) {}
}
