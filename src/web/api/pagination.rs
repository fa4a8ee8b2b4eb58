//! The requested page of a list, and its position in the response.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::field_errors::FieldErrors;
use crate::domain::FieldError;
use crate::domain::lists::{Capped, Window};

/// The requested page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The number of entries to return.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: i64,
    /// Entries to skip.
    #[serde(default)]
    #[param(minimum = 0, default = 0)]
    offset: i64,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

fn default_limit() -> i64 {
    50
}

impl PageQuery {
    fn limit(&self) -> Result<i64, FieldError> {
        let message = "The limit must be a whole number from 1 to 100.";
        let limit = Some(self.limit).filter(|limit| (1..=100).contains(limit));
        limit.ok_or_else(|| FieldError::new("limit", message))
    }

    fn offset(&self) -> Result<i64, FieldError> {
        let message = "The offset must be a whole number of at least 0.";
        Some(self.offset).filter(|offset| *offset >= 0).ok_or_else(|| FieldError::new("offset", message))
    }

    /// Parses the cursor. Refuses a cursor with an offset, which would skip entries on each page.
    fn start<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, FieldError> {
        let message = "This is not the nextCursor of a page of this list.";
        match self.cursor.as_deref().map(parse) {
            Some(_) if self.offset != 0 => Err(FieldError::new("offset", "Send cursor or offset, not both.")),
            Some(None) => Err(FieldError::new("cursor", message)),
            start => Ok(start.flatten()),
        }
    }

    /// The page of a list with the id of the last entry as its cursor.
    pub fn window<Id>(
        &self,
        parse: impl Fn(&str) -> Option<Id>,
        errors: &mut FieldErrors,
    ) -> Option<Window<Id>> {
        let (limit, offset) = (errors.take(self.limit()), errors.take(self.offset()));
        let before = errors.take(self.start(parse));
        Some(Window { before: before?, offset: offset?, limit: limit? })
    }

    /// Limit and offset in a [`ShortList`].
    pub fn bounds(&self) -> Result<(i64, i64), ApiError> {
        let mut errors = FieldErrors::default();
        let window = self.window(parse_position, &mut errors);
        let Window { before, offset, limit } = errors.all(window)?;
        Ok((limit, before.unwrap_or(offset)))
    }
}

const POSITION: &str = "at_";

fn parse_position(cursor: &str) -> Option<i64> {
    cursor.strip_prefix(POSITION)?.parse().ok().filter(|position| *position >= 0)
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    #[schema(example = 50)]
    limit: i64,
    #[schema(example = 0)]
    offset: i64,
    /// Entries in the whole list; `null` if there are more than 10,000, or if they are not counted.
    #[schema(example = 1)]
    total: Option<i64>,
    #[schema(example = false)]
    has_more: bool,
    /// Send it as `cursor` to get the next page. Equally fast in lists of any length.
    next_cursor: Option<String>,
}

/// `{"data": […], "pagination": {…}}`
pub fn render(data: &[u8], pagination: &Pagination) -> Vec<u8> {
    let pagination = serde_json::to_vec(pagination).expect("numbers and text are JSON");
    [br#"{"data":"#, data, br#","pagination":"#, &*pagination, b"}"].concat()
}

impl Pagination {
    /// For a list with positions as cursors.
    pub fn by_position((limit, offset): (i64, i64), rows: usize, total: i64) -> Self {
        let next = offset.saturating_add(rows as i64);
        let has_more = next < total;
        let next_cursor = has_more.then(|| format!("{POSITION}{next}"));
        Self { limit, offset, total: Some(total), has_more, next_cursor }
    }

    /// For a list with the id of the last entry as its cursor.
    pub fn by_id<Id: fmt::Display>(window: &Window<Id>, next: Option<Id>, total: Option<Capped>) -> Self {
        Self {
            limit: window.limit,
            offset: window.offset,
            total: total.and_then(Capped::exact),
            has_more: next.is_some(),
            next_cursor: next.map(|id| id.to_string()),
        }
    }
}
