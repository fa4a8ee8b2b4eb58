//! A file of batches beside SQLite's.
//!
//! A commit of SQLite writes whole pages before it syncs. Here a batch is its bytes and eight
//! more, written over a place that the file already had, so that a sync has no metadata to write.
//!
//! A file begins with a head that is different each time, and part of the checksums of its
//! batches: so batches of earlier times are not taken for new ones.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::error::{Error, Result};
use crate::store::ids::LeaseId;

/// The first bytes of a file of this format.
const MAGIC: [u8; 8] = *b"gpcalls1";
/// Bytes of [`MAGIC`], of the process that began the file, and of a number of its own.
const HEAD: usize = 32;
/// Bytes before each batch: its length and its checksum.
const FRONT: usize = 8;
/// A file grows by this many bytes, and keeps [`KEPT`] when it is reset: ten seconds of calls on a
/// small machine.
const GROWTH: u64 = 1 << 20;
const KEPT: u64 = 64 << 20;

/// How often this process began a file.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// [`Self::append`] adds batches, [`Self::next`] gives them out in that order.
pub struct CallFile {
    pub file: File,
    path: PathBuf,
    head: [u8; HEAD],
    /// Where the next batch to be given out begins.
    next: u64,
    /// Where the next batch is appended.
    pub end: u64,
    /// The length of the file.
    room: u64,
    /// A buffer: one write for all batches.
    bytes: Vec<u8>,
}

pub fn open_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).mode(0o600).open(path);
    file.map_err(|cause| unavailable(path, &cause))
}

pub fn unavailable(path: &Path, cause: &io::Error) -> Error {
    Error::Unavailable(format!("{}: {cause}", path.display()))
}

impl CallFile {
    pub fn read(file: File, path: PathBuf, writer: LeaseId) -> Result<Self> {
        let mut this = Self::unread(file, path);
        let found = this.find_batches().map_err(|cause| unavailable(&this.path, &cause))?;
        match found {
            Found::Batches => Ok(this),
            Found::Nothing => Ok(Self { head: new_head(writer), ..this }),
            Found::Unknown => Err(this.unknown()),
        }
    }

    pub fn unread(file: File, path: PathBuf) -> Self {
        Self { file, path, head: [0; HEAD], next: 0, end: 0, room: 0, bytes: Vec::new() }
    }

    pub fn unknown(&self) -> Error {
        let path = self.path.display();
        Error::Unusable(format!(
            "{path} was not written by this version of Gatepost; start the one that wrote it, or put the file elsewhere"
        ))
    }

    pub fn find_batches(&mut self) -> io::Result<Found> {
        self.room = self.file.metadata()?.len();
        if self.room < HEAD as u64 {
            return Ok(Found::Nothing);
        }
        self.file.read_exact_at(&mut self.head, 0)?;
        if self.head == [0; HEAD] {
            return Ok(Found::Nothing);
        }
        if !self.head.starts_with(&MAGIC) {
            return Ok(Found::Unknown);
        }
        self.next = HEAD as u64;
        self.end = self.next;
        while let Some(batch) = self.batch_at(self.end)? {
            self.end += space(&batch);
        }
        Ok(Found::Batches)
    }

    /// The batch at a position, if there is a whole one.
    fn batch_at(&self, at: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(left) = self.room.checked_sub(at + FRONT as u64) else { return Ok(None) };
        let mut front = [0; FRONT];
        self.file.read_exact_at(&mut front, at)?;
        let length = u32::from_le_bytes(front[..4].try_into().expect("four bytes"));
        if length == 0 || u64::from(length) > left {
            return Ok(None);
        }
        let mut batch = vec![0; length as usize];
        self.file.read_exact_at(&mut batch, at + FRONT as u64)?;
        Ok((self.front(&batch) == front).then_some(batch))
    }

    fn front(&self, batch: &[u8]) -> [u8; FRONT] {
        let length = (batch.len() as u32).to_le_bytes();
        let mut sum = crc32fast::Hasher::new();
        [&self.head, &length[..], batch].into_iter().for_each(|part| sum.update(part));
        let mut front = [0; FRONT];
        front[..4].copy_from_slice(&length);
        front[4..].copy_from_slice(&sum.finalize().to_le_bytes());
        front
    }

    /// Puts batches on disk. If that fails they can be there all the same.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk is full or away.
    pub fn append(&mut self, batches: &[Vec<u8>]) -> Result<()> {
        self.try_append(batches).map_err(|cause| unavailable(&self.path, &cause))
    }

    fn try_append(&mut self, batches: &[Vec<u8>]) -> io::Result<()> {
        self.bytes.clear();
        if self.end == 0 {
            self.bytes.extend_from_slice(&self.head);
        }
        for batch in batches {
            let front = self.front(batch);
            self.bytes.extend_from_slice(&front);
            self.bytes.extend_from_slice(batch);
        }
        let end = self.end + self.bytes.len() as u64;
        self.make_room(end)?;
        self.file.write_all_at(&self.bytes, self.end)?;
        self.file.sync_data()?;
        self.next = self.next.max(HEAD as u64);
        self.end = end;
        Ok(())
    }

    /// Grows in large steps, because a sync after each growth also writes metadata.
    fn make_room(&mut self, end: u64) -> io::Result<()> {
        if end > self.room {
            let room = end.next_multiple_of(GROWTH);
            let grown = self.file.write_all_at(&vec![0; (room - self.room) as usize], self.room);
            if grown.is_err() {
                // Leaves the last bytes of the disk to others.
                let _ = self.file.set_len(self.room);
            }
            grown?;
            self.room = room;
        }
        Ok(())
    }

    /// Whether all batches were given out.
    pub fn is_done(&self) -> bool {
        self.next == self.end
    }

    /// The next batches, of `bytes` bytes or a little more; none at the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when what was written cannot be read.
    pub fn next(&self, bytes: usize) -> Result<Vec<Vec<u8>>> {
        let (mut at, until) = (self.next, self.end.min(self.next + bytes as u64));
        let mut batches = Vec::new();
        while at < until {
            let batch =
                self.batch_at(at).and_then(|batch| batch.ok_or_else(|| io::ErrorKind::InvalidData.into()));
            let batch = batch.map_err(|cause| unavailable(&self.path, &cause))?;
            at += space(&batch);
            batches.push(batch);
        }
        Ok(batches)
    }

    /// Does not give these out again.
    pub fn pass<'b>(&mut self, batches: impl Iterator<Item = &'b [u8]>) {
        self.next += batches.map(space).sum::<u64>();
    }

    /// Forgets all batches.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk is away.
    pub fn reset(&mut self, writer: LeaseId) -> Result<()> {
        if self.end == 0 {
            return Ok(());
        }
        self.wipe().map_err(|cause| unavailable(&self.path, &cause))?;
        (self.next, self.end, self.head) = (0, 0, new_head(writer));
        Ok(())
    }

    fn wipe(&mut self) -> io::Result<()> {
        self.file.write_all_at(&[0; HEAD], 0)?;
        if self.room > KEPT {
            self.file.set_len(KEPT)?;
            self.room = KEPT;
        }
        self.file.sync_data()
    }

    /// Copies the file as it is and returns the path of the copy.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk is full or away.
    pub fn copy_aside(&self) -> Result<PathBuf> {
        let mut name = self.path.clone().into_os_string();
        name.push(".unread");
        let aside = PathBuf::from(name);
        std::fs::copy(&self.path, &aside).map_err(|cause| unavailable(&aside, &cause))?;
        Ok(aside)
    }
}

pub enum Found {
    Batches,
    Nothing,
    Unknown,
}

fn new_head(writer: LeaseId) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..24].copy_from_slice(&writer.bytes());
    head[24..].copy_from_slice(&BEGUN.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    head
}

fn space(batch: &[u8]) -> u64 {
    (FRONT + batch.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Beside(tempfile::TempDir);

    impl Beside {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("calls")
        }

        fn open(&self) -> Result<CallFile> {
            CallFile::read(open_file(&self.path())?, self.path(), LeaseId::from_bytes([7; 16]))
        }

        fn file(&self) -> CallFile {
            self.open().expect("a file")
        }

        /// The batches of the file when it is opened.
        fn found(&self) -> Vec<Vec<u8>> {
            all(&self.file())
        }
    }

    fn all(file: &CallFile) -> Vec<Vec<u8>> {
        file.next(usize::MAX >> 1).expect("batches")
    }

    fn batches(letters: &str) -> Vec<Vec<u8>> {
        letters.bytes().map(|letter| vec![letter; usize::from(letter)]).collect()
    }

    #[test]
    fn batches_are_found_again_in_order() {
        let beside = Beside::new();
        let mut file = beside.file();
        file.append(&batches("ab")).expect("on disk");
        file.append(&batches("c")).expect("on disk");
        let mut file = beside.file();
        let first = file.next(1).expect("a batch");
        assert_eq!(first, batches("a"));
        file.pass(first.iter().map(Vec::as_slice));
        file.append(&batches("d")).expect("on disk");
        assert_eq!(all(&file), batches("bcd"));
        assert_eq!(beside.found(), batches("abcd"), "it was not reset");
    }

    #[test]
    fn batches_from_before_a_reset_are_not_found() {
        let beside = Beside::new();
        let mut file = beside.file();
        let writer = LeaseId::from_bytes([7; 16]);
        file.append(&batches("aaaa")).expect("on disk");
        file.reset(writer).expect("a reset");
        assert!(file.is_done() && all(&file).is_empty());
        // It ends where one of the earlier ones begins.
        file.append(&batches("a")).expect("on disk");
        assert_eq!(all(&file), batches("a"));
        assert_eq!(beside.found(), batches("a"));
        beside.file().reset(writer).expect("a reset");
        assert_eq!(beside.found(), batches(""));
    }

    #[test]
    fn whole_batches_of_a_torn_write_are_found() {
        let beside = Beside::new();
        let mut file = beside.file();
        file.append(&batches("ab")).expect("on disk");
        let (before, end) = (file.end as usize, file.end as usize + FRONT + usize::from(b'c'));
        file.append(&batches("c")).expect("on disk");
        let whole = std::fs::read(beside.path()).expect("the file");
        for at in before..end {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(beside.path(), &damaged).expect("a damaged file");
            assert_eq!(beside.found(), batches("ab"), "damaged at {at}");
            std::fs::write(beside.path(), &whole[..at]).expect("a shorter file");
            assert_eq!(beside.found(), batches("ab"), "cut at {at}");
        }
        // The next batch overwrites the rest.
        beside.file().append(&batches("d")).expect("on disk");
        assert_eq!(beside.found(), batches("abd"));
    }

    #[test]
    fn a_file_of_another_program_is_left_alone() {
        let beside = Beside::new();
        std::fs::write(beside.path(), [b'x'; 999]).expect("a file");
        let refused = beside.open().map(|_| ()).expect_err("no file").to_string();
        assert!(refused.contains("calls was not written by this version"), "{refused}");
        assert_eq!(std::fs::read(beside.path()).expect("the file"), [b'x'; 999]);
    }

    #[test]
    fn a_long_file_gives_room_back() {
        let beside = Beside::new();
        let mut file = beside.file();
        let long = vec![vec![1; 1 << 20]; 65];
        file.append(&long).expect("on disk");
        assert_eq!(all(&file), long);
        file.reset(LeaseId::from_bytes([7; 16])).expect("a reset");
        assert_eq!(std::fs::metadata(beside.path()).expect("a file").len(), KEPT);
        file.append(&long).expect("on disk");
        assert_eq!(all(&file), long);
    }
}
