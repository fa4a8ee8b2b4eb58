//! Recomputes the comparison keys of names when the rule for them has changed.

use crate::domain::Result;
use crate::domain::names::{self, Name, NamedTable};
use crate::store::Store;

/// A failure doesn't stop the server: names are compared by the old rule until the next start.
pub fn update(store: &Store) {
    if let Err(cause) = try_update(store) {
        tracing::warn!(%cause, "could not update the keys of names; the next start tries again");
    }
}

fn try_update(store: &Store) -> Result<()> {
    if store.read(names::are_current)? {
        return Ok(());
    }
    for table in store.read(names::tables)? {
        let mut last = Vec::new();
        loop {
            let batch = store.read(|tx| names::after(tx, &table, &last))?;
            let Some(newest) = batch.last() else { break };
            last = newest.id.clone();
            update_batch(store, &table, &batch)?;
        }
    }
    store.write(names::store_rule)
}

/// Updates each name in its own transaction: if its new key is taken, the name keeps its old one.
fn update_batch(store: &Store, table: &NamedTable, batch: &[Name]) -> Result<()> {
    for name in batch.iter().filter(|name| names::key(&name.name) != name.name_key) {
        match store.write(|tx| names::set_key(tx, table, name)) {
            Err(cause) if cause.is_duplicate() => {
                tracing::warn!(
                    name = name.name,
                    "two names in {table} count as the same. Rename one of them"
                );
            }
            updated => updated?,
        }
    }
    Ok(())
}
