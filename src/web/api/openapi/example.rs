//! Builds examples from the examples in the schemas.

use serde_json::{Map, Value, json};

/// Returns a value that matches the schema.
pub fn of(api: &Value, schema: &Value) -> Value {
    if let Some(given) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return given.clone();
    }
    if let Some(there) = schema.get("$ref").and_then(Value::as_str) {
        return api.pointer(there.trim_start_matches('#')).map_or(Value::Null, |it| of(api, it));
    }
    if let Some(one) = list(&schema["oneOf"]).find(|one| one["type"] != "null") {
        return of(api, one);
    }
    let parts = list(&schema["allOf"]).map(|part| of(api, part)).reduce(merge);
    parts.unwrap_or_else(|| of_type(api, schema))
}

fn of_type(api: &Value, schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties.map(|(name, schema)| (name.clone(), of(api, schema))).collect::<Map<_, _>>().into()
        }
        Some("array") => json!([of(api, &schema["items"])]),
        // An optional value without an example is left out.
        _ => Value::Null,
    }
}

fn merge(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            left.extend(right);
            left.into()
        }
        (_, right) => right,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
