//! Schemas in words: their fields with types and bounds.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::web::api::openapi::example;

/// The whole description, to look references up in.
pub struct Api<'a>(pub &'a Value);

/// A parameter, or a field of a body.
pub struct Field {
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub bounds: String,
    pub text: String,
    /// `null` without one.
    pub example: Value,
    pub input: Input,
}

/// How a person enters a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Text,
    Number,
    /// A box to tick, which is not sent while it is empty.
    Flag,
    Time,
    Choice(Vec<String>),
}

/// A schema with a name.
pub struct Object {
    pub name: String,
    pub text: String,
    pub fields: Vec<Field>,
    pub example: String,
}

impl Field {
    /// The bounds as a sentence; empty without any.
    pub fn limits(&self) -> String {
        let mut letters = self.bounds.chars();
        match letters.next() {
            Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
            None => String::new(),
        }
    }
}

impl Api<'_> {
    /// Follows a reference.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let there = schema["$ref"].as_str().and_then(|there| self.0.pointer(there.trim_start_matches('#')));
        there.unwrap_or(schema)
    }

    pub fn parameter(&self, parameter: &Value) -> Field {
        let schema = &parameter["schema"];
        let mut field = self.field(&text(&parameter["name"]), schema, parameter["required"] == true);
        field.text = text(&parameter["description"]);
        if let Some(given) = parameter.get("example") {
            field.example = given.clone();
        }
        field
    }

    /// The fields of an object, including those of its parts.
    pub fn fields_of(&self, schema: &Value) -> Vec<Field> {
        let schema = self.resolve(schema);
        let parts = list(&schema["allOf"]).flat_map(|part| self.fields_of(part));
        let required: Vec<_> = list(&schema["required"]).filter_map(Value::as_str).collect();
        let own = fields(&schema["properties"])
            .map(|(name, property)| self.field(name, property, required.contains(&name.as_str())));
        parts.chain(own).collect()
    }

    fn field(&self, name: &str, schema: &Value, required: bool) -> Field {
        let description = match schema.get("description") {
            Some(description) => description,
            None => &self.resolve(one_of(schema))["description"],
        };
        Field {
            name: name.to_owned(),
            kind: kind(schema),
            required,
            bounds: bounds(one_of(schema)),
            text: text(description),
            example: schema.get("example").cloned().unwrap_or_default(),
            input: input(one_of(schema)),
        }
    }
}

/// Returns the objects with these names and all that they refer to, without duplicates.
pub fn objects(api: &Api<'_>, names: Vec<String>) -> Vec<Object> {
    let (mut found, mut seen, mut next) = (Vec::new(), BTreeSet::new(), names);
    while !next.is_empty() {
        let mut deeper = Vec::new();
        for name in next {
            let schema = &api.0["components"]["schemas"][&name];
            if !schema.is_object() || !seen.insert(name.clone()) {
                continue;
            }
            deeper.extend(named_within(api, schema));
            let example = format!("{:#}", example::of(api.0, schema));
            found.push(Object {
                name,
                text: text(&schema["description"]),
                fields: api.fields_of(schema),
                example,
            });
        }
        next = deeper;
    }
    found
}

/// The names of the schemas that the fields of this one hold.
fn named_within(api: &Api<'_>, schema: &Value) -> Vec<String> {
    let inherited = list(&schema["allOf"]).flat_map(|part| named_within(api, api.resolve(part)));
    let own = fields(&schema["properties"]).filter_map(|(_, field)| {
        let field = one_of(field);
        name(field.get("items").unwrap_or(field)).map(str::to_owned)
    });
    inherited.chain(own).collect()
}

/// The name of the schema that a reference leads to.
pub fn name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|there| there.rsplit('/').next())
}

/// The choice that is not `null`.
fn one_of(schema: &Value) -> &Value {
    let mut choices = list(&schema["oneOf"]).chain(list(&schema["anyOf"]));
    choices.find(|choice| choice["type"] != "null").unwrap_or(schema)
}

fn kind(schema: &Value) -> String {
    let choices: Vec<_> = list(&schema["oneOf"]).chain(list(&schema["anyOf"])).collect();
    if !choices.is_empty() {
        return choices.into_iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(name) = name(schema) {
        return name.to_owned();
    }
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(|it| one(schema, it)).collect::<Vec<_>>().join(" or "),
        Value::Null if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object".into(),
        kind => one(schema, kind),
    }
}

fn one(schema: &Value, kind: &Value) -> String {
    match kind.as_str().unwrap_or_default() {
        "array" => format!("array of {}", self::kind(&schema["items"])),
        "string" if schema["format"] == "date-time" => "time".into(),
        kind => kind.to_owned(),
    }
}

fn input(schema: &Value) -> Input {
    let choices = choices(schema);
    let is = |kind: &str| schema["type"] == kind || list(&schema["type"]).any(|each| each == kind);
    match () {
        () if !choices.is_empty() => Input::Choice(choices.into_iter().map(str::to_owned).collect()),
        () if is("boolean") && schema["default"] == false => Input::Flag,
        // Without a default, leaving it out means something else than both.
        () if is("boolean") => Input::Choice(vec!["true".into(), "false".into()]),
        () if is("integer") => Input::Number,
        () if schema["format"] == "date-time" => Input::Time,
        () => Input::Text,
    }
}

fn choices(schema: &Value) -> Vec<&str> {
    list(&schema["enum"]).filter_map(Value::as_str).collect()
}

fn bounds(schema: &Value) -> String {
    let choices = choices(schema);
    let at = |name: &str| schema.get(name).filter(|bound| !bound.is_null());
    let said = [
        (!choices.is_empty()).then(|| format!("one of {}", choices.join(", "))),
        range(at("minimum"), at("maximum"), ""),
        range(at("minLength"), at("maxLength"), " characters"),
        range(at("minItems"), at("maxItems"), " entries"),
        at("default").map(|value| format!("default {value}")),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn range(least: Option<&Value>, most: Option<&Value>, unit: &str) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
        (Some(least), None) => Some(format!("at least {least}{unit}")),
        (None, Some(most)) => Some(format!("at most {most}{unit}")),
        (None, None) => None,
    }
}

/// A sentence as markup: text in backquotes is code.
pub fn prose(text: &str) -> String {
    let mut markup = String::with_capacity(text.len() + 32);
    for (at, part) in text.split('`').enumerate() {
        let part = escape(part);
        match at % 2 {
            0 => markup += &part,
            _ => markup += &format!("<code>{part}</code>"),
        }
    }
    markup
}

/// Text as markup between tags, where quotes are nothing special: examples are full of them.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_in_backquotes_is_code() {
        assert_eq!(
            prose("`null` for <none> & `a<b`."),
            "<code>null</code> for &lt;none&gt; &amp; <code>a&lt;b</code>."
        );
    }

    #[test]
    fn each_kind_of_value_has_its_input() {
        let of = |schema: Value| input(one_of(&schema));
        let choice = |all: &[&str]| Input::Choice(all.iter().map(|each| (*each).to_owned()).collect());
        assert_eq!(of(json!({"type": "string"})), Input::Text);
        assert_eq!(of(json!({"type": ["integer", "null"]})), Input::Number);
        assert_eq!(of(json!({"type": "string", "format": "date-time"})), Input::Time);
        assert_eq!(of(json!({"type": "string", "enum": ["on", "off"]})), choice(&["on", "off"]));
        assert_eq!(of(json!({"type": "boolean", "default": false})), Input::Flag);
        assert_eq!(of(json!({"oneOf": [{"type": "null"}, {"type": "boolean"}]})), choice(&["true", "false"]));
    }

    #[test]
    fn types_and_bounds_are_described_in_words() {
        let described =
            json!({"components": {"schemas": {"Plan": {"type": "string", "enum": ["free", "pro"]}}}});
        let api = Api(&described);
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string", "minLength": 1, "maxLength": 60},
            "b": {"type": ["integer", "null"], "minimum": 1, "maximum": 100, "default": 50},
            "c": {"type": "array", "items": {"type": "string", "format": "date-time"}},
            "d": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Plan"}]},
            "e": {"type": "string", "enum": ["on", "off"]},
        }});
        let described: Vec<_> = api
            .fields_of(&schema)
            .into_iter()
            .map(|it| format!("{} {} {} {}", it.name, it.kind, it.required, it.bounds))
            .collect();
        assert_eq!(
            described,
            [
                "a string true 1 to 60 characters",
                "b integer or null false 1 to 100; default 50",
                "c array of time false ",
                "d null or Plan false ",
                "e string false one of on, off",
            ]
        );
    }
}
