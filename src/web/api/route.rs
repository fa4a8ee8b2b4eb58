//! The route table: each route of the API is a value. Routing, the OpenAPI description, the reference
//! page, *Try it* and the access tests all read it.

use actix_web::dev::Handler;
use actix_web::http::Method;
use actix_web::{FromRequest, Responder, Route, web};

use super::authorize::authorized;
use super::describe::{Arguments, Described, HandlerOutput};
use crate::domain::access::scopes::Need;

/// A group of operations in the description and on the reference page.
#[derive(Debug)]
pub struct Tag {
    pub name: &'static str,
    pub text: &'static str,
}

/// A path and its operations.
pub struct At {
    /// Without the base of its dialect.
    pub path: &'static str,
    pub tag: &'static Tag,
    pub operations: Vec<(Method, Op)>,
}

pub fn at(path: &'static str, tag: &'static Tag) -> At {
    At { path, tag, operations: Vec::new() }
}

macro_rules! methods {
    ($($name:ident $method:ident),+) => {$(
        pub fn $name(mut self, op: Op) -> Self {
            self.operations.push((Method::$method, op));
            self
        }
    )+};
}

impl At {
    methods!(get GET, post POST, patch PATCH, delete DELETE);
}

/// One method of a path: the required credential, the handler, and everything that its types don't express.
pub struct Op {
    pub id: &'static str,
    pub need: Need,
    pub summary: &'static str,
    pub text: &'static str,
    /// The meanings of statuses specific to this operation.
    pub statuses: Vec<(u16, &'static str)>,
    /// The type and an example of a response that is not JSON.
    pub file: Option<(&'static str, &'static str)>,
    /// Whether responses have an `ETag` (see [`super::etag`]).
    pub is_tagged: bool,
    /// Whether the response contains a secret that is shown once.
    pub reveals_secret: bool,
    pub describe: fn(&mut Described),
    pub(super) route: Box<dyn FnOnce(bool) -> Route>,
}

pub fn op<F, Args>(id: &'static str, need: impl Into<Need>, handler: F) -> Op
where
    F: Handler<Args>,
    Args: FromRequest + Arguments + 'static,
    F::Output: Responder + HandlerOutput + 'static,
{
    let need = need.into();
    Op {
        id,
        need,
        summary: "",
        text: "",
        statuses: Vec::new(),
        file: None,
        is_tagged: true,
        reveals_secret: false,
        describe: |into| {
            Args::describe(into);
            F::Output::describe(into);
        },
        route: Box::new(move |is_tagged| web::route().to(authorized(need, is_tagged, handler))),
    }
}

impl Op {
    /// Sets the title and a few sentences for the reference.
    pub fn about(self, summary: &'static str, text: &'static str) -> Self {
        Self { summary, text, ..self }
    }

    /// Explains a status whose usual description does not fit.
    pub fn may(mut self, status: u16, meaning: &'static str) -> Self {
        self.statuses.push((status, meaning));
        self
    }

    pub fn file(self, kind: &'static str, example: &'static str) -> Self {
        Self { file: Some((kind, example)), ..self }
    }

    /// For short and frequent responses, for which a tag would cost more than it saves.
    pub fn untagged(self) -> Self {
        Self { is_tagged: false, ..self }
    }

    pub fn revealing_a_secret(self) -> Self {
        Self { reveals_secret: true, ..self }
    }
}
