//! Lists: `{"data": […], "pagination": {…}}`.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::field_errors::FieldErrors;
use crate::domain::FieldError;
use crate::domain::lists::{self, Capped, Window};

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
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

pub fn default_limit() -> i64 {
    50
}

fn limit(limit: i64) -> Result<i64, FieldError> {
    let message = "The limit is a number from 1 to 100.";
    (1..=100).contains(&limit).then_some(limit).ok_or_else(|| FieldError::new("limit", message))
}

fn offset(offset: i64) -> Result<i64, FieldError> {
    let message = "The offset is a number from 0 on.";
    (offset >= 0).then_some(offset).ok_or_else(|| FieldError::new("offset", message))
}

/// What says where a page begins. Both at once would leave entries out on every page of who
/// follows cursors.
fn beginning<T>(
    skip: i64,
    cursor: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, FieldError> {
    let message = "This is not the nextCursor of a page of this list.";
    match cursor.map(parse) {
        Some(_) if skip != 0 => Err(FieldError::new("offset", "Send cursor or offset, not both.")),
        Some(None) => Err(FieldError::new("cursor", message)),
        Some(begins) => Ok(begins),
        None => Ok(None),
    }
}

/// The part of a list that goes on below a cursor, which is the id of the last one told.
///
/// # Errors
/// Sentences about the parameters `limit`, `offset` and `cursor`.
pub fn window<Id>(
    size: i64,
    skip: i64,
    cursor: Option<&str>,
    parse: impl Fn(&str) -> Option<Id>,
) -> Result<Window<Id>, ApiError> {
    let mut errors = FieldErrors::default();
    let (size, skipped) = (errors.take(limit(size)), errors.take(offset(skip)));
    let before = errors.take(beginning(skip, cursor, parse));
    let parsed = size.zip(skipped).zip(before);
    errors.all(parsed.map(|((limit, offset), before)| Window { before, offset, limit }))
}

/// The cursor of a short list in an order of its own is the place where it goes on.
const PLACE: &str = "at_";

fn parse_place(cursor: &str) -> Option<i64> {
    cursor.strip_prefix(PLACE)?.parse().ok().filter(|place| *place >= 0)
}

impl PageQuery {
    /// The part of a long list, like [`window`].
    pub fn window<Id>(&self, parse: impl Fn(&str) -> Option<Id>) -> Result<Window<Id>, ApiError> {
        window(self.limit, self.offset, self.cursor.as_deref(), parse)
    }

    /// Limit and offset of a part of a short list, which is all counted.
    pub fn bounds(&self) -> Result<(i64, i64), ApiError> {
        let Window { before, offset, limit } = self.window(parse_place)?;
        Ok((limit, before.unwrap_or(offset)))
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
    /// Entries in the whole list; `null` where there are over 10,000 or they are not counted.
    #[schema(example = 1)]
    total: Option<i64>,
    #[schema(example = false)]
    has_more: bool,
    /// Send it as `cursor` for what comes next, which costs the same however long the list is.
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    pub fn by_offset(data: Vec<T>, (limit, offset): (i64, i64), total: i64) -> Self {
        let next = offset.saturating_add(data.len() as i64);
        let has_more = next < total;
        let next_cursor = has_more.then(|| format!("{PLACE}{next}"));
        Self { data, pagination: Pagination { limit, offset, total: Some(total), has_more, next_cursor } }
    }

    /// What came of a [`window`].
    pub fn of<Row, Id: fmt::Display>(
        page: lists::Page<Row, Id>,
        window: &Window<Id>,
        total: Option<Capped>,
        draw: impl Fn(Row) -> T,
    ) -> Self {
        let pagination = Pagination {
            limit: window.limit,
            offset: window.offset,
            total: total.and_then(Capped::exact),
            has_more: page.next.is_some(),
            next_cursor: page.next.map(|id| id.to_string()),
        };
        Self { data: page.rows.into_iter().map(draw).collect(), pagination }
    }
}
