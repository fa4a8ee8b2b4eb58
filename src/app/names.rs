//! Keys of names that were made by an earlier rule are made again when the store is opened.

use crate::domain::names::{self, Name, Named};
use crate::store::{Error, Store};

/// Does it, unless it was done. Where that fails, names count as the same by the earlier rule
/// until the next start: no start fails for it.
pub fn make_keys(store: &Store) {
    if let Err(cause) = try_to(store) {
        tracing::warn!(%cause, "keys of names could not be made again; that is tried at the next start");
    }
}

fn try_to(store: &Store) -> Result<(), Error> {
    if store.read(names::are_by_rule)? {
        return Ok(());
    }
    for named in Named::ALL {
        let mut last = Vec::new();
        loop {
            let batch = store.read(|tx| names::after(tx, named, &last))?;
            let Some(newest) = batch.last() else { break };
            last = newest.id.clone();
            make_again(store, named, &batch)?;
        }
    }
    store.write(names::note_rule)
}

/// Each in a transaction of its own: one that meets another thing of its name keeps its key.
fn make_again(store: &Store, named: Named, batch: &[Name]) -> Result<(), Error> {
    for name in batch.iter().filter(|name| names::key(&name.name) != name.key) {
        match store.write(|tx| names::set_key(tx, named, name)) {
            Err(Error::Conflict(_)) => {
                tracing::warn!(name = name.name, "two of these are alike: {named:?}. Rename one of them");
            }
            done => done?,
        }
    }
    Ok(())
}
