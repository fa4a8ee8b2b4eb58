//! The parts of a message: where they are in it, and their bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{Encoding as Declared, MessageParser};

use super::decoding::{Decoder, Encoding, PIECE};
use super::defuse::defuse;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
    pub encoding: Encoding,
    pub length: usize,
}

impl Span {
    /// A whole message, undecoded.
    pub fn all(size: usize) -> Self {
        Self { start: 0, end: size, encoding: Encoding::Plain, length: size }
    }

    /// Decodes the bytes piece by piece; `None` if they aren't encoded as declared.
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

pub(crate) fn locate(raw: &[u8], index: usize) -> Option<Span> {
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
    let span = Span { start, end, encoding, length };
    match span.decode(raw, |bytes| length += bytes.len()) {
        Some(()) => Some(Span { length, ..span }),
        // It is encoded in another way: left as it was sent.
        None => {
            raw.get(start..end).map(|sent| Span { encoding: Encoding::Plain, length: sent.len(), ..span })
        }
    }
}

/// The bytes of a part as its sender attached it; `None` if there is no such part.
pub fn attachment(raw: &[u8], index: usize) -> Option<Vec<u8>> {
    let span = locate(raw, index)?;
    let mut bytes = Vec::with_capacity(span.length);
    span.decode(raw, |piece| bytes.extend_from_slice(piece))?;
    Some(bytes)
}
