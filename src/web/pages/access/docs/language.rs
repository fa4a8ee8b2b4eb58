//! The language of the examples, which is kept in a cookie.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};

use super::description::Group;
use super::place::Place;
use crate::web::htmx::Htmx;
use crate::web::pages::error::PageError;
use crate::web::pages::guards::Member;
use crate::web::pages::see_other;
use crate::web::paths;
use crate::web::site::Site;

/// A cookie.
const LANGUAGE: &str = "docs-language";
const LANGUAGES: [&str; 3] = ["curl", "javascript", "python"];

pub fn chosen(request: &HttpRequest) -> &'static str {
    request.cookie(LANGUAGE).and_then(|kept| language(kept.value())).unwrap_or(LANGUAGES[0])
}

fn language(name: &str) -> Option<&'static str> {
    LANGUAGES.into_iter().find(|known| *known == name)
}

#[derive(serde::Deserialize)]
pub struct Preference {
    language: String,
    /// The page it was chosen on.
    #[serde(default)]
    page: String,
}

pub async fn keep(
    site: web::Data<Site>,
    _: Member,
    Htmx(by_htmx): Htmx,
    form: web::Form<Preference>,
) -> Result<HttpResponse, PageError> {
    let language =
        language(&form.language).ok_or_else(|| PageError::bad_request("There is no such language."))?;
    let kept = Cookie::build(LANGUAGE, language)
        .path(paths::DOCS.0)
        .http_only(true)
        .secure(site.url.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::days(365));
    let page = Group::find(&form.page).map_or(Place::Guides, Place::Resource);
    let mut answer = if by_htmx { HttpResponse::NoContent().finish() } else { see_other(page.path()) };
    answer.add_cookie(&kept.finish()).map_err(PageError::fault)?;
    Ok(answer)
}
