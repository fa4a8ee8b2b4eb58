use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

/// Whether htmx sent the request, so that a fragment of the page is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Htmx(pub bool);

impl FromRequest for Htmx {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(is_htmx(request))))
    }
}

pub fn is_htmx(request: &HttpRequest) -> bool {
    request.headers().contains_key("hx-request")
}
