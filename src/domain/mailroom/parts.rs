//! The parts of a message: where they are in it, and their bytes.

use super::mime::content::{self, Span};
use super::mime::structure;
use super::mime::transfer::Decoder;

pub(crate) fn locate(raw: &[u8], index: usize) -> Option<Span> {
    structure::read(raw).get(index).map(|part| content::span(raw, part))
}

/// The bytes of a part as its sender attached it; `None` if there is no such part.
pub fn attachment(raw: &[u8], index: usize) -> Option<Vec<u8>> {
    let span = locate(raw, index)?;
    Some(Decoder::whole(span.encoding, &raw[span.start..span.end]))
}
