//! Backs up and restores an installation as one file, and checks a store.

mod archive;
pub(crate) mod compressed;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::storage::{StartError, location};
use crate::config::{Config, ConfigError};
use crate::domain::Timestamp;
use crate::store::{self, backup};

const KEY: &str = "secret.key";

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(String);

impl Failed {
    fn new(sentence: impl std::fmt::Display) -> Self {
        Self(sentence.to_string())
    }

    fn at(path: &Path, cause: &io::Error) -> Self {
        Self(format!("{}: {cause}", path.display()))
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::new(error)
    }
}

impl From<ConfigError> for Failed {
    fn from(error: ConfigError) -> Self {
        Self::new(error)
    }
}

impl From<StartError> for Failed {
    fn from(error: StartError) -> Self {
        Self::new(error)
    }
}

pub struct Taken {
    pub bytes: u64,
    pub has_key: bool,
}

pub struct Restored {
    pub taken_at: String,
    pub has_key: bool,
}

/// Writes a backup, even while a server is running. It contains everything committed before the call.
///
/// # Errors
/// One sentence for the operator. No file remains.
pub fn take(config: &Config, file: &Path, now: Timestamp) -> Result<Taken, Failed> {
    let location = location(config)?;
    let mut archive = archive::Writer::create(file, now)?;
    let schema = backup::take(&location, &mut |name, fill| archive.spool(name, fill))?;
    let has_key = config.secret_key.is_none() && config.key_file().exists();
    if has_key {
        archive.add(KEY, &config.key_file())?;
    }
    let bytes = archive.finish(location.engine(), schema)?;
    Ok(Taken { bytes, has_key })
}

/// Restores a backup into an empty place.
///
/// # Errors
/// One sentence for the operator. Nothing has changed.
pub fn restore(config: &Config, file: &Path) -> Result<Restored, Failed> {
    let location = location(config)?;
    backup::require_none(&location)?;
    let folder = Folder::create(backup::folder(&location).unwrap_or_else(|| config.data.clone()))?;
    let aside = tempfile::Builder::new().prefix(".restore-").tempdir_in(&folder.path);
    let aside = aside.map_err(|cause| Failed::at(&folder.path, &cause))?;
    let (manifest, parts) = archive::extract(file, aside.path())?;
    if manifest.engine != location.engine() {
        let (from, to) = (&manifest.engine, location.engine());
        return Err(Failed::new(format_args!(
            "the backup is of a store in {from}, and GATEPOST_DATABASE_URL names one in {to}"
        )));
    }
    let (keys, parts): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(name, _)| name == KEY);
    let mut key = None;
    if let Some((_, from)) = keys.first() {
        config.make_data_folder()?;
        key = Some(Key::put(from, config.key_file())?);
    }
    backup::restore(&location, &manifest.schema, &parts)?;
    let has_key = key.map(Key::keep).is_some();
    Ok(Restored { taken_at: manifest.taken_at, has_key })
}

/// Returns the problems of the store, one sentence each. Changes nothing.
///
/// # Errors
/// One sentence, if the store can't be checked.
pub fn check(config: &Config) -> Result<Vec<String>, Failed> {
    Ok(store::check::findings(&location(config)?)?)
}

/// The restored secret key. Dropping it removes the file, unless the restore succeeded.
struct Key(Option<PathBuf>);

impl Key {
    fn put(from: &Path, to: PathBuf) -> Result<Self, Failed> {
        let key = fs::read(from).map_err(|cause| Failed::at(from, &cause))?;
        match fs::read(&to) {
            Ok(there) if there == key => Ok(Self(None)),
            Ok(_) => {
                Err(Failed::new(format_args!("{} exists, and is not the key of the backup", to.display())))
            }
            Err(_) => {
                archive::write_new(&to, &key).map_err(|cause| Failed::at(&to, &cause))?;
                Ok(Self(Some(to)))
            }
        }
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// A folder that is removed on drop if it was created here and is empty.
struct Folder {
    path: PathBuf,
    is_new: bool,
}

impl Folder {
    fn create(path: PathBuf) -> Result<Self, Failed> {
        let is_new = !path.exists();
        let failed = |cause| Failed::at(&path, &cause);
        let mut folder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700)
            .recursive(true)
            .create(&path)
            .map_err(failed)?;
        Ok(Self { path, is_new })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_new {
            let _ = fs::remove_dir(&self.path);
        }
    }
}
