//! Limits the memory of long responses to slow clients, per address and in total.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use super::request::RequestInfo;
use crate::app::limits::in_use::Reservation;

/// Shorter responses are limited only by the number of connections.
const MIN_SIZE: u64 = 64 << 10;

/// Counts the response while it is in memory, or responds with `refuse` instead.
pub fn reserve(
    response: ServiceResponse<BoxBody>,
    info: &RequestInfo,
    refuse: impl FnOnce(&HttpRequest) -> HttpResponse,
) -> ServiceResponse<BoxBody> {
    if !matches!(response.response().body().size(), BodySize::Sized(size) if size > MIN_SIZE) {
        return response;
    }
    let client = info.ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let mut is_refused = false;
    let response = response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => match info.app().reserve_response(client, bytes.len()) {
            Some(reservation) => BoxBody::new(ReservedBody { bytes: Some(bytes), _reservation: reservation }),
            None => {
                is_refused = true;
                BoxBody::new(())
            }
        },
        // A stream is never entirely in memory.
        Err(body) => body,
    });
    if !is_refused {
        return response;
    }
    let refused = refuse(response.request());
    response.into_response(refused)
}

struct ReservedBody {
    bytes: Option<Bytes>,
    _reservation: Reservation<IpAddr>,
}

impl MessageBody for ReservedBody {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.bytes.as_ref().map_or(BodySize::Sized(0), Bytes::size)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(self.bytes.take().map(Ok))
    }
}
