//! The cookie of a browser in which a person has signed in before, for
//! [`crate::domain::people::browsers`]. It outlives sessions.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::pages::error::PageError;
use super::request::{self, RequestInfo};
use super::site::Site;
use crate::domain::people::browsers::Presented;
use crate::domain::people::users::User;

/// Close to the maximum that browsers allow.
const LIFE: Duration = Duration::days(365);

pub struct KnownBrowser {
    pub presented: Arc<Presented>,
    name: &'static str,
    request: RequestInfo,
}

impl FromRequest for KnownBrowser {
    type Error = PageError;
    type Future = Ready<Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let info = request::of(request);
        let secure = request.app_data::<web::Data<Site>>().is_some_and(|site| site.url.is_https());
        let name = if secure { "__Host-gatepost-browser" } else { "gatepost-browser" };
        let cookie = request.cookie(name);
        let key = info.app().sealer().key.clone();
        let presented = Arc::new(Presented::new(key, cookie.as_ref().map(Cookie::value)));
        ready(Ok(Self { presented, name, request: info }))
    }
}

impl KnownBrowser {
    pub fn remember(&self, mut response: HttpResponse, user: &User) -> Result<HttpResponse, PageError> {
        let value = self.presented.cookie_after(user, self.request.app().entropy_ref());
        let cookie = Cookie::build(self.name, value)
            .path("/")
            .http_only(true)
            .secure(self.name.starts_with("__Host-"))
            .same_site(SameSite::Lax)
            .max_age(LIFE);
        response.add_cookie(&cookie.finish()).map_err(PageError::fault)?;
        Ok(response)
    }
}
