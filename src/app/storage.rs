//! Opens the store and checks that the secret key belongs to it. Only this file and [`super::backup`] use more of the
//! store than its handles.

use super::name_keys;
use crate::config::Config;
use crate::domain::entropy::Entropy;
use crate::domain::sealing::SecretKey;
use crate::store::serving::Serving;
use crate::store::{self, Location, Store, instance};

/// The reason why the app can't start, as one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error("GATEPOST_DATABASE_URL: {0}")]
    DatabaseUrl(String),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(
        "the secret key is not the one this store was first opened with, so team keys could not be decrypted. Restore the original GATEPOST_SECRET_KEY or secret.key"
    )]
    OtherKey,
}

type Result<T> = std::result::Result<T, StartError>;

/// Checks the settings of the store without opening it.
pub fn check_settings(config: &Config) -> Result<()> {
    location(config).map(drop)
}

pub(super) fn location(config: &Config) -> Result<Location> {
    Location::parse(&config.database.0).map_err(StartError::DatabaseUrl)
}

/// Prevents other servers from using the same SQLite file until it is dropped. Call it before [`super::App::open`], so
/// that a second server changes nothing.
pub fn serve_alone(config: &Config) -> Result<Serving> {
    config.make_data_folder()?;
    Ok(location(config)?.serve_alone()?)
}

pub(super) struct Storage {
    pub store: Store,
    pub key: SecretKey,
}

pub(super) fn open(config: &Config, entropy: &dyn Entropy) -> Result<Storage> {
    config.make_data_folder()?;
    let key = config.secret_key(entropy)?;
    let store = Store::open(location(config)?)?;
    check_key(&store, &key)?;
    name_keys::update(&store);
    Ok(Storage { store, key })
}

fn check_key(store: &Store, key: &SecretKey) -> Result<()> {
    let check = key.check_value();
    let kept = store.write(|tx| instance::key_check(tx, &check))?;
    if kept == check { Ok(()) } else { Err(StartError::OtherKey) }
}
