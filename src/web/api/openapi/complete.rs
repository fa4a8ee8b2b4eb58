//! What every operation has in common, added in one place, so that no handler can forget it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{BASE, needs, tagged};
use super::{about, example, shared};
use crate::domain::access::scopes::Need;

/// The description as handlers gave it, made whole.
pub fn complete(mut api: Value) -> Value {
    about::info(&mut api["info"]);
    refer_to_items(&mut api["components"]["schemas"]);
    leave_nothing_out(&mut api);
    for (path, methods) in members(&mut api["paths"]) {
        for (method, operation) in members(methods) {
            describe(path, method, operation);
        }
    }
    show_examples(&mut api);
    add_components(&mut api["components"]);
    api
}

fn describe(path: &str, method: &str, operation: &mut Value) {
    let need = need(path, method);
    operation["security"] = match need {
        Need::Person => json!([{"session": []}]),
        Need::AnyToken | Need::Scope(_) => json!([{"bearer": []}, {"apiKey": []}]),
    };
    operation["x-required-scopes"] = match need {
        Need::Scope(scope) => json!([scope.as_str()]),
        Need::AnyToken | Need::Person => json!([]),
    };
    lift_descriptions(operation);
    put_conditions(path, method, operation);
    let refusals = refusals(path, operation);
    let responses = operation["responses"].as_object_mut().expect("responses");
    for (status, answer) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
        give_headers(status, answer);
    }
    for status in refusals {
        let given = responses.remove(&status);
        responses.insert(status.clone(), shared_with(&status, given));
    }
    responses.sort_keys();
}

/// What the route itself says.
fn need(path: &str, method: &str) -> Need {
    let own = path.trim_start_matches(BASE);
    let mut all = needs();
    let found = all.find(|(path, known, _)| *path == own && known.as_str().eq_ignore_ascii_case(method));
    found.expect("what is described is there").2
}

/// What is said of a parameter stands with it, not with its schema.
fn lift_descriptions(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let schema = parameter.get_mut("schema").and_then(Value::as_object_mut);
        if let Some(text) = schema.and_then(|schema| schema.shift_remove("description")) {
            parameter["description"] = text;
        }
    }
}

/// What a caller can make a call depend on: what they have, what they have seen, and whether
/// it was sent before.
fn put_conditions(path: &str, method: &str, operation: &mut Value) {
    let is_tagged = tagged().any(|tagged| path.strip_prefix(BASE) == Some(tagged));
    let creates = operation["responses"].get("201").is_some();
    let (parameters, statuses): (&[&str], &[&str]) = match method {
        "get" if is_tagged => (&["IfNoneMatch"], &["304"]),
        "patch" | "delete" => (&["IfMatch"], &["412"]),
        _ if creates => (&["IdempotencyKey"], &["409", "422"]),
        _ => (&[], &[]),
    };
    for name in parameters {
        let parameter = json!({"$ref": format!("#/components/parameters/{name}")});
        match operation.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(all) => all.push(parameter),
            None => operation["parameters"] = json!([parameter]),
        }
    }
    for status in statuses {
        let response = &mut operation["responses"][status];
        if response.is_null() {
            *response = json!({});
        }
    }
    if is_tagged && matches!(method, "get" | "patch") {
        operation["responses"]["200"]["headers"] = json!({"ETag": shared::named("ETag").1});
    }
}

/// The statuses with which this operation can be refused: those that all have, those that
/// come of what it takes, and those its handler names.
fn refusals(path: &str, operation: &Value) -> BTreeSet<String> {
    let mut known = vec!["400", "401", "403", "415", "429", "500", "503"];
    if path.contains('{') {
        known.push("404");
    }
    if operation.get("requestBody").is_some() {
        known.push("413");
    }
    let named = operation["responses"].as_object().into_iter().flatten().map(|(status, _)| status.as_str());
    let named = named.filter(|status| !status.starts_with('2'));
    known.into_iter().chain(named).map(str::to_owned).collect()
}

/// The response among the components, with what the handler says of it.
fn shared_with(status: &str, given: Option<Value>) -> Value {
    let mut response = shared::response(status);
    if let Some(text) = given.as_ref().and_then(|given| given.get("description")) {
        response["description"] = text.clone();
    }
    response
}

fn give_headers(status: &str, answer: &mut Value) {
    let text = match status {
        "201" => "It was made.",
        _ => "It was done.",
    };
    if answer.get("description").is_none() {
        answer["description"] = json!(text);
    }
    let made = if status == "201" { &["Location"][..] } else { &[] };
    let names = ["X-Request-Id"].iter().chain(&shared::LIMITS).chain(made);
    let mut headers = answer["headers"].as_object().cloned().unwrap_or_default();
    headers.extend(names.map(|name| shared::named(name)));
    if status == "201" {
        headers.extend(["ETag", "Idempotency-Replayed"].map(shared::perhaps));
    }
    answer["headers"] = headers.into();
}

fn add_components(components: &mut Value) {
    components["securitySchemes"] = shared::security_schemes();
    components["headers"] = shared::headers();
    components["parameters"] = shared::parameters();
    components["responses"] = shared::responses().into();
    for (name, schema) in shared::schemas() {
        components["schemas"][name] = schema;
    }
}

/// A page's items are written out in each page; this names them instead.
fn refer_to_items(schemas: &mut Value) {
    for (name, schema) in members(schemas) {
        if let Some(item) = name.strip_prefix("Page_") {
            schema["properties"]["data"]["items"] = json!({"$ref": format!("#/components/schemas/{item}")});
        }
    }
}

/// An answer has every field of its type; a request leaves out what may be left out.
fn leave_nothing_out(api: &mut Value) {
    let requested = requested(&api["paths"]);
    for (name, schema) in members(&mut api["components"]["schemas"]) {
        if !requested.contains(name.as_str()) {
            require_all(schema);
        }
    }
}

fn require_all(schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        require_all(part);
    }
    if let Some(properties) = schema["properties"].as_object() {
        schema["required"] = properties.keys().cloned().collect::<Vec<_>>().into();
    }
}

/// The schemas of bodies that are sent to us.
fn requested(paths: &Value) -> BTreeSet<String> {
    let operations = paths.as_object().into_iter().flatten().filter_map(|(_, methods)| methods.as_object());
    let bodies = operations
        .flatten()
        .filter_map(|(_, it)| it.pointer("/requestBody/content/application~1json/schema/$ref"));
    let name = |there: &Value| there.as_str().and_then(|there| there.rsplit('/').next()).map(str::to_owned);
    bodies.filter_map(name).collect()
}

/// Each JSON that is sent or answered has an example.
fn show_examples(api: &mut Value) {
    let whole = api.clone();
    for (_, methods) in members(&mut api["paths"]) {
        for (_, operation) in members(methods) {
            let body = operation.pointer_mut("/requestBody/content/application~1json");
            body.into_iter().for_each(|content| show_example(&whole, content));
            for (_, answer) in members(&mut operation["responses"]) {
                let content = answer.pointer_mut("/content/application~1json");
                content.into_iter().for_each(|content| show_example(&whole, content));
            }
        }
    }
}

fn show_example(api: &Value, content: &mut Value) {
    if content.get("example").is_none() {
        content["example"] = example::of(api, &content["schema"]);
    }
}

fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}
