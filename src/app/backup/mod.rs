//! `backup` and `restore`: all that an installation is, in one file; `check`: whether it is sound.

mod archive;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError};
use crate::domain::Timestamp;
use crate::store::{self, backup};

/// What the secret key is called in an archive.
const KEY: &str = "secret.key";

/// One sentence for the operator.
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

pub struct Taken {
    pub bytes: u64,
    pub has_key: bool,
}

pub struct Restored {
    pub taken_at: String,
    pub has_key: bool,
}

/// Writes a backup, also while a server is at work. What was confirmed before this began is in it.
///
/// # Errors
/// A sentence; then there is no file.
pub fn take(config: &Config, file: &Path, now: Timestamp) -> Result<Taken, Failed> {
    let location = config.location()?;
    let mut archive = archive::Writer::create(file, now)?;
    let schema = backup::take(&location, &mut |name, fill| archive.spool(name, fill))?;
    let has_key = config.secret_key.is_none() && config.key_file().exists();
    if has_key {
        archive.add(KEY, &config.key_file())?;
    }
    let bytes = archive.finish(location.engine(), schema)?;
    Ok(Taken { bytes, has_key })
}

/// Makes a store of a backup, where there is none.
///
/// # Errors
/// A sentence; then nothing was changed.
pub fn restore(config: &Config, file: &Path) -> Result<Restored, Failed> {
    let location = config.location()?;
    backup::require_none(&location)?;
    let folder = Folder::make(backup::folder(&location).unwrap_or_else(|| config.data.clone()))?;
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

/// What is wrong with the store, a sentence each. Changes nothing.
///
/// # Errors
/// A sentence when it cannot be checked.
pub fn check(config: &Config) -> Result<Vec<String>, Failed> {
    Ok(store::check::findings(&config.location()?)?)
}

/// The secret key where it belongs; it goes again unless it is kept.
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

/// A folder that goes again if it was made here and is empty.
struct Folder {
    path: PathBuf,
    made: bool,
}

impl Folder {
    fn make(path: PathBuf) -> Result<Self, Failed> {
        let made = !path.exists();
        let failed = |cause| Failed::at(&path, &cause);
        let mut folder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700)
            .recursive(true)
            .create(&path)
            .map_err(failed)?;
        Ok(Self { path, made })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made {
            let _ = fs::remove_dir(&self.path);
        }
    }
}
