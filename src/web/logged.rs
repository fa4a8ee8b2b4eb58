//! How activity records and logs describe a request: its route, its method, and the cause of a failure.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::Method;

/// The cause of an error, only for the log.
pub struct Cause(String);

/// In bytes. A cause can quote the request.
const MAX_CAUSE: usize = 1000;

impl Cause {
    pub fn new(mut cause: String) -> Self {
        cause.truncate(cause.floor_char_boundary(MAX_CAUSE));
        Self(cause)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The route in records and logs. Never the path, which can contain a one-time link.
#[derive(Clone)]
pub struct RouteTemplate(pub std::sync::Arc<str>);

pub fn route(request: &HttpRequest) -> Option<Cow<'_, str>> {
    let taken = request.app_data::<RouteTemplate>().map(|template| Cow::Borrowed(&*template.0));
    taken.or_else(|| request.match_pattern().map(Cow::Owned))
}

/// Unknown methods can have any length, so they are not logged.
pub fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_cause_is_truncated_between_characters() {
        assert_eq!(Cause::new("short".into()).0, "short");
        assert_eq!(Cause::new("é".repeat(60_000)).0.len(), MAX_CAUSE);
        assert_eq!(Cause::new(format!("a{}", "é".repeat(60_000))).0.len(), MAX_CAUSE - 1);
    }
}
