//! Keys of names that were made by an earlier rule are made again when the store is opened.

use crate::domain::Result;
use crate::domain::names::{self, Name, Named};
use crate::store::Store;

/// If it fails, names count as the same by the earlier rule until the next start: that is no
/// reason not to start.
pub fn update(store: &Store) {
    if let Err(cause) = try_update(store) {
        tracing::warn!(%cause, "keys of names could not be updated; the next start tries again");
    }
}

fn try_update(store: &Store) -> Result<()> {
    if store.read(names::are_by_rule)? {
        return Ok(());
    }
    for named in Named::ALL {
        let mut last = Vec::new();
        loop {
            let batch = store.read(|tx| names::after(tx, named, &last))?;
            let Some(newest) = batch.last() else { break };
            last = newest.id.clone();
            update_batch(store, named, &batch)?;
        }
    }
    store.write(names::note_rule)
}

/// Each in a transaction of its own: a name whose new key is taken keeps its old one.
fn update_batch(store: &Store, named: Named, batch: &[Name]) -> Result<()> {
    for name in batch.iter().filter(|name| names::key(&name.name) != name.key) {
        match store.write(|tx| names::set_key(tx, named, name)) {
            Err(cause) if cause.is_duplicate() => {
                tracing::warn!(
                    name = name.name,
                    "two of these names count as the same: {named:?}. Rename one of them"
                );
            }
            updated => updated?,
        }
    }
    Ok(())
}
