//! A compressed tar archive, written as its parts become known.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::domain::Timestamp;

const BLOCK: u64 = 512;

pub struct Archive {
    encoder: GzEncoder<Vec<u8>>,
    made_at: Timestamp,
    /// Bytes that the file in progress still needs.
    missing: u64,
    padding: usize,
}

impl Archive {
    pub fn new(made_at: Timestamp) -> Self {
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        Self { encoder, made_at, missing: 0, padding: 0 }
    }

    pub fn file(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.begin(name, content.len() as u64)?;
        self.write(content)
    }

    pub fn begin(&mut self, name: &str, size: u64) -> io::Result<()> {
        self.is_whole()?;
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(self.made_at.micros().unsigned_abs() / 1_000_000);
        header.set_cksum();
        self.encoder.write_all(header.as_bytes())?;
        self.missing = size;
        self.padding = (size.next_multiple_of(BLOCK) - size) as usize;
        Ok(())
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let left = self.missing.checked_sub(bytes.len() as u64);
        self.missing = left.ok_or_else(|| io::Error::other("a file is longer than it was said to be"))?;
        self.encoder.write_all(bytes)?;
        if self.missing == 0 {
            self.encoder.write_all(&[0; BLOCK as usize][..self.padding])?;
            self.padding = 0;
        }
        Ok(())
    }

    pub fn finish(&mut self) -> io::Result<()> {
        self.is_whole()?;
        self.encoder.write_all(&[0; 2 * BLOCK as usize])?;
        self.encoder.try_finish()
    }

    fn is_whole(&self) -> io::Result<()> {
        match self.missing {
            0 => Ok(()),
            _ => Err(io::Error::other("a file is shorter than it was said to be")),
        }
    }

    pub fn waiting(&self) -> usize {
        self.encoder.get_ref().len()
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.encoder.get_mut())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn chunked_writes_are_read_back_as_whole_files() {
        let mut archive = Archive::new(Timestamp::from_micros(1_700_000_000_000_000));
        let mut bytes = Vec::new();
        archive.file("empty", b"").expect("a file");
        archive.begin("long", 1500).expect("a file");
        for piece in [[b'a'; 700].as_slice(), &[b'b'; 800]] {
            archive.write(piece).expect("a piece");
            bytes.extend(archive.take());
        }
        archive.file("block", &[b'c'; 512]).expect("a file");
        archive.finish().expect("an end");
        bytes.extend(archive.take());
        let mut read = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        let files = read.entries().expect("entries").map(|entry| {
            let (mut entry, mut text) = (entry.expect("an entry"), String::new());
            entry.read_to_string(&mut text).expect("text");
            (entry.path().expect("a name").display().to_string(), text)
        });
        let long = "a".repeat(700) + &"b".repeat(800);
        let expected = [("empty", ""), ("long", &long), ("block", &"c".repeat(512))];
        assert_eq!(files.collect::<Vec<_>>(), expected.map(|(name, text)| (name.into(), text.into())));
    }

    #[test]
    fn a_file_has_the_size_it_was_said_to_have() {
        let mut archive = Archive::new(Timestamp::default());
        archive.begin("a", 2).expect("a file");
        assert!(archive.write(b"abc").is_err());
        archive.write(b"a").expect("a byte");
        assert!(archive.finish().is_err() && archive.begin("b", 0).is_err());
    }
}
