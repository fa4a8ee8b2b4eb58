//! Switches between light and dark mode, in the account menu.

use actix_web::http::header::REFERER;
use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::see_other;
use super::guards::SignedIn;
use crate::web::htmx::Htmx;
use crate::web::paths;
use crate::web::preferences;
use crate::web::route::{PageRoute, page};
use crate::web::site::Site;
use crate::web::theme::Theme;

#[derive(serde::Deserialize)]
struct Chosen {
    theme: Theme,
}

pub fn routes() -> Vec<PageRoute> {
    vec![page(paths::THEME).post(choose)]
}

/// The script changes the current page at once. Without it, the browser returns to that page.
async fn choose(
    _: SignedIn,
    htmx: Htmx,
    request: HttpRequest,
    site: web::Data<Site>,
    web::Form(chosen): web::Form<Chosen>,
) -> HttpResponse {
    let mut response = match htmx.0 {
        true => HttpResponse::NoContent().finish(),
        false => see_other(page_before(&request, &site)),
    };
    // Can't fail: the values are valid in headers.
    let _ = response.add_cookie(&preferences::theme_cookie(chosen.theme, &site));
    response
}

/// The path of the page that sent the request.
fn page_before(request: &HttpRequest, site: &Site) -> String {
    let referer = request.headers().get(REFERER).and_then(|value| value.to_str().ok());
    let path = referer.and_then(|it| it.strip_prefix(site.url.as_str()));
    path.filter(|it| it.starts_with('/') && !it.starts_with("//")).unwrap_or(paths::HOME.0).to_owned()
}
