//! Locates and decodes the parts of a message.

use super::mime::content::{self, Span};
use super::mime::structure;
use super::mime::transfer::Decoder;

pub(crate) fn locate(raw: &[u8], index: usize) -> Option<Span> {
    content::locate(raw, &structure::read(raw), index)
}

/// Returns the decoded bytes of a part, or `None` if the message has no such part.
pub fn attachment(raw: &[u8], index: usize) -> Option<Vec<u8>> {
    let Span { start, end, encoding, skip, length } = locate(raw, index)?;
    let mut bytes = Decoder::whole(encoding, &raw[start..end]);
    bytes.truncate(skip + length);
    Some(bytes.split_off(skip))
}
