//! Clients: a person's browser, and an app with a token.

use super::contract;
use super::html::{self, Page};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::Value;

/// A response, read to its end.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Response {
    /// Fails and prints the response, unless it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#?}\n{}", self.headers, self.body);
        self
    }

    /// Returns a header's value; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().expect("a readable header"))
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// Returns the value of a cookie that the response sets; empty without one.
    pub fn cookie(&self, name: &str) -> String {
        let set = self.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok());
        let value = |it: &str| Some(it.split(';').next()?.strip_prefix(name)?.strip_prefix('=')?.to_owned());
        set.filter_map(value).next_back().unwrap_or_default()
    }

    /// Returns the code of the notice that the next page shows.
    pub fn notice(&self) -> String {
        self.cookie("gatepost-notice")
    }

    pub fn page(&self) -> Page {
        Page::parse(&self.body)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// Returns the `code` of an API error.
    #[track_caller]
    pub fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().expect("a code").to_owned()
    }
}

/// A person's browser. It keeps cookies and sends the headers about a request's origin, but does not
/// follow redirects.
pub struct Visitor {
    client: Client,
    base: String,
}

impl Visitor {
    pub fn new(base: &str) -> Self {
        let client = client().cookie_store(true).user_agent("Test browser").build();
        Self { client: client.expect("a client"), base: base.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Response {
        send(self.within_site(Method::GET, path)).await
    }

    /// Sends a form as a page of the current team does.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let path = self.of_the_team(path).await;
        self.post_as_is(&path, fields).await
    }

    /// Sends a form to exactly this path.
    pub async fn post_as_is(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        send(self.within_site(Method::POST, path).form(fields)).await
    }

    /// Adds the current team to the path of a form, unless it has a team or needs none.
    async fn of_the_team(&self, path: &str) -> String {
        if html::is_of_no_team(path) || path.contains("?team=") {
            return path.to_owned();
        }
        let page = self.get("/account").await.body;
        let named = page.split("?team=").nth(1).and_then(|rest| rest.split('"').next());
        named.map_or_else(|| path.to_owned(), |team| format!("{path}?team={team}"))
    }

    /// Sends a form and opens the page to which it redirects.
    pub async fn post_and_follow(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let response = self.post(path, fields).await.expect(303);
        self.get(response.location()).await
    }

    /// Requests a fragment, as htmx does.
    pub async fn fragment(&self, path: &str) -> Response {
        send(self.within_site(Method::GET, path).header("HX-Request", "true")).await
    }

    /// Sends a form as htmx does.
    pub async fn post_fragment(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let path = self.of_the_team(path).await;
        send(self.within_site(Method::POST, &path).header("HX-Request", "true").form(fields)).await
    }

    /// A request as sent by a script of our own pages.
    pub async fn send_json(&self, method: Method, path: &str, body: &Value) -> Response {
        send(self.within_site(method, path).json(body)).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Response {
        self.post("/sign-in", &[("email", email), ("password", password)]).await
    }

    /// A request with only the headers that the caller adds; see [`send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    fn within_site(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("Sec-Fetch-Site", "same-origin")
    }
}

/// An app, which sends its credential headers and nothing else.
pub struct Api {
    client: Client,
    base: String,
    credentials: Vec<(String, String)>,
}

impl Api {
    /// `credentials` are any number of headers.
    pub fn new(base: &str, credentials: &[(&str, &str)]) -> Self {
        let credentials = credentials.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Self {
            client: client().build().expect("a client"),
            base: base.to_owned(),
            credentials: credentials.collect(),
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        send(self.request(Method::DELETE, path)).await
    }

    pub async fn send_json(&self, method: Method, path: &str, body: &Value) -> Response {
        send(self.request(method, path).json(body)).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        self.credentials.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// Closes idle connections before the server does, because it could close one just as it is reused.
fn client() -> reqwest::ClientBuilder {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    client.pool_idle_timeout(std::time::Duration::from_secs(3))
}

/// Sends a request. Checks that API responses match the OpenAPI description, and that forms name their team.
pub async fn send(request: RequestBuilder) -> Response {
    let (client, request) = request.build_split();
    let request = request.expect("a request");
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.expect("a response");
    let response = Response {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.expect("a body in UTF-8"),
    };
    contract::check(method.as_str(), &path, &response);
    let teamless = html::forms_without_team(&response.body);
    assert!(teamless.is_empty(), "{method} {path}: no team in {teamless:?}");
    response
}
