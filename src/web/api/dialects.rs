//! All dialects.

use std::collections::BTreeSet;

use actix_web::http::Method;

use super::describe::Described;
use super::dialect::Dialect;
use super::route::{At, Op};
use super::{ApiError, pagination, v1};

pub const DIALECTS: [&Dialect; 1] = [&V1];

pub static V1: Dialect =
    Dialect { base: "/api/v1", routes: v1, render_error: ApiError::render, render_page: pagination::render };

/// The dialect of a decoded path.
pub fn at(path: &str) -> Option<&'static Dialect> {
    DIALECTS.into_iter().find(|dialect| dialect.rest(path).is_some())
}

/// Every operation of every dialect: its path, method and route.
pub fn operations() -> impl Iterator<Item = (String, Method, Op)> {
    DIALECTS.into_iter().flat_map(|dialect| (dialect.routes)().into_iter().flat_map(of(dialect.base)))
}

/// The nouns of the ids in paths, with an example of each.
pub fn ids() -> BTreeSet<(&'static str, &'static str)> {
    let all = DIALECTS.into_iter().flat_map(|dialect| (dialect.routes)());
    all.flat_map(|At { path, operations, .. }| {
        operations.into_iter().flat_map(move |(method, op)| {
            let mut described = Described::new(method, path);
            (op.describe)(&mut described);
            described.ids
        })
    })
    .collect()
}

fn of(base: &'static str) -> impl Fn(At) -> Vec<(String, Method, Op)> {
    move |At { path, operations, .. }| {
        operations.into_iter().map(|(method, op)| (format!("{base}{path}"), method, op)).collect()
    }
}
