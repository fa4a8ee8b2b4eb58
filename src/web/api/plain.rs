//! The operations of plain nouns. Their ids, titles and scopes come from the noun's words. All nouns share the
//! handlers that list, show and delete.

use actix_web::dev::Handler;
use actix_web::{FromRequest, Responder};

use super::describe::{Arguments, HandlerOutput};
use super::lists::{Filters, Listed, Listing};
use super::resource::{Find, Form, Lock, One, Resource};
use super::response::{ApiResult, Done};
use super::route::{Op, op};
use crate::domain::access::scopes::Scope;
use crate::domain::nouns::Plain;
use crate::web::nouns::Operation;

impl<F: Form<Row: Plain<Id = F::Id>>> Resource for F {
    const PATH: &'static str = F::Row::NOUN.words().list;
    const FIND: Find<Self> = F::Row::find;
    const LOCK: Lock<Self> = F::Row::lock;

    fn id(row: &F::Row) -> F::Id {
        row.id()
    }
}

/// The path of one resource, below the base.
pub const fn one<F: Form<Row: Plain>>() -> &'static str {
    F::Row::NOUN.words().page
}

pub fn lists<F, Q>(text: &'static str) -> Op
where
    F: Form<Row: Plain<Id = F::Id, Filter = Q::Filter>>,
    Q: Filters + 'static,
{
    operation(&F::Row::NOUN.words().operations.list, Scope::Read(F::Row::NOUN), list::<F, Q>, text)
}

pub fn creates<F, H, Args>(create: H, text: &'static str) -> Op
where
    F: Form<Row: Plain>,
    H: Handler<Args, Output: Responder + HandlerOutput + 'static>,
    Args: FromRequest + Arguments + 'static,
{
    operation(&F::Row::NOUN.words().operations.create, Scope::Write(F::Row::NOUN), create, text)
}

pub fn shows<F: Form<Row: Plain<Id = F::Id>>>(text: &'static str) -> Op {
    operation(&F::Row::NOUN.words().operations.get, Scope::Read(F::Row::NOUN), show::<F>, text)
}

pub fn changes<F, H, Args>(change: H, text: &'static str) -> Op
where
    F: Form<Row: Plain>,
    H: Handler<Args, Output: Responder + HandlerOutput + 'static>,
    Args: FromRequest + Arguments + 'static,
{
    operation(&F::Row::NOUN.words().operations.change, Scope::Write(F::Row::NOUN), change, text)
}

pub fn deletes<F: Form<Row: Plain<Id = F::Id>>>(text: &'static str) -> Op {
    let words = F::Row::NOUN.words();
    operation(&words.operations.delete, Scope::Write(F::Row::NOUN), delete::<F>, text)
        .may(204, words.is_deleted)
}

fn operation<H, Args>(operation: &Operation, scope: Scope, handler: H, text: &'static str) -> Op
where
    H: Handler<Args, Output: Responder + HandlerOutput + 'static>,
    Args: FromRequest + Arguments + 'static,
{
    op(operation.id, scope, handler).about(operation.title, text)
}

async fn list<F, Q>(listed: Listed<F, Q>) -> Listing<F>
where
    F: Form<Row: Plain<Id = F::Id, Filter = Q::Filter>>,
    Q: Filters,
{
    listed
        .page(|tx, team, filter, window| {
            Ok((F::Row::list(tx, team, filter, window)?, F::Row::count(tx, team, filter)?))
        })
        .await
}

async fn show<F: Form<Row: Plain<Id = F::Id>>>(one: One<F>) -> ApiResult<F> {
    one.read().await
}

async fn delete<F: Form<Row: Plain<Id = F::Id>>>(one: One<F>) -> Done {
    one.delete(|tx, actor, team, row| F::Row::delete(tx, actor, team, row.id())).await
}
