//! What answers have in common: credentials, headers, and each way to be refused.

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::caller::API_KEY;
use super::super::codes::{self, Code};
use super::super::idempotency::KEY;

/// A tag in examples.
const TAG: &str = "\"9f86d081884c7d659a2feaa0c55ad015\"";
/// The id of the call in examples.
const REQUEST: &str = "req_019f2a4c1d877e02b6f03a9d1c55e7ad";

/// How a caller says who they are. The cookie is that of a dashboard on `http`; one on
/// `https` is `__Host-gatepost`.
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
            "description": "The same token in a header of its own, instead of Authorization.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "gatepost",
            "description": "The dashboard's own session, of the owner or an admin, from this site's pages only (Sec-Fetch-Site or Origin). Its name begins with __Host- where the dashboard has https.",
        },
    })
}

/// The headers of every answer after the credential was checked.
pub const LIMITS: [&str; 5] =
    ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit"];

pub fn headers() -> Value {
    let text = |description: &str, example: &str| header(description, "string", json!(example));
    let number = |description: &str, example: i64| header(description, "integer", json!(example));
    json!({
        "X-Request-Id": text("Finds this call in the activity log.", REQUEST),
        "X-RateLimit-Limit": number("Calls the team may make in an hour, or this token, if it has a smaller limit of its own.", 1000),
        "X-RateLimit-Remaining": number("Calls left of them.", 999),
        "X-RateLimit-Reset": number("When they start over, in seconds since 1970.", 1_772_356_800),
        "RateLimit-Policy": text("The same limit in the words of the IETF draft: q calls in w seconds.", "\"hour\";q=1000;w=3600"),
        "RateLimit": text("What is left of it: r calls, starting over in t seconds.", "\"hour\";r=999;t=1800"),
        "Retry-After": number("Seconds to wait before the next try.", 60),
        "WWW-Authenticate": text("What is wrong with the credential (RFC 6750, section 3).", "Bearer realm=\"API\", charset=\"UTF-8\", error=\"invalid_token\""),
        "Allow": text("The methods that this address takes.", "GET, PATCH, DELETE"),
        "ETag": text("Which state of the thing this shows.", TAG),
        "Idempotency-Replayed": text("`true` where this was made before, by the same Idempotency-Key.", "true"),
        "Location": text("The address of what was made.", "/api/v1/aliases/alias_019f2a4c1d877e02b6f03a9d1c55e7ad"),
    })
}

/// What a call can be made to depend on.
pub fn parameters() -> Value {
    let header = |name: &str, text: &str, example: &str| json!({"name": name, "in": "header", "description": text, "schema": {"type": "string"}, "example": example});
    let mut key = header(
        KEY.as_str(),
        "A new one for each creation, such as a UUID. The same request with the same key, within 24 hours, makes nothing again and gets the first answer, with `Idempotency-Replayed`.",
        "8e03978e-40d5-43dd-bc93-6894a57f9324",
    );
    key["schema"] = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"});
    json!({
        "IfNoneMatch": header("If-None-Match", "The `ETag` of what you have: when it is still that, the answer is 304 and empty.", TAG),
        "IfMatch": header("If-Match", "The `ETag` of what you have seen: when it is another by now, nothing is changed (412).", TAG),
        "IdempotencyKey": key,
    })
}

fn header(description: &str, kind: &str, example: Value) -> Value {
    json!({"description": description, "required": true, "schema": {"type": kind}, "example": example})
}

pub fn schemas() -> [(&'static str, Value); 4] {
    let code = json!({
        "type": "string",
        "description": "Tells refusals apart; a later version may add others.",
        "examples": codes::ALL.iter().map(|code| code.name).collect::<Vec<_>>(),
    });
    let request = json!({"type": "string", "example": REQUEST});
    let details = json!({
        "type": "array",
        "items": {"$ref": "#/components/schemas/FieldError"},
        "description": "What to change, where that can be said of single fields.",
    });
    [
        (
            "ErrorAnswer",
            json!({
                "type": "object",
                "description": "How a call is refused.",
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
                "description": "The same as RFC 9457 has it, for who sends Accept: application/problem+json.",
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
            "message": {"type": "string", "example": "The limit is a number from 1 to 100."},
        },
    })
}

/// The response of everything that is refused with one status, for `components`.
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
    // Before the credential is known to be good, nobody's limit is.
    let is_early = matches!(status.as_u16(), 400 | 401 | 403 | 500 | 503);
    let limits = LIMITS.iter().map(|name| if is_early { perhaps(name) } else { named(name) });
    let sometimes = match status.as_u16() {
        400 | 403 => Some("WWW-Authenticate"),
        409 => Some("Retry-After"),
        _ => None,
    };
    let headers = ["X-Request-Id", own].into_iter().map(named).chain(sometimes.map(perhaps)).chain(limits);
    let headers: Map<_, _> = headers.collect();
    json!({
        "description": meanings.join(" "),
        "headers": headers,
        "content": {
            "application/json": content("ErrorAnswer", &codes, |code| json!({"success": false, "error": error(code)})),
            "application/problem+json": content("Problem", &codes, |code| problem(status, code)),
        },
    })
}

fn content(schema: &str, codes: &[&Code], draw: impl Fn(&Code) -> Value) -> Value {
    let example = |code: &&Code| (code.name.to_owned(), json!({"value": draw(code)}));
    json!({
        "schema": {"$ref": format!("#/components/schemas/{schema}")},
        "examples": codes.iter().map(example).collect::<Map<_, _>>(),
    })
}

fn error(code: &Code) -> Value {
    let mut error = json!({"code": code.name, "message": code.meaning, "requestId": REQUEST});
    if code.status == 400 {
        error["details"] = json!([{"field": "limit", "message": "The limit is a number from 1 to 100."}]);
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

/// A header by its place among the components.
pub fn named(name: &str) -> (String, Value) {
    (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}))
}

/// The same where it may be missing.
pub fn perhaps(name: &str) -> (String, Value) {
    let mut header = headers()[name].take();
    header["required"] = json!(false);
    (name.to_owned(), header)
}

/// Each answer that several operations have, by its name.
pub fn responses() -> Map<String, Value> {
    let mut statuses: Vec<_> = codes::ALL.iter().map(|code| code.status).collect();
    statuses.dedup();
    let status = |code: &u16| StatusCode::from_u16(*code).expect("a code has a status of HTTP");
    let refusals = statuses.iter().map(status).map(|status| (name(status), refusal(status)));
    refusals.chain([(name(StatusCode::NOT_MODIFIED), not_modified())]).collect()
}

/// `TooManyRequests`, as the refusals with a status are named.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

/// The answer to who has a thing already.
fn not_modified() -> Value {
    let headers = ["X-Request-Id", "ETag"].iter().chain(&LIMITS);
    let headers: Map<_, _> = headers.map(|name| named(name)).collect();
    json!({"description": "It is as `If-None-Match` says.", "headers": headers})
}

/// What an operation says of the answers with this status.
pub fn response(status: &str) -> Value {
    let known = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
    json!({"$ref": format!("#/components/responses/{}", name(known.expect("a status of HTTP")))})
}
