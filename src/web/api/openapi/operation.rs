//! Describes an operation from its route and the types of its handler.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::super::describe::Described;
use super::super::route::{At, Op};
use super::shared;
use crate::domain::access::scopes::Need;

/// Adds the schemas that the operation refers to.
pub fn describe(at: &At, method: &Method, op: &Op, schemas: &mut Map<String, Value>) -> Value {
    let mut described = Described::new(method.clone(), at.path);
    (op.describe)(&mut described);
    let mut parameters: Vec<_> = described.parameters.drain(..).map(lift_description).collect();
    if op.is_tagged && method == Method::GET {
        parameters.push(json!({"$ref": "#/components/parameters/IfNoneMatch"}));
    }
    let mut operation = json!({
        "tags": [at.tag.name],
        "summary": op.summary,
        "description": op.text,
        "operationId": op.id,
    });
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(schema) = &described.body {
        operation["requestBody"] =
            json!({"content": {"application/json": {"schema": schema}}, "required": true});
    }
    operation["responses"] = responses(at, method, op, &described);
    operation["security"] = match op.need {
        Need::Person => json!([{"session": []}]),
        Need::AnyToken | Need::Scope(_) => json!([{"bearer": []}, {"apiKey": []}]),
    };
    operation["x-required-scopes"] = match op.need {
        Need::Scope(scope) => json!([scope.as_str()]),
        Need::AnyToken | Need::Person => json!([]),
    };
    for (name, schema) in described.schemas {
        schemas.entry(name).or_insert(schema);
    }
    operation
}

/// Moves the description of a parameter from its schema to the parameter.
fn lift_description(mut parameter: Value) -> Value {
    let schema = parameter.get_mut("schema").and_then(Value::as_object_mut);
    if let Some(text) = schema.and_then(|schema| schema.shift_remove("description")) {
        parameter["description"] = text;
    }
    parameter
}

fn responses(at: &At, method: &Method, op: &Op, described: &Described) -> Value {
    let meaning = |status: u16| op.statuses.iter().find(|(known, _)| *known == status).map(|(_, text)| *text);
    let success = success(method, op, described, meaning(described.status));
    let mut all = vec![(described.status, success)];
    for status in refusals(at, method, op, described) {
        let mut response = shared::response(status);
        if let Some(text) = meaning(status) {
            response["description"] = text.into();
        }
        all.push((status, response));
    }
    all.sort_by_key(|(status, _)| *status);
    all.into_iter().map(|(status, response)| (status.to_string(), response)).collect::<Map<_, _>>().into()
}

fn success(method: &Method, op: &Op, described: &Described, meaning: Option<&str>) -> Value {
    let usual = if described.status == 201 { "Created." } else { "Done." };
    let mut response = json!({"description": meaning.unwrap_or(usual)});
    if let Some((kind, example)) = op.file {
        response["content"] = json!({kind: {"schema": {"type": "string"}, "example": example}});
    } else if let Some(schema) = &described.response {
        response["content"] = json!({"application/json": {"schema": schema}});
    }
    let is_shown = op.is_tagged && (method == Method::GET || method == Method::PATCH);
    let mut names = if is_shown { vec!["ETag"] } else { Vec::new() };
    names.push("X-Request-Id");
    names.extend(shared::LIMITS);
    let mut headers: Map<_, _> = names.into_iter().map(shared::named).collect();
    if described.status == 201 {
        headers.extend([shared::named("Location")]);
        headers.extend(["ETag", "Idempotency-Replayed"].map(shared::optional));
    }
    response["headers"] = headers.into();
    response
}

/// The error statuses: those of every route, of its types, and of its own declaration.
fn refusals(at: &At, method: &Method, op: &Op, described: &Described) -> BTreeSet<u16> {
    let mut all = BTreeSet::from([400, 401, 403, 415, 429, 500, 503]);
    all.extend(&described.refusals);
    all.extend(op.statuses.iter().map(|(status, _)| *status).filter(|status| *status >= 300));
    if at.path.contains('{') {
        all.insert(404);
    }
    if op.is_tagged && method == Method::GET {
        all.insert(304);
    }
    all
}
