//! Carries the code of a [`Notice`] from a change to the next page, in a cookie that the page clears: a reload
//! doesn't show it again, and no link can show one.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};

use super::pages::notice::Notice;
use super::site::Site;

const LIFE: Duration = Duration::minutes(1);

/// The notice for this request's page. Clones share it.
#[derive(Clone, Default)]
pub struct Flash(Rc<Waiting>);

#[derive(Default)]
struct Waiting {
    notice: Option<Notice>,
    shown: Cell<bool>,
}

impl Flash {
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    pub fn take(&self) -> Option<Notice> {
        self.0.shown.set(self.0.notice.is_some());
        self.0.notice
    }
}

pub async fn carry<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let secure = request.app_data::<web::Data<Site>>().is_some_and(|site| site.url.is_https());
    let name = if secure { "__Host-gatepost-notice" } else { "gatepost-notice" };
    let notice = request.cookie(name).and_then(|kept| Notice::parse(kept.value()));
    let flash = Flash(Rc::new(Waiting { notice, shown: Cell::new(false) }));
    request.extensions_mut().insert(flash.clone());
    let mut response = next.call(request).await?;
    let new = response.response().extensions().get::<Notice>().copied();
    let cookie = Cookie::build(name, new.map_or("", Notice::code))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(if new.is_some() { LIFE } else { Duration::ZERO });
    if new.is_some() || flash.0.shown.get() {
        response.response_mut().add_cookie(&cookie.finish())?;
    }
    Ok(response)
}
