//! Files on their way to those who read them. What is longer than a piece is read piece by
//! piece as it is sent, and only so many are sent at once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, try_unfold};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::App;
use super::shares::{Share, Shares};
use crate::domain::mailroom::downloads::{self, PIECE, Pieces};
use crate::domain::mailroom::messages::MessageId;
use crate::domain::people::teams::TeamId;
use crate::domain::{Error, Result};
use crate::store::Tx;

/// Long files on their way to one team, and to all. Each holds about one piece in memory, so
/// that these are some 10 and 100 MB.
const OF_A_TEAM: usize = 16;
const OF_ALL: usize = 160;

/// Long messages that are read at once: SQLite takes each into memory as a whole.
const READ_AT_ONCE: usize = 2;
/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(10);

pub(super) struct Downloads {
    under_way: Shares<TeamId>,
    reads: Arc<Semaphore>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self { under_way: Shares::new(OF_A_TEAM, OF_ALL), reads: Arc::new(Semaphore::new(READ_AT_ONCE)) }
    }
}

/// A file to send.
pub enum Download {
    Whole(Vec<u8>),
    Pieces(Rest),
}

/// A long file, none of which has been read.
pub struct Rest {
    app: App,
    pieces: Pieces,
    share: Share<TeamId>,
}

impl App {
    /// A file of a message, and what `open` says of it.
    ///
    /// # Errors
    /// [`Error::Store`] when the team, or all, have too many downloads under way.
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
        let share = self.0.downloads.under_way.take(team, 1);
        let share = share.ok_or_else(|| Error::out_of_reach("too many downloads at once"))?;
        let opened = self.read_long(move |tx| Ok((open(tx)?, share)));
        let ((what, pieces), share) = opened.await?;
        Ok((what, Download::Pieces(Rest { app: self.clone(), pieces, share })))
    }

    /// [`Self::read`] for what takes a long message into memory: a few at a time.
    pub async fn read_long<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = timeout(TURN, self.0.downloads.reads.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| Error::out_of_reach("too many long messages are being read"))?;
        // The thread holds it: its client can be gone long before the message is read.
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

    /// The file in pieces, each read when it is asked for. It ends with an error when the
    /// message is deleted meanwhile.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<u8>>> {
        try_unfold(self, |Self { app, mut pieces, share }| async move {
            let read = app.read_long(move |tx| Ok((pieces.next(tx)?, pieces, share))).await?;
            let (next, pieces, share) = read;
            Ok(next.map(|bytes| (bytes, Self { app, pieces, share })))
        })
    }
}
