//! Receives a message after DATA.
//!
//! `smtp_proto` finds the end, which is only CR LF . CR LF, and undoes dot-stuffing. This module refuses a bare CR or LF,
//! because another server could interpret it as the end of a line, and the rest as commands (SMTP smuggling).

use smtp_proto::request::receiver::DataReceiver;

use crate::app::limits::memory::MessageMemory;

#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    Whole(Vec<u8>),
    TooLarge,
    /// The memory of all incoming messages would exceed its limit.
    OutOfMemory,
    Bare,
}

pub struct Data {
    receiver: DataReceiver,
    raw: Vec<u8>,
    last: u8,
    size: usize,
    memory: MessageMemory,
    /// The reason for refusing the message, the rest of which is still read.
    overflow: Option<Ending>,
}

impl Data {
    pub fn new(size: usize, memory: MessageMemory) -> Self {
        let mut receiver = DataReceiver::new();
        // The DATA command ends with a line break, so an empty message is a single `.`.
        receiver.ingest(&mut b"\r\n".iter(), &mut Vec::new());
        Self { receiver, raw: Vec::new(), last: b'\n', size, memory, overflow: None }
    }

    /// Takes the bytes of the message from the input. Returns their number, and at the end the outcome.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Option<Ending>) {
        let mut rest = bytes.iter();
        let ended = self.receiver.ingest(&mut rest, &mut self.raw);
        let used = bytes.len() - rest.as_slice().len();
        if self.has_bare_newline(&bytes[..used]) {
            return (used, Some(Ending::Bare));
        }
        if self.overflow.is_none() {
            // The final dot is counted until it is known to be the end.
            self.overflow = if self.raw.len() > self.size + 1 {
                Some(Ending::TooLarge)
            } else if !self.memory.try_resize(self.raw.len()) {
                Some(Ending::OutOfMemory)
            } else {
                None
            };
        }
        if self.overflow.is_some() {
            self.raw = Vec::new();
            let _ = self.memory.try_resize(0);
        }
        (used, ended.then(|| self.ending()))
    }

    fn ending(&mut self) -> Ending {
        match self.overflow.take() {
            Some(overflow) => overflow,
            None if self.raw.len() > self.size => Ending::TooLarge,
            None => Ending::Whole(std::mem::take(&mut self.raw)),
        }
    }

    fn has_bare_newline(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().any(|&byte| {
            let bare = (byte == b'\n') != (self.last == b'\r');
            self.last = byte;
            bare
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::limits::memory::Memory;

    fn data(size: usize) -> Data {
        Data::new(size, MessageMemory::default())
    }

    /// Passes the text in one piece and byte by byte, and expects the same result.
    fn taken(size: usize, text: &str) -> (usize, Option<Ending>) {
        let (used, ending) = data(size).take(text.as_bytes());
        let mut bit = data(size);
        let bits: Vec<_> = text.as_bytes()[..used].chunks(1).map(|byte| bit.take(byte).1).collect();
        assert_eq!(bits.last().unwrap(), &ending);
        assert!(bits[..used - 1].iter().all(Option::is_none));
        (used, ending)
    }

    #[test]
    fn a_dot_on_its_own_line_ends_the_message() {
        for (text, raw, left) in [
            (".\r\n", "", 0),
            ("a\r\n.\r\nQUIT\r\n", "a\r\n", 6),
            ("..a\r\n...\r\n.\r\n", ".a\r\n..\r\n", 0),
            (".a\r\n.\r\n", "a\r\n", 0),
        ] {
            let (used, ending) = taken(100, text);
            assert_eq!(ending, Some(Ending::Whole(raw.into())), "{text:?}");
            assert_eq!(text.len() - used, left, "{text:?}");
        }
    }

    #[test]
    fn only_a_lone_dot_ends_the_data() {
        for text in [
            "a\n.\n",
            "a\n.\r\n",
            "a\r\n.\n",
            "a\r\n.\r",
            "a\r.\r",
            "a\r.\r\n",
            "a\r\n.\r\r\n",
            "a\r\r\n.\r\n",
            "\n.\r\n",
        ] {
            let mut data = data(100);
            let first = text.as_bytes().chunks(1).find_map(|byte| data.take(byte).1);
            assert!(matches!(first, None | Some(Ending::Bare)), "{text:?}: {first:?}");
            let (_, ending) = self::data(100).take(format!("{text}x\r\n.\r\n").as_bytes());
            assert_eq!(ending, Some(Ending::Bare), "{text:?}");
        }
    }

    #[test]
    fn an_oversized_message_is_read_and_discarded() {
        assert_eq!(taken(3, "abc\r\n.\r\n").1, Some(Ending::TooLarge));
        assert_eq!(taken(5, "abc\r\n.\r\n").1, Some(Ending::Whole("abc\r\n".into())));
        let mut data = data(10);
        assert_eq!(data.take(&[b'a'; 500]), (500, None));
        assert_eq!(data.raw.len(), 0);
        assert_eq!(data.take(b"\r\n.\r\n").1, Some(Ending::TooLarge));
    }

    #[test]
    fn messages_share_the_memory_limit() {
        let memory = Memory::new(1000, 1000);
        let own = memory.for_message(None);
        let mut first = Data::new(800, own.clone());
        let mut second = Data::new(800, memory.for_message(None));
        first.take(&[b'a'; 600]);
        assert_eq!(second.take(&[b'a'; 600]), (600, None));
        assert_eq!(memory.taken(), 600);
        assert_eq!(second.take(b"\r\n.\r\n").1, Some(Ending::OutOfMemory));
        assert!(matches!(first.take(b"\r\n.\r\n").1, Some(Ending::Whole(_))));
        drop(first);
        assert_eq!(memory.taken(), 602, "the message is still being received");
        drop(own);
        assert_eq!(memory.taken(), 0);
    }
}
