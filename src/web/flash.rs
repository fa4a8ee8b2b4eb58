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

use super::pages::notice::{Notice, Undo};
use super::site::Site;

const LIFE: Duration = Duration::minutes(1);

/// The notice for this request's page. Clones share it.
#[derive(Clone, Default)]
pub struct Flash(Rc<Waiting>);

#[derive(Default)]
struct Waiting {
    notice: Option<(Notice, Option<Undo>)>,
    shown: Cell<bool>,
}

impl Flash {
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    pub fn take(&self) -> Option<(Notice, Option<Undo>)> {
        self.0.shown.set(self.0.notice.is_some());
        self.0.notice.clone()
    }
}

/// Separates the code of a notice from the form that undoes the change.
const UNDO: char = '~';

/// Browsers drop longer cookies, so such a notice is shown without Undo.
const MAX_LENGTH: usize = 3_800;

fn read(kept: &str) -> Option<(Notice, Option<Undo>)> {
    let (code, undo) = kept.split_once(UNDO).unwrap_or((kept, ""));
    Some((Notice::parse(code)?, Undo::parse(undo)))
}

fn write(notice: Notice, undo: Option<&Undo>) -> String {
    let undo = undo.map(|undo| format!("{UNDO}{undo}")).filter(|undo| undo.len() < MAX_LENGTH);
    format!("{}{}", notice.code(), undo.unwrap_or_default())
}

pub async fn carry<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let secure = request.app_data::<web::Data<Site>>().is_some_and(|site| site.url.is_https());
    let name = if secure { "__Host-gatepost-notice" } else { "gatepost-notice" };
    let notice = request.cookie(name).and_then(|kept| read(kept.value()));
    let flash = Flash(Rc::new(Waiting { notice, shown: Cell::new(false) }));
    request.extensions_mut().insert(flash.clone());
    let mut response = next.call(request).await?;
    let extensions = response.response().extensions();
    let new = extensions.get::<Notice>().map(|notice| write(*notice, extensions.get::<Undo>()));
    drop(extensions);
    let cookie = Cookie::build(name, new.clone().unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_travels_with_the_form_that_undoes_the_change() {
        let undo =
            Undo::new("restore", [("unset", "con_1".to_owned()), ("unset", "con_2".to_owned())].into_iter());
        let undo = undo.back_to("/contacts?q=a~b&sort=name".into());
        let kept = write(Notice::ContactsBlocked, Some(&undo));
        assert!(kept.is_ascii() && !kept.contains([';', ',', ' ', '"', '\\']), "{kept}");
        assert_eq!(read(&kept), Some((Notice::ContactsBlocked, Some(undo))));
        assert_eq!(read("contacts-blocked"), Some((Notice::ContactsBlocked, None)));
        assert_eq!(read("no-such-code~do=restore"), None);
    }

    #[test]
    fn a_cookie_that_browsers_would_drop_has_no_undo() {
        let all = (0..200).map(|n| ("id", format!("als_{n:032}")));
        assert_eq!(write(Notice::AliasesOff, Some(&Undo::new("on", all))), "aliases-off");
    }

    #[test]
    fn fields_that_no_undo_has_are_dropped() {
        assert_eq!(read("aliases-off~do=on&role=admin"), Some((Notice::AliasesOff, None)));
    }
}
