//! JSON bodies and query strings, parsed strictly: unknown and invalid fields are refused by name.

use std::fmt;
use std::ops::Deref;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::describe::{Argument, Described};
use crate::domain::FieldError;

/// The maximum size of a body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// A JSON body, of a request or a response.
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Enough for most responses, because growing a buffer repeatedly costs more than writing to it.
const INITIAL_CAPACITY: usize = 512;

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut body = Vec::with_capacity(INITIAL_CAPACITY);
        match serde_json::to_writer(&mut body, &self.0) {
            Ok(()) => rendered(body.into()),
            Err(cause) => HttpResponse::from_error(ApiError::server_error(cause)),
        }
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Returns a response with JSON that is already serialized.
pub fn rendered(body: Bytes) -> HttpResponse {
    let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body));
    response.headers_mut().append(CONTENT_TYPE, JSON);
    response
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let payload = payload.take();
        Box::pin(async move {
            if !is_json {
                return Err(ApiError::unsupported_media_type());
            }
            parse(&collect(payload).await?).map(Self)
        })
    }
}

impl<T: ToSchema> Argument for Json<T> {
    fn describe(into: &mut Described) {
        into.body = Some(into.schema::<T>());
        into.refusals.insert(413);
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

async fn collect(mut payload: Payload) -> Result<BytesMut, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            PayloadError::Overflow => ApiError::payload_too_large(MAX_BODY),
            _ => ApiError::invalid_request("The body is incomplete."),
        })?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(ApiError::payload_too_large(MAX_BODY));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // Serde would also accept an array of the fields in order.
    if !body.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        return Err(ApiError::invalid_fields(vec![FieldError::new(
            "body",
            "The body must be one JSON object.",
        )]));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        match error.inner().is_data() {
            true => ApiError::invalid_fields(vec![explain(&path, error.inner())]),
            false => ApiError::invalid_request(format!("The body is not JSON: {}.", error.inner())),
        }
    })?;
    reader.end().map_err(|_| ApiError::invalid_request("The body has more content after its JSON value."))?;
    Ok(value)
}

/// Distinguishes `null` from a missing field: `null` becomes `Some(None)`.
///
/// # Errors
/// Those of the field's type.
pub fn present<'de, D, T>(field: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(field).map(Some)
}

/// A query string, parsed as `T`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::of(request))
    }
}

impl<T: DeserializeOwned> Query<T> {
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        read_query(request.query_string()).map(Self)
    }
}

impl<T: IntoParams> Argument for Query<T> {
    fn describe(into: &mut Described) {
        into.query::<T>();
    }
}

/// No parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

impl IntoParams for NoQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

pub fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let read = actix_web::web::Query::<T>::from_query;
    read(query).map(actix_web::web::Query::into_inner).map_err(|error| {
        // Serde doesn't name the parameter, so each one is parsed separately.
        let culprit = query.split('&').find(|pair| read(pair).is_err()).unwrap_or_default();
        let name = culprit.split('=').next().unwrap_or_default();
        let text = error.to_string();
        ApiError::invalid_fields(vec![explain(name, text.trim_start_matches("Query deserialize error: "))])
    })
}

/// Turns serde's message about one field into a sentence. Serde quotes an unknown or missing field.
fn explain(path: &str, error: impl fmt::Display) -> FieldError {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let named = text.split('`').nth(1).filter(|_| text.contains(" field `"));
    let field = match (named, path) {
        (Some(name), _) => name.to_owned(),
        (None, "" | "." | "?") => "body".to_owned(),
        (None, path) => path.to_owned(),
    };
    let mut message = text.to_owned();
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    FieldError::new(field, format!("{message}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "tests only check that it parses")]
        name: String,
    }

    fn refusal(body: &str) -> String {
        format!("{:?}", parse::<Body>(body.as_bytes()).unwrap_err())
    }

    #[test]
    fn invalid_fields_are_named() {
        assert!(parse::<Body>(br#"{"name": "ci"}"#).is_ok());
        assert!(refusal(r#"{"name": "ci", "role": "x"}"#).contains("field: \"role\""));
        assert!(refusal("{}").contains("field: \"name\""));
        assert!(refusal(r#"{"name": 7}"#).contains("field: \"name\""));
        assert!(refusal(r#"["ci"]"#).contains("field: \"body\""));
        assert!(refusal("{").contains("not JSON"));
        assert!(refusal(r#"{"name": "ci"} x"#).contains("more content"));
    }
}
