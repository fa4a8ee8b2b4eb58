//! The deadline of a client, which a connection and its requests share. It runs until a request is
//! complete, and again after the response: it covers idle connections, slow headers and slow bodies, even
//! bodies that no handler reads.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_http::Request;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Bytes;
use futures_util::stream::{Stream, StreamExt};

use super::limits::Limits;
use crate::app::limits::connections::Activity;

/// Assumed for a body without Content-Length.
const UNKNOWN: u64 = 64 << 10;

/// Clones share the deadline.
#[derive(Clone)]
pub struct Deadline(Rc<Inner>);

struct Inner {
    limits: Limits,
    /// `None` while the client waits for the server.
    due: Cell<Option<Instant>>,
    activity: Arc<Activity>,
}

impl Deadline {
    pub fn new(limits: Limits, activity: Arc<Activity>) -> Self {
        let due = Cell::new(Some(Instant::now() + limits.grace));
        Self(Rc::new(Inner { limits, due, activity }))
    }

    pub fn is_over(&self, now: Instant) -> bool {
        self.0.due.get().is_some_and(|due| due <= now)
    }

    fn request_is_complete(&self) {
        self.0.due.set(None);
        self.0.activity.set_busy();
    }

    fn expect_body(&self, bytes: u64) {
        self.0.due.set(Some(Instant::now() + self.0.limits.time_for_body(bytes)));
        self.0.activity.touch();
    }

    /// An incomplete body keeps its deadline.
    fn expect_request(&self) {
        if self.0.due.get().is_none() {
            self.0.due.set(Some(Instant::now() + self.0.limits.grace));
            self.0.activity.touch();
        }
    }
}

pub fn follow(request: &mut Request) -> Option<Responding> {
    let deadline = request.conn_data::<Deadline>()?.clone();
    match request.take_payload() {
        Payload::None => deadline.request_is_complete(),
        body => {
            let length = request.head().headers.get(CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
            deadline.expect_body(length.unwrap_or(UNKNOWN));
            let followed = Body { body, deadline: deadline.clone() };
            *request.payload() = Payload::Stream { payload: Box::pin(followed) };
        }
    }
    Some(Responding(deadline))
}

struct Body {
    body: Payload,
    deadline: Deadline,
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.body.poll_next_unpin(cx);
        if let Poll::Ready(None) = next {
            self.deadline.request_is_complete();
        }
        next
    }
}

/// Dropped when a response is complete.
pub struct Responding(Deadline);

impl Drop for Responding {
    fn drop(&mut self) {
        self.0.expect_request();
    }
}

pub struct TimedBody {
    size: BodySize,
    /// `None` for HEAD.
    body: Option<BoxBody>,
    _responding: Option<Responding>,
}

impl TimedBody {
    pub fn new(body: BoxBody, is_head: bool, responding: Option<Responding>) -> Self {
        Self { size: body.size(), body: (!is_head).then_some(body), _responding: responding }
    }
}

impl MessageBody for TimedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}
