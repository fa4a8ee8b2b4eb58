//! Downloads of messages and attachments. Long files are read piece by piece as they are sent, and the
//! number of downloads is limited.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, try_unfold};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::App;
use super::limits::in_use::{Exceeded, InUse, Reservation};
use crate::domain::mailroom::downloads::{self, PIECE, Pieces};
use crate::domain::mailroom::messages::MessageId;
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::store::Tx;

/// Concurrent downloads of long files, per team and in total. Each takes the memory of about one piece, which is
/// some 10 MB per team and 100 MB in total.
const PER_TEAM: usize = 16;
const TOTAL: usize = 160;

/// Concurrent reads of long messages, because SQLite reads each one entirely into memory.
const LONG_READS: usize = 2;
const LONG_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Teams exported at a time: each reads and compresses as fast as its client takes it.
const EXPORTS: usize = 2;

pub(super) struct Downloads {
    active: InUse<TeamId>,
    reads: Arc<Semaphore>,
    exports: InUse<TeamId>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self {
            active: InUse::default(),
            reads: Arc::new(Semaphore::new(LONG_READS)),
            exports: InUse::default(),
        }
    }
}

pub enum Download {
    Whole(Vec<u8>),
    Pieces(Rest),
}

pub struct Rest {
    app: App,
    pieces: Pieces,
    hold: Reservation<TeamId>,
}

impl App {
    /// Held while a team is exported.
    pub(crate) fn begin_export(&self, team: TeamId) -> Result<Reservation<TeamId>> {
        let hold = self.0.downloads.exports.acquire(1, EXPORTS, vec![(team, 1)]);
        hold.map_err(|why| match why {
            Exceeded::Key(_) => {
                Error::Busy("This team is being exported already. Try again when that has finished.")
            }
            Exceeded::Total => {
                Error::Busy("Other teams are being exported. Try again when they have finished.")
            }
        })
    }

    /// Opens a file of a message.
    ///
    /// # Errors
    /// [`Error::Busy`] if the team, or all teams together, have too many downloads.
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

    /// Like [`Self::read`], for long messages: only a few at a time.
    pub async fn read_long<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = timeout(LONG_READ_TIMEOUT, self.0.downloads.reads.clone().acquire_owned()).await;
        let permit = permit
            .map_err(|_| Error::Busy("Too many large messages are being read. Try again in a minute."))?;
        // The thread owns the permit, because the client may disconnect long before the message is read.
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

    /// Streams the file. The stream fails if the message is deleted in the meantime.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<u8>>> {
        try_unfold(self, |Self { app, mut pieces, hold }| async move {
            let read = app.read_long(move |tx| Ok((pieces.next(tx)?, pieces, hold))).await?;
            let (next, pieces, hold) = read;
            Ok(next.map(|bytes| (bytes, Self { app, pieces, hold })))
        })
    }
}
