//! The backup file: a tar archive of the parts, then a manifest that describes them. Without a manifest it
//! is incomplete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::Failed;
use crate::domain::Timestamp;
use crate::domain::sealing::hex;
use crate::store;
use crate::store::backup::{Fill, Part};

/// Raise it when older versions can't read the archive.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const MANIFEST_BYTES: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    version: String,
    pub taken_at: String,
    pub engine: String,
    pub schema: Vec<String>,
    parts: Vec<Member>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Member {
    name: String,
    size: u64,
    sha256: String,
}

/// An archive in progress. It gets its name when it is complete.
pub struct Writer {
    file: PathBuf,
    taken_at: Timestamp,
    archive: tar::Builder<BufWriter<NamedTempFile>>,
    parts: Vec<Member>,
}

impl Writer {
    pub fn create(file: &Path, taken_at: Timestamp) -> Result<Self, Failed> {
        if file.exists() {
            return Err(Failed::new(format_args!("{} already exists", file.display())));
        }
        let aside = NamedTempFile::new_in(folder(file)).map_err(|cause| Failed::at(file, &cause))?;
        let archive = tar::Builder::new(BufWriter::new(aside));
        Ok(Self { file: file.to_owned(), taken_at, archive, parts: Vec::new() })
    }

    /// Lets `fill` write a temporary file next to the archive, and adds that file.
    pub fn spool(&mut self, name: &str, fill: &mut Fill<'_>) -> store::Result<()> {
        let failed = |cause| store::Error::Unusable(Failed::at(&self.file, &cause).to_string());
        let spool = NamedTempFile::new_in(folder(&self.file)).map_err(failed)?;
        fill(spool.path())?;
        self.add(name, spool.path()).map_err(|cause| store::Error::Unusable(cause.to_string()))
    }

    pub fn add(&mut self, name: &str, from: &Path) -> Result<(), Failed> {
        let added = File::open(from).and_then(|from| {
            let size = from.metadata()?.len();
            let mut hashing = Hashing::new(from.take(size));
            self.append(name, size, &mut hashing)?;
            Ok(Member { name: name.to_owned(), size, sha256: hashing.sum() })
        });
        self.parts.push(added.map_err(|cause| Failed::at(&self.file, &cause))?);
        Ok(())
    }

    fn append(&mut self, name: &str, size: u64, data: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(self.taken_at.micros().unsigned_abs() / 1_000_000);
        self.archive.append_data(&mut header, name, data)
    }

    pub fn finish(mut self, engine: &str, schema: Vec<String>) -> Result<u64, Failed> {
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at: self.taken_at.to_string(),
            engine: engine.to_owned(),
            schema,
            parts: std::mem::take(&mut self.parts),
        };
        let file = self.file.clone();
        self.close(&manifest).map_err(|cause| Failed::at(&file, &cause))
    }

    fn close(mut self, manifest: &Manifest) -> io::Result<u64> {
        let manifest = serde_json::to_vec_pretty(manifest)?;
        self.append(MANIFEST, manifest.len() as u64, &manifest[..])?;
        let aside = self.archive.into_inner()?.into_inner()?;
        aside.as_file().sync_all()?;
        let written = aside.persist_noclobber(&self.file)?;
        File::open(folder(&self.file))?.sync_all()?;
        Ok(written.metadata()?.len())
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Extracts the parts into a folder and verifies their checksums.
pub fn extract(file: &Path, into: &Path) -> Result<(Manifest, Vec<Part>), Failed> {
    let (manifest, found) = read(file, into).map_err(|cause| {
        Failed::new(format_args!("{} is not a complete backup of Gatepost: {cause}", file.display()))
    })?;
    let problem = |what: &str| Failed::new(format_args!("{} {what}", file.display()));
    let manifest = manifest.ok_or_else(|| problem("is not a backup of Gatepost, or its end is missing"))?;
    if manifest.format != FORMAT {
        return Err(problem("was made by a newer Gatepost; restore it with that version"));
    }
    if manifest.parts != found {
        return Err(problem("is damaged: a checksum differs. Nothing was restored"));
    }
    let parts = found.into_iter().map(|part| (part.name.clone(), into.join(part.name))).collect();
    Ok((manifest, parts))
}

fn read(file: &Path, into: &Path) -> io::Result<(Option<Manifest>, Vec<Member>)> {
    let mut archive = tar::Archive::new(BufReader::new(File::open(file)?));
    let mut found = Vec::new();
    // Raw, because otherwise tar extensions like long names are read into memory without a limit.
    for entry in archive.entries()?.raw(true) {
        let entry = entry?;
        if !entry.header().entry_type().is_file() {
            return Err(foreign());
        }
        let name = name_of(&entry.path()?)?;
        if name == MANIFEST {
            return Ok((Some(serde_json::from_reader(entry.take(MANIFEST_BYTES))?), found));
        }
        let mut options = OpenOptions::new();
        let mut part = options.write(true).create_new(true).mode(0o600).open(into.join(&name))?;
        let mut hashing = Hashing::new(entry);
        let size = io::copy(&mut hashing, &mut part)?;
        part.sync_all()?;
        found.push(Member { name, size, sha256: hashing.sum() });
    }
    Ok((None, found))
}

/// Accepts only plain names, so that no part is written outside of the folder.
fn name_of(path: &Path) -> io::Result<String> {
    let name = path.to_str().filter(|name| {
        name.chars().all(|it| it.is_ascii_alphanumeric() || "._-".contains(it)) && !name.starts_with('.')
    });
    name.map(str::to_owned).ok_or_else(foreign)
}

fn foreign() -> io::Error {
    io::Error::other("it contains a file that does not belong in a backup")
}

struct Hashing<R> {
    inner: R,
    hasher: Sha256,
}

impl<R> Hashing<R> {
    fn new(inner: R) -> Self {
        Self { inner, hasher: Sha256::new() }
    }

    fn sum(self) -> String {
        hex(&self.hasher.finalize())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.hasher.update(&into[..read]);
        Ok(read)
    }
}

pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(fs::remove_file(path)))
}
