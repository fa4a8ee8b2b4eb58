//! Two files beside SQLite's, where calls are on disk until they are moved into the record.
//!
//! A commit of SQLite writes whole pages, each with a head of its own, before it waits for the
//! disk. Here a batch is its bytes and eight more, written over a place that the file has had
//! before, so that the disk is waited for once and has nothing else to note down.
//!
//! One of the files takes what comes while the other one is moved on, then they change places.
//! Each begins with a head that is another one each time, and counts in the checksums of the
//! batches behind it: what is left there of earlier times is no batch. Whoever opens the files
//! finds what a process that was killed had put on disk. One process at a time has them.

mod copy;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::backend::Location;
use crate::store::error::{Error, Result};
use crate::store::ids::LeaseId;

pub use copy::copy;

/// What the files are called after the name of the database.
pub const SUFFIXES: [&str; 2] = ["-calls-1", "-calls-2"];
/// What a file of this format begins with.
const MAGIC: [u8; 8] = *b"gpcalls1";
/// Bytes of [`MAGIC`], of which process began the file and which time that was.
const HEAD: usize = 32;
/// Bytes before each batch: its length and its checksum.
const FRONT: usize = 8;
/// A file grows by so many bytes, and keeps so many when it is begun anew: those of some ten
/// seconds of all the calls that a small machine answers.
const ROOM: u64 = 1 << 20;
const KEPT: u64 = 64 << 20;

/// How often this process began a file.
static TIMES: AtomicU64 = AtomicU64::new(0);

/// A file of batches. [`Self::append`] puts them behind the others, [`Self::next`] gives them
/// out in that order.
pub struct CallFile {
    file: File,
    path: PathBuf,
    head: [u8; HEAD],
    /// Where the next batch to be given out begins, where the next one is put, and how long
    /// the file is.
    next: u64,
    end: u64,
    room: u64,
    /// What is written at once.
    bytes: Vec<u8>,
}

/// Both files, with what a process that ended may have left in them; `None` while another
/// process has them.
///
/// # Errors
/// [`Error::Unavailable`], or [`Error::Unusable`] when they are none that this program writes.
pub fn open(location: &Location, writer: LeaseId) -> Result<Option<[CallFile; 2]>> {
    let [Some(first), Some(second)] = SUFFIXES.map(|name| location.beside(name)) else { return Ok(None) };
    let lock = open_file(&first)?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(cause)) => return Err(out_of_reach(&first, &cause)),
        Ok(()) => {}
    }
    let second_file = open_file(&second)?;
    sync_folder(&first).map_err(|cause| out_of_reach(&first, &cause))?;
    Ok(Some([CallFile::read(lock, first, writer)?, CallFile::read(second_file, second, writer)?]))
}

fn open_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|cause| out_of_reach(path, &cause))
}

/// So that a new file is found again after the power was lost.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn out_of_reach(path: &Path, cause: &io::Error) -> Error {
    Error::Unavailable(format!("{}: {cause}", path.display()))
}

impl CallFile {
    fn read(file: File, path: PathBuf, writer: LeaseId) -> Result<Self> {
        let mut this = Self::unread(file, path);
        let found = this.find_batches().map_err(|cause| out_of_reach(&this.path, &cause))?;
        match found {
            Found::Batches => Ok(this),
            Found::Nothing => Ok(Self { head: new_head(writer), ..this }),
            Found::Unknown => Err(this.unknown()),
        }
    }

    fn unread(file: File, path: PathBuf) -> Self {
        Self { file, path, head: [0; HEAD], next: 0, end: 0, room: 0, bytes: Vec::new() }
    }

    fn unknown(&self) -> Error {
        let path = self.path.display();
        Error::Unusable(format!(
            "{path} was not written by this version of Gatepost; start the one that wrote it, or put the file elsewhere"
        ))
    }

    fn find_batches(&mut self) -> io::Result<Found> {
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

    /// The batch that begins there, if one does.
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

    /// Puts batches on disk. When that fails they may be there all the same.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk is full or away.
    pub fn append(&mut self, batches: &[Vec<u8>]) -> Result<()> {
        self.try_append(batches).map_err(|cause| out_of_reach(&self.path, &cause))
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

    /// Much at once: a file that grows with each batch has its length noted down with each.
    fn make_room(&mut self, end: u64) -> io::Result<()> {
        if end > self.room {
            let room = end.next_multiple_of(ROOM);
            let grown = self.file.write_all_at(&vec![0; (room - self.room) as usize], self.room);
            if grown.is_err() {
                // What little the disk has left is for the others.
                let _ = self.file.set_len(self.room);
            }
            grown?;
            self.room = room;
        }
        Ok(())
    }

    /// Whether all that was put here was given out.
    pub fn is_done(&self) -> bool {
        self.next == self.end
    }

    /// The next batches to be given out, of `bytes` bytes or somewhat more; none at the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when what was written cannot be read.
    pub fn next(&self, bytes: usize) -> Result<Vec<Vec<u8>>> {
        let (mut at, until) = (self.next, self.end.min(self.next + bytes as u64));
        let mut batches = Vec::new();
        while at < until {
            let batch =
                self.batch_at(at).and_then(|batch| batch.ok_or_else(|| io::ErrorKind::InvalidData.into()));
            let batch = batch.map_err(|cause| out_of_reach(&self.path, &cause))?;
            at += space(&batch);
            batches.push(batch);
        }
        Ok(batches)
    }

    /// What [`Self::next`] gave is not given out again.
    pub fn pass(&mut self, batches: &[Vec<u8>]) {
        self.next += batches.iter().map(|batch| space(batch)).sum::<u64>();
    }

    /// Forgets all that is in the file.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk is away.
    pub fn begin_anew(&mut self, writer: LeaseId) -> Result<()> {
        if self.end == 0 {
            return Ok(());
        }
        self.wipe().map_err(|cause| out_of_reach(&self.path, &cause))?;
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

    /// Keeps a copy of the file as it is, and says where.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk is full or away.
    pub fn copy_aside(&self) -> Result<PathBuf> {
        let mut name = self.path.clone().into_os_string();
        name.push(".unread");
        let aside = PathBuf::from(name);
        std::fs::copy(&self.path, &aside).map_err(|cause| out_of_reach(&aside, &cause))?;
        Ok(aside)
    }
}

/// What a file holds that is opened.
enum Found {
    Batches,
    Nothing,
    Unknown,
}

fn new_head(writer: LeaseId) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..24].copy_from_slice(&writer.bytes());
    head[24..].copy_from_slice(&TIMES.fetch_add(1, Ordering::Relaxed).to_le_bytes());
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

        fn open(&self) -> Result<Option<[CallFile; 2]>> {
            open(&Location::Sqlite(self.0.path().join("store.db")), LeaseId::from_bytes([7; 16]))
        }

        fn files(&self) -> [CallFile; 2] {
            self.open().expect("files").expect("that nobody has")
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("store.db-calls-1")
        }

        /// What the first file gives out when it is opened.
        fn found(&self) -> Vec<Vec<u8>> {
            self.files()[0].next(usize::MAX >> 1).expect("batches")
        }
    }

    fn batches(letters: &str) -> Vec<Vec<u8>> {
        letters.bytes().map(|letter| vec![letter; usize::from(letter)]).collect()
    }

    #[test]
    fn what_was_put_there_is_found_again_in_order() {
        let beside = Beside::new();
        let [mut first, second] = beside.files();
        first.append(&batches("ab")).expect("on disk");
        first.append(&batches("c")).expect("on disk");
        assert!(second.is_done() && beside.open().expect("an answer").is_none(), "one process has them");
        drop((first, second));
        let [mut first, second] = beside.files();
        assert!(second.is_done());
        let some = first.next(1).expect("a batch");
        assert_eq!(some, batches("a"));
        first.pass(&some);
        first.append(&batches("d")).expect("on disk");
        assert_eq!(first.next(9999).expect("batches"), batches("bcd"));
        drop((first, second));
        assert_eq!(beside.found(), batches("abcd"), "it was not begun anew");
    }

    #[test]
    fn what_was_there_before_is_no_batch() {
        let beside = Beside::new();
        let [mut first, second] = beside.files();
        let writer = LeaseId::from_bytes([7; 16]);
        first.append(&batches("aaaa")).expect("on disk");
        first.begin_anew(writer).expect("a new beginning");
        assert!(first.is_done() && first.next(9999).expect("batches").is_empty());
        // It ends where one of the earlier ones begins.
        first.append(&batches("a")).expect("on disk");
        assert_eq!(first.next(9999).expect("batches"), batches("a"));
        drop((first, second));
        assert_eq!(beside.found(), batches("a"));
        beside.files()[0].begin_anew(writer).expect("a new beginning");
        assert_eq!(beside.found(), batches(""));
    }

    /// Whatever of the last write got to the disk before the power was lost.
    #[test]
    fn of_a_torn_write_whole_batches_are_found() {
        let beside = Beside::new();
        let [mut first, second] = beside.files();
        first.append(&batches("ab")).expect("on disk");
        let (before, end) = (first.end as usize, first.end as usize + FRONT + usize::from(b'c'));
        first.append(&batches("c")).expect("on disk");
        drop((first, second));
        let whole = std::fs::read(beside.path()).expect("the file");
        for at in before..end {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(beside.path(), &damaged).expect("a damaged file");
            assert_eq!(beside.found(), batches("ab"), "damaged at {at}");
            std::fs::write(beside.path(), &whole[..at]).expect("a shorter file");
            assert_eq!(beside.found(), batches("ab"), "cut at {at}");
        }
        // What comes next is put over what is left of it.
        let [mut first, second] = beside.files();
        first.append(&batches("d")).expect("on disk");
        drop((first, second));
        assert_eq!(beside.found(), batches("abd"));
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let beside = Beside::new();
        std::fs::write(beside.path(), [b'x'; 999]).expect("a file");
        let refused = beside.open().map(|_| ()).expect_err("no files").to_string();
        assert!(refused.contains("store.db-calls-1 was not written by this version"), "{refused}");
        assert_eq!(std::fs::read(beside.path()).expect("the file"), [b'x'; 999]);
    }

    #[test]
    fn a_long_file_gives_room_back() {
        let beside = Beside::new();
        let [mut first, _second] = beside.files();
        let long = vec![vec![1; 1 << 20]; 65];
        first.append(&long).expect("on disk");
        assert_eq!(first.next(usize::MAX >> 1).expect("batches"), long);
        first.begin_anew(LeaseId::from_bytes([7; 16])).expect("a new beginning");
        assert_eq!(std::fs::metadata(beside.path()).expect("a file").len(), KEPT);
        first.append(&long).expect("on disk");
        assert_eq!(first.next(usize::MAX >> 1).expect("batches"), long);
    }
}
