//! Statements that stay prepared.

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement that a connection parses once, however often it is run. Diesel takes each
/// `UPDATE` and each `ON CONFLICT … DO UPDATE` for one that is never met again, as what is
/// `None` can be left out of it. For those only that read the same each time: a connection
/// keeps what it has prepared. It has to return something (`RETURNING`) and be loaded: what is
/// executed, Diesel asks by a reference, which does not pass the question on.
pub struct Prepared<Q>(pub Q);

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: Query, C: Connection> RunQueryDsl<C> for Prepared<Q> {}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}
