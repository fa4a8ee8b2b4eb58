//! Where the parts of a message are, and their bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{Encoding as Declared, MessageParser};

use super::decoding::{Decoder, Encoding};
use super::defuse::defuse;
use super::downloads::PIECE;

/// Where a file is within a raw message, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub start: usize,
    pub end: usize,
    pub encoding: Encoding,
    /// Bytes once it is decoded.
    pub length: usize,
}

impl Place {
    /// A message of this size, as it is.
    pub fn all(size: usize) -> Self {
        Self { start: 0, end: size, encoding: Encoding::Plain, length: size }
    }

    /// Hands on the bytes, decoded, in pieces; `None` when they aren't encoded as it says.
    fn decode(&self, raw: &[u8], mut take: impl FnMut(&[u8])) -> Option<()> {
        let (mut decoder, mut rest) = (Decoder::new(self.encoding), raw.get(self.start..self.end)?);
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(PIECE));
            take(&decoder.push(piece.to_vec(), more.is_empty())?);
            rest = more;
        }
        Some(())
    }
}

/// Where a part of a message is; `None` when there is no such part.
pub fn locate(raw: &[u8], index: usize) -> Option<Place> {
    let (start, end, declared) = catch_unwind(AssertUnwindSafe(|| {
        let defused = defuse(raw);
        let message = MessageParser::default().parse(defused.as_ref())?;
        let part = message.parts.get(index)?;
        Some((part.offset_body as usize, part.offset_end as usize, part.encoding))
    }))
    .ok()
    .flatten()?;
    let encoding = match declared {
        Declared::None => Encoding::Plain,
        Declared::Base64 => Encoding::Base64,
        Declared::QuotedPrintable => Encoding::QuotedPrintable,
    };
    let mut length = 0;
    let place = Place { start, end, encoding, length };
    match place.decode(raw, |bytes| length += bytes.len()) {
        Some(()) => Some(Place { length, ..place }),
        // What is encoded otherwise is left as it was sent.
        None => {
            raw.get(start..end).map(|sent| Place { encoding: Encoding::Plain, length: sent.len(), ..place })
        }
    }
}

/// The bytes of a part as its sender attached it; `None` when there is no such part.
pub fn attachment(raw: &[u8], index: usize) -> Option<Vec<u8>> {
    let place = locate(raw, index)?;
    let mut bytes = Vec::with_capacity(place.length);
    place.decode(raw, |piece| bytes.extend_from_slice(piece))?;
    Some(bytes)
}
