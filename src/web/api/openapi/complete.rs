//! Completes the description with the parts that all operations share.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{about, example, shared};
use crate::domain::characters;

/// Completes the description that was collected from the routes.
pub fn complete(mut api: Value) -> Value {
    about::info(&mut api["info"]);
    require_fields_of_responses(&mut api);
    write_patterns(&mut api["components"]["schemas"]);
    show_examples(&mut api);
    add_components(&mut api["components"]);
    api
}

/// Replaces Gatepost's own formats `line` and `text` with the equivalent `pattern`.
fn write_patterns(schemas: &mut Value) {
    let (line, text) = (characters::line_pattern(), characters::text_pattern());
    let properties =
        members(schemas).filter_map(|(_, schema)| schema.get_mut("properties")).flat_map(members);
    for (_, property) in properties {
        let pattern = match property["format"].as_str() {
            Some("line") => &line,
            Some("text") => &text,
            _ => continue,
        };
        let property = property.as_object_mut().expect("a schema");
        property.shift_remove("format");
        property.insert("pattern".into(), pattern.as_str().into());
    }
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

/// Marks all fields of responses as required: only requests may omit optional fields.
fn require_fields_of_responses(api: &mut Value) {
    let requested = request_schemas(&api["paths"]);
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

/// The names of the schemas used in requests.
fn request_schemas(paths: &Value) -> BTreeSet<String> {
    let operations = paths.as_object().into_iter().flatten().filter_map(|(_, methods)| methods.as_object());
    let bodies = operations
        .flatten()
        .filter_map(|(_, it)| it.pointer("/requestBody/content/application~1json/schema/$ref"));
    let name = |there: &Value| there.as_str().and_then(|there| there.rsplit('/').next()).map(str::to_owned);
    bodies.filter_map(name).collect()
}

/// Adds an example to every JSON body.
fn show_examples(api: &mut Value) {
    let whole = api.clone();
    for (_, methods) in members(&mut api["paths"]) {
        for (_, operation) in members(methods) {
            let body = operation.pointer_mut("/requestBody/content/application~1json");
            body.into_iter().for_each(|content| show_example(&whole, content));
            for (_, response) in members(&mut operation["responses"]) {
                let content = response.pointer_mut("/content/application~1json");
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
