//! Enumerated strings in requests. Strings in responses are not described as enumerations, because later
//! versions may add values, which clients must accept.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

pub fn one_of(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// One of these, or `null` for no value.
pub fn one_of_or_null(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    let either = SchemaType::from_iter([Type::String, Type::Null]);
    let words = words.map(Value::from).chain([Value::Null]);
    ObjectBuilder::new().schema_type(either).enum_values(Some(words))
}
