//! Copies files of calls for a backup.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::call_file::{CallFile, Found, unavailable};
use crate::store::error::{Error, Result};

/// The file may be shortened while it is copied.
const TRIES: u32 = 100;

/// Copies the calls in a file, if it exists. A server may be at work on it: it appends batches, or
/// overwrites them once they are in the activity table. So calls that were there at the start are in
/// the copy, or in any copy of the database that is made after it.
///
/// # Errors
/// [`Error::Unavailable`], or [`Error::Unusable`] when this program does not write such files.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    for _ in 0..TRIES {
        match try_copy(from, to) {
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {}
            copied => return copied.map_err(|cause| unavailable(from, &cause))?,
        }
    }
    Err(Error::Unavailable(format!("{} keeps changing", from.display())))
}

fn try_copy(from: &Path, to: &Path) -> io::Result<Result<()>> {
    let file = match File::open(from) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Ok(())),
        file => file?,
    };
    let mut original = CallFile::unread(file, from.to_owned());
    match original.find_batches()? {
        Found::Nothing => Ok(Ok(())),
        Found::Unknown => Ok(Err(original.unknown())),
        Found::Batches => {
            io::copy(&mut original.file.take(original.end), &mut File::create(to)?)?;
            Ok(Ok(()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;
    use crate::store::access::journal::call_file::open_file;
    use crate::store::ids::LeaseId;

    const BATCHES: u64 = 3000;
    const COPIES: usize = 200;

    fn file(path: &Path) -> CallFile {
        let lease = LeaseId::from_bytes([1; 16]);
        CallFile::read(open_file(path).expect("a file"), path.to_owned(), lease).expect("batches")
    }

    /// Appends numbered batches; now and then all of them count as moved, and the file is begun
    /// again.
    fn write(path: PathBuf, on_disk: &AtomicU64, moved: &AtomicU64) {
        let mut file = file(&path);
        for number in 1..=BATCHES {
            let batch = number.to_le_bytes().repeat(1 + number as usize % 300);
            file.append(&[batch]).expect("on disk");
            on_disk.store(number, Ordering::SeqCst);
            if number % 37 == 0 {
                moved.store(number, Ordering::SeqCst);
                file.reset(LeaseId::from_bytes([2; 16])).expect("a new beginning");
            }
        }
    }

    #[test]
    fn a_copy_holds_what_was_there_before_it_and_was_not_moved() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls");
        let (on_disk, moved) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            scope.spawn(|| write(path.clone(), &on_disk, &moved));
            for number in 0..COPIES {
                let to = folder.path().join(number.to_string());
                let before = on_disk.load(Ordering::SeqCst);
                copy(&path, &to).expect("a copy");
                let left = moved.load(Ordering::SeqCst) + 1..=before;
                let batches = file(&to).next(usize::MAX >> 1).expect("batches");
                let number =
                    |batch: &Vec<u8>| u64::from_le_bytes(batch[..8].try_into().expect("eight bytes"));
                let found: Vec<u64> = batches.iter().map(number).collect();
                assert!(left.clone().all(|number| found.contains(&number)), "{left:?} in {found:?}");
            }
        });
    }
}
