//! A dialect is an API over the same resources: where it is, which routes it has, and how it
//! writes errors and lists.

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
    /// Of the rows, as a JSON array, and where they are in the list.
    pub render_page: fn(&[u8], &Pagination) -> Vec<u8>,
}

impl Dialect {
    /// The address without the base.
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The dialect of a request that was routed.
    pub fn of(request: &HttpRequest) -> &'static Self {
        request.app_data::<&'static Self>().copied().expect("a route of the API has its dialect")
    }
}
