//! Reads messages and attachments in pieces, so that a slow client takes the memory of one piece and no
//! transaction.

use super::messages::{Attachment, AttachmentId, MessageId};
use super::mime::content::Span;
use super::mime::transfer::{Decoder, Encoding};

pub use super::mime::transfer::PIECE;
use super::parts;
use crate::domain::{Error, Result};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::mailroom::contents;

pub struct Pieces {
    team: TeamId,
    message: MessageId,
    at: usize,
    end: usize,
    decoder: Decoder,
    /// Decoded bytes before the next one to return, and those to return.
    skip: usize,
    left: usize,
    pub length: u64,
}

/// Opens the message exactly as it was received.
pub fn raw(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<Pieces> {
    let size = size(tx, team, id)?;
    Ok(Pieces::at(team, id, &Span { start: 0, end: size, encoding: Encoding::Plain, skip: 0, length: size }))
}

/// Opens an attachment. This reads the whole message to find it.
pub fn attachment(
    tx: &mut Tx<'_>,
    team: TeamId,
    message: MessageId,
    id: AttachmentId,
) -> Result<(Attachment, Pieces)> {
    let found = contents::attachment_with_raw(tx, team, message, id)?;
    let (attachment, raw) = found.ok_or(Error::NotFound)?;
    let part = usize::try_from(attachment.part).unwrap_or(usize::MAX);
    let span = parts::locate(&raw, part).ok_or(Error::NotFound)?;
    Ok((attachment, Pieces::at(team, message, &span)))
}

pub(crate) fn size(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<usize> {
    let size = contents::size(tx, team, id)?.ok_or(Error::NotFound)?;
    Ok(usize::try_from(size).unwrap_or(0))
}

pub fn beginning(tx: &mut Tx<'_>, team: TeamId, id: MessageId, count: usize) -> Result<Vec<u8>> {
    contents::piece(tx, team, id, 0, count)?.ok_or(Error::NotFound)
}

impl Pieces {
    fn at(team: TeamId, message: MessageId, span: &Span) -> Self {
        let &Span { start, end, encoding, skip, length } = span;
        let decoder = Decoder::new(encoding);
        Self { team, message, at: start, end, decoder, skip, left: length, length: length as u64 }
    }

    /// Returns the next bytes, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the message has been deleted in the meantime.
    pub fn next(&mut self, tx: &mut Tx<'_>) -> Result<Option<Vec<u8>>> {
        let count = (self.end - self.at).min(PIECE);
        if count == 0 || self.left == 0 {
            return Ok(None);
        }
        let piece = contents::piece(tx, self.team, self.message, self.at, count)?;
        let piece = piece.filter(|piece| piece.len() == count).ok_or(Error::NotFound)?;
        self.at += count;
        let mut decoded = self.decoder.push(piece, self.at == self.end);
        let skipped = self.skip.min(decoded.len());
        self.skip -= skipped;
        decoded.drain(..skipped);
        decoded.truncate(self.left);
        self.left -= decoded.len();
        Ok(Some(decoded))
    }
}
