//! Reads and writes lines on a connection that can be slow, silent or closed.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::data::{Data, Ending};
use super::reply::Reply;

/// RFC 5321 requires 512 for a command, and extensions some more.
const MAX_LINE: usize = 2048;
const CHUNK: usize = 16 * 1024;
/// Each this many bytes of a message count as activity, so a peer that sends single bytes is idle.
const PROGRESS: usize = 64 * 1024;
/// How long a peer may take to read a reply.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// How many bytes are read after an error, so that the peer can read the reply.
const MAX_DRAINED: usize = 8 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

#[derive(Debug)]
pub enum Line {
    /// Includes its CR LF.
    Whole(Vec<u8>),
    TooLong,
    /// The line ends with a bare LF, or contains CR or NUL.
    Bare,
}

#[derive(Debug, thiserror::Error)]
pub enum Disconnected {
    #[error("the peer closed the connection")]
    Closed,
    #[error("the peer was too slow")]
    TimedOut,
    #[error(transparent)]
    Broken(#[from] io::Error),
}

pub struct Wire {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Wire {
    pub fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, input: Vec::with_capacity(CHUNK), output: Vec::new() }
    }

    /// Queues a reply. It is sent before the next read, together with other queued replies.
    pub fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Whether the peer has sent more than was read.
    pub fn has_more(&self) -> bool {
        !self.input.is_empty()
    }

    /// Reads a line. Cancel-safe.
    pub async fn line(&mut self, until: Instant) -> Result<Line, Disconnected> {
        let (mut seen, mut too_long) = (0, false);
        loop {
            if let Some(at) = self.input[seen..].iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=seen + at).collect();
                let long = too_long || line.len() > MAX_LINE;
                return Ok(if long { Line::TooLong } else { Line::of(line) });
            }
            seen = self.input.len();
            if seen > MAX_LINE {
                self.input.clear();
                (seen, too_long) = (0, true);
            }
            self.fill(until).await?;
        }
    }

    /// Reads a message, until its end or until it is refused. Calls `progress` as bytes arrive.
    pub async fn message(
        &mut self,
        mut data: Data,
        until: Instant,
        progress: impl Fn(),
    ) -> Result<Ending, Disconnected> {
        let mut read = 0;
        loop {
            let (used, ending) = data.take(&self.input);
            self.input.drain(..used);
            read += used;
            if read >= PROGRESS {
                progress();
                read = 0;
            }
            match ending {
                Some(ending) => return Ok(ending),
                None => self.fill(until).await?,
            }
        }
    }

    /// Cancel-safe.
    pub async fn flush(&mut self) -> Result<(), Disconnected> {
        let until = Instant::now() + WRITE_TIMEOUT;
        while !self.output.is_empty() {
            let sent = timeout_at(until, self.stream.write(&self.output)).await;
            let sent = sent.map_err(|_| Disconnected::TimedOut)??;
            self.output.drain(..sent);
            if sent == 0 {
                return Err(Disconnected::Closed);
            }
        }
        Ok(timeout_at(until, self.stream.flush()).await.map_err(|_| Disconnected::TimedOut)??)
    }

    /// Sends the queued replies and closes the connection.
    pub async fn hang_up(mut self) {
        if self.flush().await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }

    /// Like [`Self::hang_up`], but reads the rest of the peer's data, because otherwise the connection would be reset
    /// before the peer could read the reply.
    pub async fn close(mut self) {
        if self.flush().await.is_err() || self.stream.shutdown().await.is_err() {
            return;
        }
        let drain = async {
            let (mut left, mut chunk) = (MAX_DRAINED, vec![0; CHUNK]);
            while let Ok(read @ 1..) = self.stream.read(&mut chunk).await
                && left > read
            {
                left -= read;
            }
        };
        let _ = timeout_at(Instant::now() + DRAIN_TIMEOUT, drain).await;
    }

    /// Returns the connection, for TLS to take over.
    pub fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    async fn fill(&mut self, until: Instant) -> Result<(), Disconnected> {
        self.flush().await?;
        self.input.reserve(CHUNK);
        match timeout_at(until, self.stream.read_buf(&mut self.input)).await {
            Err(_) => Err(Disconnected::TimedOut),
            Ok(Ok(0)) => Err(Disconnected::Closed),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(cause)) => Err(Disconnected::Broken(cause)),
        }
    }
}

impl Line {
    fn of(line: Vec<u8>) -> Self {
        let plain =
            line.strip_suffix(b"\r\n").is_some_and(|text| !text.iter().any(|byte| matches!(byte, b'\r' | 0)));
        if plain { Self::Whole(line) } else { Self::Bare }
    }
}
