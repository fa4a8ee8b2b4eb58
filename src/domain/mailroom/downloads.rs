//! The files of a message: all of it, or an attachment, read from the store in pieces, so that
//! a slow reader holds one piece in memory and no transaction.

use super::decoding::Decoder;
use super::messages::{self, Attachment, AttachmentId, MessageId};
use super::parts::{self, Place};
use crate::domain::{Error, Result};
use crate::store::Tx;
use crate::store::ids::TeamId;
use crate::store::mailroom::contents;

/// Bytes of a message that are read at once. SQLite reads all of a message for each piece of
/// it, so fewer pieces are faster.
pub const PIECE: usize = 512 << 10;

/// A file, and how much of it has been read.
pub struct Pieces {
    team: TeamId,
    message: MessageId,
    at: usize,
    end: usize,
    decoder: Decoder,
    /// Of the whole file.
    pub length: u64,
}

/// The message byte by byte as it came.
pub fn raw(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<Pieces> {
    let size = size(tx, team, id)?;
    Ok(Pieces::at(team, id, &Place::all(size)))
}

/// An attachment and its bytes, decoded. To find them, all of the message is read.
pub fn attachment(
    tx: &mut Tx<'_>,
    team: TeamId,
    message: MessageId,
    id: AttachmentId,
) -> Result<(Attachment, Pieces)> {
    let attachment = messages::find_attachment(tx, team, message, id)?;
    let raw = contents::raw(tx, attachment.seq)?;
    let part = usize::try_from(attachment.part).unwrap_or(usize::MAX);
    let place = parts::locate(&raw, part).ok_or(Error::NotFound)?;
    Ok((attachment, Pieces::at(team, message, &place)))
}

/// How long the message is, as it is kept.
pub fn size(tx: &mut Tx<'_>, team: TeamId, id: MessageId) -> Result<usize> {
    let size = contents::size(tx, team, id)?.ok_or(Error::NotFound)?;
    Ok(usize::try_from(size).unwrap_or(0))
}

/// The first bytes of the message.
pub fn beginning(tx: &mut Tx<'_>, team: TeamId, id: MessageId, count: usize) -> Result<Vec<u8>> {
    contents::piece(tx, team, id, 0, count)?.ok_or(Error::NotFound)
}

impl Pieces {
    fn at(team: TeamId, message: MessageId, place: &Place) -> Self {
        let decoder = Decoder::new(place.encoding);
        Self { team, message, at: place.start, end: place.end, decoder, length: place.length as u64 }
    }

    /// The bytes that follow; `None` when that was all.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the message was deleted meanwhile.
    pub fn next(&mut self, tx: &mut Tx<'_>) -> Result<Option<Vec<u8>>> {
        let count = (self.end - self.at).min(PIECE);
        if count == 0 {
            return Ok(None);
        }
        let piece = contents::piece(tx, self.team, self.message, self.at, count)?;
        let piece = piece.filter(|piece| piece.len() == count).ok_or(Error::NotFound)?;
        self.at += count;
        self.decoder.push(piece, self.at == self.end).map(Some).ok_or(Error::NotFound)
    }
}
