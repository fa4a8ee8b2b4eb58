//! Texts of a request that are one of a few. Those of a response are not described so: a later
//! version may add others, which a client must bear.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

pub fn one_of(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// One of these or `null`, which means the same as none.
pub fn one_of_or_null(words: impl Iterator<Item = &'static str>) -> ObjectBuilder {
    let either = SchemaType::from_iter([Type::String, Type::Null]);
    let words = words.map(Value::from).chain([Value::Null]);
    ObjectBuilder::new().schema_type(either).enum_values(Some(words))
}
