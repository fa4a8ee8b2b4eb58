//! A dialect is an API over the same resources: its base path, its routes, and its format of errors and
//! lists.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse};

use super::ApiError;
use super::pagination::Pagination;
use super::route::At;
use crate::domain::RequestId;

pub struct Dialect {
    pub base: &'static str,
    pub routes: fn() -> Vec<At>,
    pub render_error: fn(&ApiError, RequestId, &HeaderMap) -> HttpResponse,
    /// Renders the rows, given as a JSON array, with their place in the list.
    pub render_page: fn(&[u8], &Pagination) -> Vec<u8>,
}

impl Dialect {
    /// Returns the path without the base.
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the dialect of a routed request.
    pub fn of(request: &HttpRequest) -> &'static Self {
        request.app_data::<&'static Self>().copied().expect("a route of the API has its dialect")
    }
}
