//! A dialect is an API over the same resources: where it is, which routes it has, and how it
//! writes errors and lists.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse};

use super::paging::Pagination;
use super::{ApiError, At};
use crate::domain::RequestId;

pub struct Dialect {
    pub base: &'static str,
    pub routes: fn() -> Vec<At>,
    pub render_error: fn(&ApiError, RequestId, &HeaderMap) -> HttpResponse,
    /// Of the rows, as a JSON array, and where they are in the list.
    pub render_page: fn(&[u8], &Pagination) -> Vec<u8>,
}

pub static V1: Dialect = Dialect {
    base: "/api/v1",
    routes: super::v1,
    render_error: ApiError::render,
    render_page: super::paging::render,
};

pub const DIALECTS: [&Dialect; 1] = [&V1];

impl Dialect {
    /// The dialect of an address, in the spelling of the router.
    pub fn at(path: &str) -> Option<&'static Self> {
        DIALECTS.into_iter().find(|dialect| dialect.rest(path).is_some())
    }

    /// The address without the base.
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.base).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The dialect of a request that was routed.
    pub fn of(request: &HttpRequest) -> &'static Self {
        request.app_data::<&'static Self>().copied().unwrap_or(&V1)
    }
}
