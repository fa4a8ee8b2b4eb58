//! The functions that plain nouns of a team share. [`team_noun`] generates those that a noun asks for:
//!
//! - `find(tx, team, id)`, and `lock(tx, actor, team, id)`, which locks the row for a change
//! - `list(tx, team, filter, window)`, newest first, and `count(tx, team, filter)`
//! - `sorted(tx, team, filter, order, window)`, in the order of a column of the store's `sorted_rows`
//! - `insert(tx, actor, row)` and `save(tx, actor, before, after)`, private: the noun's own `create` and
//!   `change` decide what the row contains
//! - `delete(tx, actor, team, id)`
//! - `plain`: [`Plain`] with these functions, some of which the noun's file may define itself
//!
//! `lock` and `delete` require the role that they are listed under; the others check none. `insert`, `save`
//! and `delete` record an activity of the row's [`Noun`]. The noun's file provides `rows`, the store's
//! functions with the same names; `fn event(kind, &row) -> Event`; and `fn taken(&row) -> (field, sentence)`
//! for a violation of a unique index.

use serde::de::DeserializeOwned;

use super::actor::Actor;
use super::lists::{Capped, Order, Page, Place, SortColumn, Window};
use super::{PublicId, Result};
use crate::store::Tx;
use crate::store::ids::TeamId;

pub use crate::store::nouns::Noun;
pub(crate) use crate::store::nouns::with_nouns;

/// The row of a plain noun, which pages and the API find, list and delete in the same way.
pub(crate) trait Plain: Clone + Send + 'static {
    type Id: PublicId + DeserializeOwned;
    type Filter: Send + 'static;
    type Column: SortColumn;
    const NOUN: Noun;

    fn id(&self) -> Self::Id;
    fn find(tx: &mut Tx<'_>, team: TeamId, id: Self::Id) -> Result<Self>;
    fn lock(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: Self::Id) -> Result<Self>;
    fn list(
        tx: &mut Tx<'_>,
        team: TeamId,
        filter: &Self::Filter,
        window: Window<Self::Id>,
    ) -> Result<Page<Self, Self::Id>>;
    fn sorted(
        tx: &mut Tx<'_>,
        team: TeamId,
        filter: &Self::Filter,
        order: Order<Self::Column>,
        window: Window<Place<Self::Id>>,
    ) -> Result<Page<Self, Place<Self::Id>>>;
    fn count(tx: &mut Tx<'_>, team: TeamId, filter: &Self::Filter) -> Result<Capped>;
    fn delete(tx: &mut Tx<'_>, actor: &Actor, team: TeamId, id: Self::Id) -> Result<()>;
}

macro_rules! team_noun {
    ($row:ident, $id:ident: $($function:ident),+ $(; $role:ident: $($checked:ident),+)?) => {
        $($crate::domain::nouns::team_noun!(@$function $row, $id);)+
        $($($crate::domain::nouns::team_noun!(@$checked $row, $id, $role);)+)?
    };

    (@find $row:ident, $id:ident) => {
        pub fn find(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            id: $id,
        ) -> $crate::domain::Result<$row> {
            rows::find(tx, team, id)?.ok_or($crate::domain::Error::NotFound)
        }
    };

    (@lock $row:ident, $id:ident, $role:ident) => {
        /// Finds the row and locks it until the transaction ends.
        pub fn lock(
            tx: &mut $crate::store::Tx<'_>,
            actor: &$crate::domain::actor::Actor,
            team: $crate::store::ids::TeamId,
            id: $id,
        ) -> $crate::domain::Result<$row> {
            actor.require_or_token(tx, team, $crate::domain::people::roles::Role::$role)?;
            rows::lock(tx, team, id)?.ok_or($crate::domain::Error::NotFound)
        }
    };

    (@list $row:ident, $id:ident) => {
        pub fn list(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            filter: &Filter,
            window: $crate::domain::lists::Window<$id>,
        ) -> $crate::domain::Result<$crate::domain::lists::Page<$row, $id>> {
            let list = |window| rows::list(tx, team, filter, window);
            $crate::domain::lists::Page::load(window, list, |row| row.id)
        }
    };

    (@sorted $row:ident, $id:ident) => {
        pub fn sorted(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            filter: &Filter,
            order: $crate::domain::lists::Order<Column>,
            window: $crate::domain::lists::Window<$crate::domain::lists::Place<$id>>,
        ) -> $crate::domain::Result<$crate::domain::lists::Page<$row, $crate::domain::lists::Place<$id>>> {
            let list = |window| rows::sorted(tx, team, filter, order, window);
            $crate::domain::lists::Page::load(window, list, |row| row.place(order.column))
        }
    };

    (@count $row:ident, $id:ident) => {
        pub fn count(
            tx: &mut $crate::store::Tx<'_>,
            team: $crate::store::ids::TeamId,
            filter: &Filter,
        ) -> $crate::domain::Result<$crate::domain::lists::Capped> {
            $crate::domain::lists::Capped::count(|limit| rows::count(tx, team, filter, limit))
        }
    };

    (@insert $row:ident, $id:ident) => {
        /// The caller has checked the role.
        fn insert(
            tx: &mut $crate::store::Tx<'_>,
            actor: &$crate::domain::actor::Actor,
            row: $row,
        ) -> $crate::domain::Result<$row> {
            use $crate::domain::access::activity::{self, ActivityKind};
            rows::insert(tx, &row).map_err(|error| {
                let (field, sentence) = taken(&row);
                $crate::domain::Error::from(error).as_conflict(field, sentence)
            })?;
            activity::record(tx, actor, row.team_id, event(ActivityKind::Created($crate::domain::nouns::Noun::$row), &row))?;
            Ok(row)
        }
    };

    (@save $row:ident, $id:ident) => {
        /// Writes `after` over `before`, which [`lock`] returned. Records nothing if they are equal.
        fn save(
            tx: &mut $crate::store::Tx<'_>,
            actor: &$crate::domain::actor::Actor,
            before: &$row,
            after: $row,
        ) -> $crate::domain::Result<$row> {
            use $crate::domain::access::activity::{self, ActivityKind};
            if *before == after {
                return Ok(after);
            }
            let saved = rows::save(tx, &after).map_err(|error| {
                let (field, sentence) = taken(&after);
                $crate::domain::Error::from(error).as_conflict(field, sentence)
            })?;
            if !saved {
                return Err($crate::domain::Error::NotFound);
            }
            let kind = ActivityKind::Changed($crate::domain::nouns::Noun::$row);
            let changed = event(kind, &after).changed_from(&event(kind, before));
            activity::record(tx, actor, after.team_id, changed)?;
            Ok(after)
        }
    };

    (@delete $row:ident, $id:ident, $role:ident) => {
        pub fn delete(
            tx: &mut $crate::store::Tx<'_>,
            actor: &$crate::domain::actor::Actor,
            team: $crate::store::ids::TeamId,
            id: $id,
        ) -> $crate::domain::Result<()> {
            use $crate::domain::access::activity::{self, ActivityKind};
            actor.require_or_token(tx, team, $crate::domain::people::roles::Role::$role)?;
            let row = rows::delete(tx, team, id)?.ok_or($crate::domain::Error::NotFound)?;
            activity::record(tx, actor, team, event(ActivityKind::Deleted($crate::domain::nouns::Noun::$row), &row))
        }
    };

    (@plain $row:ident, $id:ident) => {
        impl $crate::domain::nouns::Plain for $row {
            type Id = $id;
            type Filter = Filter;
            type Column = Column;
            const NOUN: $crate::domain::nouns::Noun = $crate::domain::nouns::Noun::$row;

            fn id(&self) -> $id {
                self.id
            }

            fn find(
                tx: &mut $crate::store::Tx<'_>,
                team: $crate::store::ids::TeamId,
                id: $id,
            ) -> $crate::domain::Result<Self> {
                find(tx, team, id)
            }

            fn lock(
                tx: &mut $crate::store::Tx<'_>,
                actor: &$crate::domain::actor::Actor,
                team: $crate::store::ids::TeamId,
                id: $id,
            ) -> $crate::domain::Result<Self> {
                lock(tx, actor, team, id)
            }

            fn list(
                tx: &mut $crate::store::Tx<'_>,
                team: $crate::store::ids::TeamId,
                filter: &Filter,
                window: $crate::domain::lists::Window<$id>,
            ) -> $crate::domain::Result<$crate::domain::lists::Page<Self, $id>> {
                list(tx, team, filter, window)
            }

            fn sorted(
                tx: &mut $crate::store::Tx<'_>,
                team: $crate::store::ids::TeamId,
                filter: &Filter,
                order: $crate::domain::lists::Order<Column>,
                window: $crate::domain::lists::Window<$crate::domain::lists::Place<$id>>,
            ) -> $crate::domain::Result<$crate::domain::lists::Page<Self, $crate::domain::lists::Place<$id>>> {
                sorted(tx, team, filter, order, window)
            }

            fn count(
                tx: &mut $crate::store::Tx<'_>,
                team: $crate::store::ids::TeamId,
                filter: &Filter,
            ) -> $crate::domain::Result<$crate::domain::lists::Capped> {
                count(tx, team, filter)
            }

            fn delete(
                tx: &mut $crate::store::Tx<'_>,
                actor: &$crate::domain::actor::Actor,
                team: $crate::store::ids::TeamId,
                id: $id,
            ) -> $crate::domain::Result<()> {
                delete(tx, actor, team, id)
            }
        }
    };
}
pub(in crate::domain) use team_noun;
