//! Refuses requests that change something unless our own pages sent them.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::error::PageError;
use crate::web::encoding::is_encoded;
use crate::web::origin::{is_from_plain_http, is_own, secure_address};
use crate::web::site::Site;

/// Refuses unsafe requests that were not sent from this site according to `Sec-Fetch-Site`, or else `Origin`.
/// Refuses those with neither header, and compressed bodies.
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
