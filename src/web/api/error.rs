//! Errors of the API, in Gatepost's own format or as problem details (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::accept::prefers_problem;
use super::codes::{self, Code};
use crate::domain::access::scopes::{Need, Scope};
use crate::domain::error::StoreError;
use crate::domain::{self, FieldError, RequestId, Room};
use crate::gate::{Reason, Refusal};

/// A failed API request. [`super::authenticate`] renders it, because it knows the request.
#[derive(Debug)]
pub struct ApiError {
    code: &'static Code,
    message: Cow<'static, str>,
    details: Vec<FieldError>,
    /// For 401 and some 403 (RFC 6750, section 3).
    authenticate: Option<Challenge>,
    allow: Option<Box<str>>,
    retry_after: Option<u32>,
    /// Only for the log.
    pub cause: Option<String>,
}

/// RFC 6750, section 3.1.
#[derive(Clone, Copy, Debug)]
enum Challenge {
    Bare,
    InvalidRequest,
    InvalidToken,
    InsufficientScope(Scope),
}

impl Challenge {
    fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Bare => r#"Bearer realm="API", charset="UTF-8""#,
            Self::InvalidRequest => r#"Bearer realm="API", charset="UTF-8", error="invalid_request""#,
            Self::InvalidToken => r#"Bearer realm="API", charset="UTF-8", error="invalid_token""#,
            Self::InsufficientScope(scope) => {
                let scope = scope.as_str();
                let text = format!(
                    r#"Bearer realm="API", charset="UTF-8", error="insufficient_scope", scope="{scope}""#
                );
                return HeaderValue::try_from(text).expect("a scope is ASCII");
            }
        })
    }
}

impl ApiError {
    fn new(code: &'static Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            authenticate: None,
            allow: None,
            retry_after: None,
            cause: None,
        }
    }

    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&codes::INVALID_REQUEST, message)
    }

    pub fn invalid_fields(details: Vec<FieldError>) -> Self {
        Self {
            details,
            ..Self::invalid_request("The request is not valid. Fix the fields named in details.")
        }
    }

    fn several_credentials() -> Self {
        let message = "Send one credential: Authorization: Bearer or X-API-Key, once.";
        Self { authenticate: Some(Challenge::InvalidRequest), ..Self::invalid_request(message) }
    }

    fn no_credential() -> Self {
        let message = "No API token was sent. Send it as Authorization: Bearer <token>.";
        Self { authenticate: Some(Challenge::Bare), ..Self::new(&codes::MISSING_TOKEN, message) }
    }

    fn invalid_token(message: &'static str) -> Self {
        let error = Self::new(&codes::INVALID_API_TOKEN, message);
        Self { authenticate: Some(Challenge::InvalidToken), ..error }
    }

    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&codes::FORBIDDEN, message)
    }

    pub fn for_people() -> Self {
        Self::forbidden("A token cannot manage tokens. Sign in to the dashboard to do this.")
    }

    fn insufficient_scope(scope: Scope) -> Self {
        let message = format!(
            "This token lacks the scope {}. The owner or an admin can create one that has it.",
            scope.as_str()
        );
        let error = Self::new(&codes::INSUFFICIENT_SCOPE, message);
        Self { authenticate: Some(Challenge::InsufficientScope(scope)), ..error }
    }

    pub fn not_found() -> Self {
        Self::new(&codes::NOT_FOUND, "Not found. The resource does not exist, or belongs to another team.")
    }

    pub fn method_not_allowed(allow: &str) -> Self {
        let error = Self::new(&codes::METHOD_NOT_ALLOWED, format!("This URL supports {allow}."));
        Self { allow: Some(allow.into()), ..error }
    }

    pub fn key_reused() -> Self {
        let message =
            "This Idempotency-Key was used for a different request in the last 24 hours. Use a new one.";
        Self::new(&codes::IDEMPOTENCY_KEY_REUSED, message)
    }

    pub fn in_progress() -> Self {
        let message = "The first request with this Idempotency-Key is still in progress. Retry in a second.";
        Self { retry_after: Some(1), ..Self::new(&codes::IDEMPOTENCY_KEY_IN_USE, message) }
    }

    fn precondition_failed() -> Self {
        let message = "The resource has changed since the version in If-Match. Fetch it again.";
        Self::new(&codes::PRECONDITION_FAILED, message)
    }

    pub fn payload_too_large(limit: usize) -> Self {
        let message = format!("The body is larger than {limit} bytes.");
        Self::new(&codes::PAYLOAD_TOO_LARGE, message)
    }

    pub fn unsupported_media_type() -> Self {
        let message = "Send the body as JSON, with Content-Type: application/json.";
        Self::new(&codes::UNSUPPORTED_MEDIA_TYPE, message)
    }

    pub fn encoded_body() -> Self {
        let message = "Compressed bodies are not accepted. Send the body without Content-Encoding.";
        Self::new(&codes::UNSUPPORTED_MEDIA_TYPE, message)
    }

    pub fn server_error(cause: impl fmt::Display) -> Self {
        let message = "Something went wrong on our side. The log has the cause under this requestId.";
        let error = Self::new(&codes::SERVER_ERROR, message);
        Self { cause: Some(cause.to_string()), ..error }
    }

    /// A bug: an API route is missing its middleware.
    pub fn unauthenticated_route() -> Self {
        Self::server_error("a route of the API is not authenticated")
    }

    pub fn unavailable(cause: impl fmt::Display) -> Self {
        let message = "The service is temporarily unavailable. Please try again later.";
        let error = Self::new(&codes::SERVICE_UNAVAILABLE, message);
        Self { retry_after: Some(60), cause: Some(cause.to_string()), ..error }
    }

    fn over_limit(seconds: u32) -> Self {
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let message = format!("Rate limit exceeded. Try again in {seconds} {unit}.");
        let error = Self::new(&codes::RATE_LIMIT_EXCEEDED, message);
        Self { retry_after: Some(seconds), ..error }
    }

    fn limiter_failed() -> Self {
        let message = "Rate limiting service is temporarily unavailable. Please try again later.";
        let error = Self::new(&codes::SERVICE_UNAVAILABLE, message);
        Self { retry_after: Some(60), cause: Some("the limiter's counters are unreachable".into()), ..error }
    }

    pub fn render(&self, request: RequestId, asked: &HeaderMap) -> HttpResponse {
        let (kind, body) = match prefers_problem(asked) {
            true => ("application/problem+json", json(&self.problem(request))),
            false => ("application/json", self.body(request)),
        };
        let mut response = HttpResponse::with_body(self.status_code(), BoxBody::new(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(challenge) = self.authenticate {
            headers.insert(WWW_AUTHENTICATE, challenge.value());
        }
        if let Some(allow) = &self.allow {
            headers.insert(ALLOW, HeaderValue::from_str(allow).expect("methods are ASCII"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// `{"success": false, "error": {…}}`, written without serde for speed, because clients can cause any number
    /// of errors. Codes and ids need no escaping.
    fn body(&self, request: RequestId) -> Vec<u8> {
        let (mut body, mut room) = (Vec::with_capacity(256), Room::default());
        body.extend_from_slice(br#"{"success":false,"error":{"code":""#);
        body.extend_from_slice(self.code.name.as_bytes());
        body.extend_from_slice(br#"","message":"#);
        serde_json::to_writer(&mut body, &self.message).expect("text is JSON");
        body.extend_from_slice(br#","requestId":""#);
        body.extend_from_slice(request.write_into(&mut room).as_bytes());
        body.push(b'"');
        if !self.details.is_empty() {
            body.extend_from_slice(br#","details":"#);
            serde_json::to_writer(&mut body, &self.details).expect("text is JSON");
        }
        body.extend_from_slice(b"}}");
        body
    }

    fn problem(&self, request: RequestId) -> Problem<'_> {
        Problem {
            kind: "about:blank",
            title: self.status_code().canonical_reason(),
            status: self.code.status,
            detail: &self.message,
            code: self.code.name,
            request_id: request,
            details: &self.details,
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("text and numbers are JSON")
}

/// RFC 9457, section 3, with the default type, because the code distinguishes errors.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: Option<&'static str>,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: RequestId,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    details: &'a [FieldError],
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        refusal.reason.into()
    }
}

impl From<Reason> for ApiError {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NoCredential => Self::no_credential(),
            Reason::SeveralCredentials => Self::several_credentials(),
            Reason::InvalidToken => Self::invalid_token("The API token is not valid."),
            Reason::Revoked => Self::invalid_token("The API token has been revoked."),
            Reason::Expired => Self::invalid_token("The API token has expired."),
            Reason::RoleNeeded(role) => Self::forbidden(role.who_may()),
            Reason::ApiDisabled => {
                Self::new(&codes::API_DISABLED, "API access is off for this team. The owner can turn it on.")
            }
            Reason::PlanRequired => {
                Self::new(&codes::PLAN_REQUIRED, "API access not available on your subscription plan")
            }
            Reason::OutOfScope(Need::Scope(scope)) => Self::insufficient_scope(scope),
            Reason::OutOfScope(Need::AnyToken | Need::Person) => Self::for_people(),
            Reason::OverLimit { retry_after } => Self::over_limit(retry_after),
            Reason::LimiterUnavailable => Self::limiter_failed(),
            Reason::NotRecorded => Self::unavailable("the call could not be recorded"),
            Reason::Failed(error) => error.into(),
        }
    }
}

impl From<domain::Error> for ApiError {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::NotFound => Self::not_found(),
            domain::Error::Forbidden(sentence) => Self::forbidden(sentence),
            domain::Error::Invalid(details) => Self::invalid_fields(details),
            domain::Error::Conflict(field) => {
                let error = Self::new(&codes::CONFLICT, field.message.clone());
                Self { details: vec![field], ..error }
            }
            domain::Error::Stale => Self::precondition_failed(),
            domain::Error::TooMany { message, retry_after } => {
                let error = Self::new(&codes::RATE_LIMIT_EXCEEDED, message);
                Self { retry_after: Some(retry_after), ..error }
            }
            domain::Error::Busy(message) => {
                let error = Self::new(&codes::SERVICE_UNAVAILABLE, message);
                Self { retry_after: Some(60), ..error }
            }
            domain::Error::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::unavailable(cause),
            other => Self::server_error(other),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).expect("codes have valid statuses")
    }

    /// Without a body, because [`super::authenticate`] renders it.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
