//! Texts in a request that must be one of a few. Those in a response are not described this way, because a
//! later version may add others, which clients must accept.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

pub fn one_of(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// One of these, or `null`, which means no value.
pub fn one_of_or_null(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    let either = SchemaType::from_iter([Type::String, Type::Null]);
    let words = words.map(Value::from).chain([Value::Null]);
    ObjectBuilder::new().schema_type(either).enum_values(Some(words))
}
