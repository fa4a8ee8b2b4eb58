//! Downloads of messages and attachments. A long file is read piece by piece as it is sent, and the
//! number of downloads is limited.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, try_unfold};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::App;
use super::limits::held::{Held, Hold};
use crate::domain::mailroom::decoding::PIECE;
use crate::domain::mailroom::downloads::{self, Pieces};
use crate::domain::mailroom::messages::MessageId;
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::store::Tx;

/// Downloads of long files by one team, and by all. Each has about one piece in memory: some 10 and
/// 100 MB altogether.
const PER_TEAM: usize = 16;
const TOTAL: usize = 160;

/// Long messages that are read at once: SQLite reads each into memory as a whole.
const LONG_READS: usize = 2;
/// How long a long read waits for another one to end.
const LONG_READ_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Downloads {
    active: Held<TeamId>,
    reads: Arc<Semaphore>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self { active: Held::default(), reads: Arc::new(Semaphore::new(LONG_READS)) }
    }
}

pub enum Download {
    Whole(Vec<u8>),
    Pieces(Rest),
}

/// A long file that has not been read yet.
pub struct Rest {
    app: App,
    pieces: Pieces,
    hold: Hold<TeamId>,
}

impl App {
    /// A file of a message, and what else `open` returns.
    ///
    /// # Errors
    /// [`Error::Busy`] if the team, or all teams, have too many downloads.
    pub async fn download<T: Send + 'static>(
        &self,
        team: TeamId,
        message: MessageId,
        open: impl Fn(&mut Tx<'_>) -> Result<(T, Pieces)> + Clone + Send + 'static,
    ) -> Result<(T, Download)> {
        let at_once = open.clone();
        let short = self.read(move |tx| {
            if downloads::size(tx, team, message)? > PIECE {
                return Ok(None);
            }
            let (what, mut pieces) = at_once(tx)?;
            Ok(Some((what, pieces.next(tx)?.unwrap_or_default())))
        });
        if let Some((what, bytes)) = short.await? {
            return Ok((what, Download::Whole(bytes)));
        }
        let hold = self.0.downloads.active.acquire(1, TOTAL, vec![(team, PER_TEAM)]);
        let busy = |_| Error::Busy("Too many downloads at once. Try again when one has finished.");
        let hold = hold.map_err(busy)?;
        let opened = self.read_long(move |tx| Ok((open(tx)?, hold)));
        let ((what, pieces), hold) = opened.await?;
        Ok((what, Download::Pieces(Rest { app: self.clone(), pieces, hold })))
    }

    /// [`Self::read`] for long messages: a few at a time.
    pub async fn read_long<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = timeout(LONG_READ_TIMEOUT, self.0.downloads.reads.clone().acquire_owned()).await;
        let permit = permit
            .map_err(|_| Error::Busy("Too many large messages are being read. Try again in a minute."))?;
        // The thread holds it: the client can be gone long before the message is read.
        self.read(move |tx| {
            let _permit = permit;
            f(tx)
        })
        .await
    }
}

impl Rest {
    pub fn length(&self) -> u64 {
        self.pieces.length
    }

    /// The file in pieces, each read when it is needed. Ends with an error if the message is deleted
    /// meanwhile.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<u8>>> {
        try_unfold(self, |Self { app, mut pieces, hold }| async move {
            let read = app.read_long(move |tx| Ok((pieces.next(tx)?, pieces, hold))).await?;
            let (next, pieces, hold) = read;
            Ok(next.map(|bytes| (bytes, Self { app, pieces, hold })))
        })
    }
}
