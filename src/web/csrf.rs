//! Requests that change something must come from our own pages.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::Site;
use super::encoding::is_encoded;
use super::origin::is_own;
use super::pages::error::PageError;

/// Refuses an unsafe request that a browser did not send from this site: by
/// `Sec-Fetch-Site`, else by `Origin`. One with neither is refused too, and so is any request
/// with a compressed body.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let Some(refusal) = refusal(&request) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let (request, _) = request.into_parts();
    let response = actix_web::HttpResponse::from_error(refusal);
    Ok(ServiceResponse::new(request, response).map_into_right_body())
}

fn refusal(request: &ServiceRequest) -> Option<PageError> {
    if is_encoded(request.headers()) {
        return Some(PageError::encoded_body());
    }
    let site = request.app_data::<web::Data<Site>>().map(|site| site.url.as_str()).unwrap_or_default();
    match request.method().is_safe() {
        true => None,
        false if is_from_plain_http(request.headers(), site) => {
            Some(PageError::plain_http(&secure_address(site)))
        }
        false => (!is_own(request.headers(), site, true)).then(PageError::cross_site),
    }
}

/// Whether the page that sent the request was opened by http, although this site is https. Its
/// browser keeps no session, so nothing could come of it but the sign-in page again.
fn is_from_plain_http(headers: &HeaderMap, site: &str) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    site.starts_with("https://") && origin.is_some_and(|origin| origin.starts_with("http://"))
}

/// Whether a page may have been asked for by plain http: browsers say where a request is from
/// only where it cannot be changed on the way. A proxy's word is not asked, as many get it wrong.
pub fn may_be_plain_http(headers: &HeaderMap) -> bool {
    !headers.contains_key("sec-fetch-site")
}

/// Where to sign in over HTTPS.
pub fn secure_address(site: &str) -> String {
    format!("{site}/sign-in")
}
