//! Derives an OpenAPI operation from a handler's types: parameters and body from its arguments, the
//! response from its result. A handler whose types lack a description does not compile as a route.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::web;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::caller::{ApiCaller, SessionCaller};
use crate::app::App;
use crate::domain::PublicId;
use crate::web::request::RequestInfo;

/// The part of an operation's description that its types determine.
pub struct Described {
    pub method: Method,
    pub path: &'static str,
    pub parameters: Vec<Value>,
    /// The noun of each id in the path, and an example.
    pub ids: Vec<(&'static str, &'static str)>,
    /// The schema of the request body.
    pub body: Option<Value>,
    pub status: u16,
    /// The schema of the JSON response.
    pub response: Option<Value>,
    /// Error statuses in addition to those of every route.
    pub refusals: BTreeSet<u16>,
    /// Every referenced schema, by name.
    pub schemas: Map<String, Value>,
}

impl Described {
    pub fn new(method: Method, path: &'static str) -> Self {
        let (parameters, ids, refusals, schemas) = (Vec::new(), Vec::new(), BTreeSet::new(), Map::new());
        Self { method, path, parameters, ids, body: None, status: 200, response: None, refusals, schemas }
    }

    /// Returns a reference to the schema, and adds it and every schema it refers to.
    pub fn schema<T: ToSchema>(&mut self) -> Value {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            self.schemas.entry(name).or_insert_with(|| json!(schema));
        }
        json!({"$ref": format!("#/components/schemas/{}", T::name())})
    }

    pub fn query<T: IntoParams>(&mut self) {
        self.parameters.extend(T::into_params(|| Some(ParameterIn::Query)).iter().map(|it| json!(it)));
    }

    /// Adds the parameters in the path, in order: the noun of each id, and an example.
    pub fn ids(&mut self, ids: &[(&'static str, &'static str)]) {
        self.ids.extend(ids);
        let names = self.path.split(['{', '}']).skip(1).step_by(2);
        self.parameters.extend(names.zip(ids).map(|(name, (noun, example))| {
            json!({
                "name": name,
                "in": "path",
                "description": format!("The {noun}'s id."),
                "required": true,
                "schema": {"type": "string"},
                "example": example,
            })
        }));
    }

    /// Adds a header from the components, and the error statuses it can cause.
    pub fn header(&mut self, name: &str, refusals: &[u16]) {
        self.parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
        self.refusals.extend(refusals);
    }
}

pub trait Argument {
    fn describe(_: &mut Described) {}
}

impl Argument for web::Data<App> {}
impl Argument for ApiCaller {}
impl Argument for SessionCaller {}
impl Argument for RequestInfo {}

impl<Id: PublicId> Argument for web::Path<Id> {
    fn describe(into: &mut Described) {
        into.ids(&[(Id::NOUN, Id::EXAMPLE)]);
    }
}

impl<A: PublicId, B: PublicId> Argument for web::Path<(A, B)> {
    fn describe(into: &mut Described) {
        into.ids(&[(A::NOUN, A::EXAMPLE), (B::NOUN, B::EXAMPLE)]);
    }
}

pub trait Arguments {
    fn describe(into: &mut Described);
}

macro_rules! arguments {
    ($($name:ident)*) => {
        impl<$($name: Argument),*> Arguments for ($($name,)*) {
            fn describe(_into: &mut Described) {
                $($name::describe(_into);)*
            }
        }
    };
}

arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);

pub trait HandlerOutput {
    fn describe(into: &mut Described);
}

impl<T: HandlerOutput> HandlerOutput for Result<T, ApiError> {
    fn describe(into: &mut Described) {
        T::describe(into);
    }
}
