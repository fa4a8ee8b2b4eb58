//! Lists: `{"data": […], "pagination": {…}}`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use crate::domain::FieldError;

/// Which part of a list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Entries to return, 1 to 100.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// Entries to leave out first.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    offset: i64,
}

fn default_limit() -> i64 {
    50
}

impl PageQuery {
    /// Limit and offset, within their bounds.
    pub fn bounds(&self) -> Result<(i64, i64), ApiError> {
        let mut details = Vec::new();
        if !(1..=100).contains(&self.limit) {
            details.push(FieldError::new("limit", "The limit is a number from 1 to 100."));
        }
        if self.offset < 0 {
            details.push(FieldError::new("offset", "The offset is a number from 0 on."));
        }
        if details.is_empty() {
            Ok((self.limit, self.offset))
        } else {
            Err(ApiError::invalid_fields(details))
        }
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub pagination: Pagination,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    #[schema(example = 50)]
    limit: i64,
    #[schema(example = 0)]
    offset: i64,
    /// Entries in the whole list.
    #[schema(example = 1)]
    total: i64,
    #[schema(example = false)]
    has_more: bool,
    /// For lists that page by cursor.
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    pub fn by_offset(data: Vec<T>, (limit, offset): (i64, i64), total: i64) -> Self {
        let has_more = offset + (data.len() as i64) < total;
        Self { data, pagination: Pagination { limit, offset, total, has_more, next_cursor: None } }
    }
}
