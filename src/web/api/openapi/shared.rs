//! The parts shared by all operations: credentials, headers and errors.

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::caller::API_KEY;
use super::super::codes::{self, Code};
use super::super::idempotency::KEY;

const TAG: &str = "\"9f86d081884c7d659a2feaa0c55ad015\"";
const REQUEST: &str = "req_019f2a4c1d877e02b6f03a9d1c55e7ad";

/// The cookie is named for `http`; on `https` it is `__Host-gatepost`.
pub fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from the Developer page.",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": API_KEY.as_str(),
            "description": "The same token in its own header, instead of Authorization.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "gatepost",
            "description": "The dashboard's session of the owner or an admin, only in requests from this site's pages (checked by Sec-Fetch-Site or Origin). With HTTPS, its name starts with __Host-.",
        },
    })
}

/// The headers of every authenticated response.
pub const LIMITS: [&str; 5] =
    ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit"];

pub fn headers() -> Value {
    let text = |description: &str, example: &str| header(description, "string", json!(example));
    let number = |description: &str, example: i64| header(description, "integer", json!(example));
    json!({
        "X-Request-Id": text("Finds this request in the activity log.", REQUEST),
        "X-RateLimit-Limit": number("The hourly limit of the team, or of this token if it has a smaller one.", 1000),
        "X-RateLimit-Remaining": number("The remaining quota.", 999),
        "X-RateLimit-Reset": number("When the quota resets, in seconds since 1970.", 1_772_356_800),
        "RateLimit-Policy": text("The same limit as in the IETF draft: q requests in w seconds.", "\"hour\";q=1000;w=3600"),
        "RateLimit": text("The remaining quota: r requests, reset in t seconds.", "\"hour\";r=999;t=1800"),
        "Retry-After": number("Seconds to wait before retrying.", 60),
        "WWW-Authenticate": text("What is wrong with the credential (RFC 6750, section 3).", "Bearer realm=\"API\", charset=\"UTF-8\", error=\"invalid_token\""),
        "Allow": text("The methods that this URL supports.", "GET, PATCH, DELETE"),
        "ETag": text("The version of the resource.", TAG),
        "Idempotency-Replayed": text("`true` if the same Idempotency-Key created this before.", "true"),
        "Location": text("The path of the new resource.", "/api/v1/aliases/alias_019f2a4c1d877e02b6f03a9d1c55e7ad"),
    })
}

/// Headers that make a request conditional.
pub fn parameters() -> Value {
    let header = |name: &str, text: &str, example: &str| json!({"name": name, "in": "header", "description": text, "schema": {"type": "string"}, "example": example});
    let mut key = header(
        KEY.as_str(),
        "A new key for each creation, like a UUID. Repeating the request with the same key within 24 hours creates nothing and returns the first response, with `Idempotency-Replayed`.",
        "8e03978e-40d5-43dd-bc93-6894a57f9324",
    );
    key["schema"] = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"});
    json!({
        "IfNoneMatch": header("If-None-Match", "The `ETag` of the version you have: if it is still current, the response is 304 and empty.", TAG),
        "IfMatch": header("If-Match", "The `ETag` of the version you have: if it is no longer current, nothing is changed (412).", TAG),
        "IdempotencyKey": key,
    })
}

fn header(description: &str, kind: &str, example: Value) -> Value {
    json!({"description": description, "required": true, "schema": {"type": kind}, "example": example})
}

pub fn schemas() -> [(&'static str, Value); 4] {
    let code = json!({
        "type": "string",
        "description": "Distinguishes errors; a later version may add others.",
        "examples": codes::ALL.iter().map(|code| code.name).collect::<Vec<_>>(),
    });
    let request = json!({"type": "string", "example": REQUEST});
    let details = json!({
        "type": "array",
        "items": {"$ref": "#/components/schemas/FieldError"},
        "description": "The invalid fields, if any.",
    });
    [
        (
            "ErrorResponse",
            json!({
                "type": "object",
                "description": "The response to a failed request.",
                "required": ["success", "error"],
                "properties": {
                    "success": {"type": "boolean", "const": false, "example": false},
                    "error": {"$ref": "#/components/schemas/ErrorBody"},
                },
            }),
        ),
        (
            "ErrorBody",
            json!({
                "type": "object",
                "required": ["code", "message", "requestId"],
                "properties": {
                    "code": code,
                    "message": {"type": "string", "description": "What to do next, for people."},
                    "requestId": request,
                    "details": details,
                },
            }),
        ),
        ("FieldError", field_error()),
        (
            "Problem",
            json!({
                "type": "object",
                "description": "An error as problem details (RFC 9457), for clients that send Accept: application/problem+json.",
                "required": ["type", "title", "status", "detail", "code", "requestId"],
                "properties": {
                    "type": {"type": "string", "example": "about:blank"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": code,
                    "requestId": request,
                    "details": details,
                },
            }),
        ),
    ]
}

fn field_error() -> Value {
    json!({
        "type": "object",
        "required": ["field", "message"],
        "properties": {
            "field": {"type": "string", "example": "limit"},
            "message": {"type": "string", "example": "The limit must be a whole number from 1 to 100."},
        },
    })
}

/// The response of all errors with one status, for `components`.
fn refusal(status: StatusCode) -> Value {
    let codes: Vec<&Code> =
        codes::ALL.iter().copied().filter(|code| code.status == status.as_u16()).collect();
    let meanings: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.name, code.meaning)).collect();
    let own = match status.as_u16() {
        401 => "WWW-Authenticate",
        405 => "Allow",
        429 | 503 => "Retry-After",
        _ => "X-Request-Id",
    };
    // Before the caller is known, the limit is unknown too.
    let is_early = matches!(status.as_u16(), 400 | 401 | 403 | 500 | 503);
    let limits = LIMITS.iter().map(|name| if is_early { optional(name) } else { named(name) });
    let sometimes = match status.as_u16() {
        400 | 403 => Some("WWW-Authenticate"),
        409 => Some("Retry-After"),
        _ => None,
    };
    let headers = ["X-Request-Id", own].into_iter().map(named).chain(sometimes.map(optional)).chain(limits);
    let headers: Map<_, _> = headers.collect();
    json!({
        "description": meanings.join(" "),
        "headers": headers,
        "content": {
            "application/json": content("ErrorResponse", &codes, |code| json!({"success": false, "error": error(code)})),
            "application/problem+json": content("Problem", &codes, |code| problem(status, code)),
        },
    })
}

fn content(schema: &str, codes: &[&Code], render: impl Fn(&Code) -> Value) -> Value {
    let example = |code: &&Code| (code.name.to_owned(), json!({"value": render(code)}));
    json!({
        "schema": {"$ref": format!("#/components/schemas/{schema}")},
        "examples": codes.iter().map(example).collect::<Map<_, _>>(),
    })
}

fn error(code: &Code) -> Value {
    let mut error = json!({"code": code.name, "message": code.meaning, "requestId": REQUEST});
    if code.status == 400 {
        error["details"] =
            json!([{"field": "limit", "message": "The limit must be a whole number from 1 to 100."}]);
    }
    error
}

fn problem(status: StatusCode, code: &Code) -> Value {
    let mut problem = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": code.status,
        "detail": code.meaning,
    });
    let Value::Object(facts) = error(code) else { return problem };
    for (name, fact) in facts.into_iter().filter(|(name, _)| name != "message") {
        problem[name] = fact;
    }
    problem
}

/// A reference to a header.
pub fn named(name: &str) -> (String, Value) {
    (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}))
}

/// A reference to a header that may be missing.
pub fn optional(name: &str) -> (String, Value) {
    let mut header = headers()[name].take();
    header["required"] = json!(false);
    (name.to_owned(), header)
}

/// The shared responses, by name.
pub fn responses() -> Map<String, Value> {
    let mut statuses: Vec<_> = codes::ALL.iter().map(|code| code.status).collect();
    statuses.dedup();
    let status = |code: &u16| StatusCode::from_u16(*code).expect("codes have valid statuses");
    let refusals = statuses.iter().map(status).map(|status| (name(status), refusal(status)));
    refusals.chain([(name(StatusCode::NOT_MODIFIED), not_modified())]).collect()
}

/// For example, `TooManyRequests`.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

fn not_modified() -> Value {
    let headers = ["X-Request-Id", "ETag"].iter().chain(&LIMITS);
    let headers: Map<_, _> = headers.map(|name| named(name)).collect();
    json!({"description": "The version in `If-None-Match` is current.", "headers": headers})
}

/// A reference to a response with this status.
pub fn response(status: u16) -> Value {
    let status = StatusCode::from_u16(status).expect("a valid status");
    json!({"$ref": format!("#/components/responses/{}", name(status))})
}
