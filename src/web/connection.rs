//! A client's connection. It is closed when the client misses a deadline, or is idle while the server is full. A
//! handler that waits for a body then sees the client disconnect, so that it still refuses and records the call.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Interval, interval_at};

use super::deadline::Deadline;
use super::limits::Limits;
use crate::app::limits::connections::Slot;

/// The bytes that the kernel buffers for a slow reader. With a small buffer, the server notices sooner
/// whether the client reads.
#[cfg(target_os = "linux")]
const MAX_UNSENT: u32 = 64 << 10;

pub struct Connection {
    stream: TcpStream,
    pub deadline: Deadline,
    limits: Limits,
    /// The only timer: requests set none.
    ticks: Interval,
    /// When the client stopped reading.
    blocked: Option<Instant>,
    /// How long the client has kept the server waiting, minus the time it earned by reading.
    waited: Duration,
    late_to_send: bool,
    late_to_read: bool,
    slot: Slot,
}

impl Connection {
    pub fn new(stream: TcpStream, slot: Slot, limits: Limits) -> Self {
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(MAX_UNSENT);
        let tick = (limits.grace / 3).max(Duration::from_millis(1));
        Self {
            stream,
            deadline: Deadline::new(limits, slot.activity()),
            limits,
            ticks: interval_at(tokio::time::Instant::now() + tick, tick),
            blocked: None,
            waited: Duration::ZERO,
            late_to_send: false,
            late_to_read: false,
            slot,
        }
    }

    fn check_deadlines(&mut self, cx: &mut Context<'_>) {
        while self.ticks.poll_tick(cx).is_ready() {
            let now = Instant::now();
            self.late_to_send = self.deadline.is_over(now);
            let waited = self.blocked.map_or(Duration::ZERO, |since| self.waited + (now - since));
            self.late_to_read = waited > self.limits.grace;
        }
    }

    fn has_read(&mut self, bytes: usize) {
        if let Some(since) = self.blocked.take() {
            self.waited += since.elapsed();
        }
        if !self.waited.is_zero() {
            self.waited = self.waited.saturating_sub(self.limits.time_for(bytes as u64));
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_deadlines(cx);
        if self.late_to_send || self.slot.poll_evicted(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        match &written {
            Poll::Ready(Ok(count)) => self.has_read(*count),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.blocked.get_or_insert_with(Instant::now);
                self.check_deadlines(cx);
                if self.late_to_read {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
