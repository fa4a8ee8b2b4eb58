//! Checks responses against the API's OpenAPI description.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use gatepost::web::api::openapi;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::client::Response;

/// The path of the description, which does not describe itself.
const ITSELF: &str = "/api/v1/openapi.json";

/// Fails unless the description allows this response to the method and path. Paths outside `/api/v1` are
/// not described.
#[track_caller]
pub fn check(method: &str, path: &str, response: &Response) {
    if path != ITSELF && (path == "/api/v1" || path.starts_with("/api/v1/")) {
        let wrong = faults(method, path, response);
        let Response { status, headers, body } = response;
        assert!(
            wrong.is_empty(),
            "{method} {path}: {status} {headers:#?} {body}\nis not as described: {wrong:#?}"
        );
    }
}

/// Returns the differences from the description.
pub fn faults(method: &str, path: &str, response: &Response) -> Vec<String> {
    let status = response.status.to_string();
    if method == "OPTIONS" && matches!(response.status, 204 | 404) {
        return wrong_options(response);
    }
    let responses = match operation(&method.to_lowercase(), path) {
        Some(operation) => format!("{operation}/responses"),
        None => "/x-elsewhere".to_owned(),
    };
    let Some(place) = resolve(format!("{responses}/{status}")) else {
        return vec![format!("the status {status}")];
    };
    let described = at(&place).expect("a response");
    let mut wrong = wrong_headers(&place, described, response);
    wrong.extend(wrong_body(method, &place, described, response));
    wrong
}

/// OPTIONS, 404 and 405 need no credential and do not count against the limit.
fn wrong_options(response: &Response) -> Vec<String> {
    match response.status {
        204 => wrong_body("OPTIONS", "", &Value::Null, response),
        _ => misfits("/components/schemas/ErrorResponse", &response.json(), "body"),
    }
}

/// The description, changed to refuse everything it doesn't describe.
static API: LazyLock<Value> = LazyLock::new(|| {
    let mut api = openapi::description().clone();
    let refusal = |name: &str| json!({"$ref": format!("#/components/responses/{name}")});
    api["x-elsewhere"] = json!({
        "400": refusal("BadRequest"),
        "401": refusal("Unauthorized"),
        "403": refusal("Forbidden"),
        "404": refusal("NotFound"),
        "405": refusal("MethodNotAllowed"),
        "429": refusal("TooManyRequests"),
        "500": refusal("InternalServerError"),
        "503": refusal("ServiceUnavailable"),
    });
    api
});

fn at(place: &str) -> Option<&'static Value> {
    API.pointer(place)
}

/// Returns the target of a reference.
fn resolve(place: String) -> Option<String> {
    match at(&place)?.get("$ref").and_then(Value::as_str) {
        Some(there) => resolve(there.trim_start_matches('#').to_owned()),
        None => Some(place),
    }
}

/// Returns the place of the operation's description. HEAD is described by its GET.
fn operation(method: &str, path: &str) -> Option<String> {
    let method = if method == "head" { "get" } else { method };
    let paths = API["paths"].as_object().expect("paths");
    let fits = |template: &&String| {
        let (mut one, mut other) = (template.split('/'), path.split('/'));
        let same = one.by_ref().zip(other.by_ref()).all(|(it, part)| it == part || it.starts_with('{'));
        same && template.split('/').count() == path.split('/').count()
    };
    // A literal segment takes precedence over a parameter.
    let template = paths.keys().filter(fits).min_by_key(|template| template.matches('{').count())?;
    paths[template].get(method)?;
    Some(format!("/paths/{}/{method}", escaped(template)))
}

fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

fn wrong_headers(place: &str, described: &Value, response: &Response) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in described["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        let header = resolve(format!("{place}/headers/{}", escaped(name))).expect("a header");
        let described = at(&header).expect("a header");
        match response.headers.get(name) {
            None if described["required"] == true => wrong.push(format!("{name} is missing")),
            None => {}
            Some(value) => {
                let text = value.to_str().expect("a readable header");
                let value = match described["schema"]["type"].as_str() {
                    Some("integer") => text.parse::<i64>().map_or(json!(text), |number| json!(number)),
                    _ => json!(text),
                };
                wrong.extend(misfits(&format!("{header}/schema"), &value, name));
            }
        }
    }
    wrong
}

fn wrong_body(method: &str, place: &str, described: &Value, response: &Response) -> Vec<String> {
    let kind = response.header("content-type").split(';').next().unwrap_or_default();
    let Some(contents) = described["content"].as_object() else {
        return if response.body.is_empty() { Vec::new() } else { vec!["there is a body".to_owned()] };
    };
    let Some(described) = contents.keys().find(|it| *it == kind || *it == "*/*") else {
        return vec![format!("the content type {kind:?}")];
    };
    if method == "HEAD" || !described.ends_with("json") {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_str(&response.body) else { return vec!["not JSON".to_owned()] };
    misfits(&format!("{place}/content/{}/schema", escaped(described)), &body, "body")
}

/// Returns the differences between a value and the schema at this place.
pub fn misfits(place: &str, value: &Value, name: &str) -> Vec<String> {
    let message =
        |error: jsonschema::ValidationError<'_>| format!("{name}{}: {error}", error.instance_path());
    validator(place).iter_errors(value).map(message).collect()
}

/// Compiled once per place.
fn validator(place: &str) -> Arc<Validator> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = known.entry(place.to_owned()).or_insert_with(|| {
        let mut schema = API.clone();
        // Braces are not allowed in a URI.
        schema["$ref"] = json!(format!("#{}", place.replace('{', "%7B").replace('}', "%7D")));
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&schema).expect("a valid schema"))
    });
    Arc::clone(validator)
}
