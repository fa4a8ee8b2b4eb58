//! How a route of the API is declared: its address, its methods, and what each needs of the
//! token it is called with. There is no other way, so no route is without its scope, and each
//! that takes GET takes HEAD and tells what it takes to whoever asks by OPTIONS.

use std::rc::Rc;

use actix_web::dev::{AppService, Handler, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, Resource, Responder,
    guard::{self, Guard},
    web,
};

use super::authorize::authorize;
use super::{ApiError, etag};
use crate::domain::access::scopes::Need;
use crate::web::encoding::is_encoded;
use crate::web::logged::RouteTemplate;

/// An address and its handlers, each behind [`authorize`].
pub struct At {
    /// `/api/v1` left out.
    pub path: &'static str,
    resource: Resource,
    pub needs: Vec<(Method, Need)>,
    /// Whether answers tell which state they show: [`super::etag`].
    pub tagged: bool,
}

macro_rules! methods {
    ($($name:ident $method:ident),+) => {$(
        pub fn $name<F, Args>(self, need: impl Into<Need>, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.on(Method::$method, need.into(), handler)
        }
    )+};
}

impl At {
    methods!(get GET, post POST, patch PATCH, delete DELETE);

    /// A route's address, with no method yet, to be declared behind `base`.
    pub fn new(base: &str, path: &'static str) -> Self {
        let template = RouteTemplate(format!("{}{path}", super::BASE).into());
        let misread = web::PathConfig::default().error_handler(|_, _| ApiError::not_found().into());
        let resource = web::resource(format!("{base}{path}")).app_data(template).app_data(misread);
        Self { path, resource, needs: Vec::new(), tagged: true }
    }

    /// For some requests only.
    pub fn only(self, guard: impl Guard + 'static) -> Self {
        Self { resource: self.resource.guard(guard), ..self }
    }

    /// For what is asked for so often, and is so short, that a tag would cost more than it saves.
    /// To be said before its methods.
    pub fn untagged(self) -> Self {
        assert!(self.needs.is_empty(), "{} has handlers that were told to tag", self.path);
        Self { tagged: false, ..self }
    }

    fn on<F, Args>(mut self, method: Method, need: Need, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.needs.push((method.clone(), need));
        // Not by actix's own guard, which keeps a list of the methods it saw for each call.
        let taken = guard::fn_guard(move |call| is_taken_by(&method, &call.head().method));
        let route = web::route().guard(taken).to(authorized(need, self.tagged, handler));
        Self { resource: self.resource.route(route), ..self }
    }

    /// The methods it takes, as whoever asks or uses another is told.
    fn allow(&self) -> Rc<str> {
        let mut methods: Vec<_> = self.needs.iter().map(|(method, _)| method.as_str()).collect();
        if let Some(get) = methods.iter().position(|method| *method == "GET") {
            methods.insert(get + 1, "HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ").into()
    }
}

/// Whether what is declared for a method answers another: HEAD is a GET whose body the server
/// leaves out when it sends the answer.
fn is_taken_by(declared: &Method, asked: &Method) -> bool {
    asked == declared || (asked == Method::HEAD && declared == Method::GET)
}

/// The answer to a method that nothing is declared for.
fn other(method: &Method, allow: &str) -> Result<HttpResponse, ApiError> {
    match *method {
        Method::OPTIONS => Ok(HttpResponse::NoContent().insert_header((ALLOW, allow)).finish()),
        _ => Err(ApiError::method_not_allowed(allow)),
    }
}

/// A handler that is called once the caller has passed. No middleware, which would be one more
/// layer for each call to go through: this is all that stands before the handler's arguments.
pub fn authorized<F, Args>(
    need: Need,
    tagged: bool,
    handler: F,
) -> impl Handler<(HttpRequest, web::Payload), Output = Result<HttpResponse, Error>>
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    move |request: HttpRequest, payload: web::Payload| {
        let handler = handler.clone();
        async move {
            authorize(&request, need).await?;
            if is_encoded(request.headers()) {
                return Err(ApiError::encoded_body().into());
            }
            let args = Args::from_request(&request, &mut payload.into_inner()).await.map_err(Into::into)?;
            let answer = handler.call(args).await.respond_to(&request).map_into_boxed_body();
            Ok(if tagged { etag::tell(&request, answer) } else { answer })
        }
    }
}

impl HttpServiceFactory for At {
    fn register(self, config: &mut AppService) {
        let allow = self.allow();
        let other = move |method: Method| std::future::ready(other(&method, &allow));
        // A method that is not taken needs nothing to be told so.
        let other = web::to(authorized(Need::AnyToken, false, other));
        self.resource.default_service(other).register(config);
    }
}
