//! Any path, header or body gets a page or a refusal, never a 5xx. A handler that panics closes its connection without
//! a response, which fails here too.

use futures_util::{StreamExt, stream};
use gatepost::domain::access::plans::Plan;
use gatepost::web::api::openapi;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};

use crate::access::rows::{self, Row, Sends};
use crate::access::{fill, with_body};
use crate::support::client::{Api, Response, Visitor, send};
use crate::support::people::Person::Ada;
use crate::support::process::Gatepost;
use crate::support::{TestApp, both_engines, raw};

/// Encoded for a URL.
const TEXTS: [&str; 24] = [
    "",
    "%00",
    "a%00b",
    "%0D%0Ax:%20y",
    "%FF%FE",
    "%ED%A0%80",
    "%C0%AE",
    "%",
    "%zz",
    "%E2%80%AE",
    "%F3%A0%81%81",
    "%25%5C",
    "'%22*()",
    "-1",
    "9223372036854775807",
    "99999999999999999999",
    "0000-01-01",
    "1969-12-31T23:59:59Z",
    "0000-01-01T00:00:00%2B23:59",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31",
    "-9999-01-01",
    "NaN",
    "alias_ffffffffffffffffffffffffffffffff",
];

/// The query parameters of pages. The API's are in its description, and those of plain nouns in
/// their routes.
const QUERIES: [(&str, &[&str]); 14] = [
    ("GET /setup", &["key"]),
    ("GET /sign-in", &["to", "notice"]),
    ("GET /inbox", &["q", "alias", "contact", "state", "unread", "before"]),
    ("GET /inbox/news", &["q", "alias", "before", "known-count", "known-newest", "known-rows", "known-team"]),
    ("GET /aliases", &["q", "state", "domain", "before"]),
    (
        "GET /activity",
        &["kind", "person", "token", "status", "from", "until", "before", "period", "live", "known"],
    ),
    ("GET /activity/export", &["kind", "person", "token", "status", "from", "until"]),
    ("GET /", &["period", "done"]),
    ("GET /developer/docs", &["q"]),
    ("GET /developer/docs/{id}", &["q"]),
    ("GET /developer", &["state", "q", "sort", "before"]),
    ("GET /developer/usage", &["period"]),
    ("GET /developer/tokens", &["state", "q", "sort", "before"]),
    ("GET /developer/tokens/{id}", &["period", "status"]),
];

/// The query parameters that the row's route reads.
fn parameters(row: &Row) -> Vec<&'static str> {
    let pages =
        QUERIES.iter().filter(|(route, _)| *route == row.route).flat_map(|(_, names)| *names).copied();
    let filters = gatepost::web::routes::filters().into_iter();
    let filters = filters.filter(|(path, names)| !names.is_empty() && row.route == format!("GET {path}"));
    let filters = filters.flat_map(|(_, names)| names.iter().copied().chain(["before"]));
    pages.chain(filters).chain(described(row.route)).collect()
}

/// The query parameters in the API's description.
fn described(route: &str) -> impl Iterator<Item = &'static str> {
    let (api, (method, path)) = (openapi::description(), route.split_once(' ').expect("a method and a path"));
    let listed = api["paths"][path][method.to_lowercase()]["parameters"].as_array();
    let resolved = listed.into_iter().flatten().map(|it| match it["$ref"].as_str() {
        Some(place) => api.pointer(place.trim_start_matches('#')).expect("a parameter"),
        None => it,
    });
    resolved.filter(|it| it["in"] == "query").filter_map(|it| it["name"].as_str())
}

fn queries(row: &Row, text: &str) -> Vec<String> {
    let named = parameters(row).into_iter().map(|name| format!("{name}={text}"));
    named.chain([text.to_owned()]).collect()
}

const HEADERS: [&str; 16] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cookie",
    "hx-current-url",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "origin",
    "range",
    "sec-fetch-site",
    "user-agent",
    "x-api-key",
    "x-forwarded-for",
];

/// Enough to test long headers, which are read before routing.
const SAMPLE_ROUTES: [&str; 4] =
    ["GET /inbox", "GET /static/{path:.*}", "GET /developer/docs", "GET /api/v1/messages"];

/// Field names of forms and bodies in the whole program.
const FIELDS: [&str; 14] = [
    "name",
    "note",
    "address",
    "localPart",
    "domain",
    "email",
    "password",
    "state",
    "role",
    "key",
    "scopes",
    "team",
    "path.id",
    "body",
];

const TYPED: [&str; 9] = [
    "\0",
    "a\0b",
    "a\nb",
    "\u{202e}abc",
    "\u{e0041}\u{feff}",
    "\u{fdfa}\u{fdfa}",
    "%",
    "🏴\u{200d}☠\u{fe0f}",
    "İıſß",
];

/// More bytes than any page has.
const MAX_PAGE: usize = 2_000_000;

/// Opens the API for Acme, and returns its owner and a token.
async fn open(app: &TestApp) -> (Visitor, Api) {
    app.switch_api("Acme", true);
    app.set_plan("Acme", Plan::Enterprise);
    (app.as_(Ada).await, app.api(&app.token("Acme", "ci")))
}

/// Sends the requests a few at a time, and returns those with a bad response.
async fn faults(requests: Vec<(String, RequestBuilder)>) -> Vec<String> {
    let responses = stream::iter(requests).map(async |(what, request)| (what, send(request).await));
    let faulty = |(what, response): (String, Response)| async move {
        let is_well = response.status < 500 && response.body.len() < MAX_PAGE;
        (!is_well).then(|| format!("{what:.200}: {} {:.200}", response.status, response.body))
    };
    responses.buffer_unordered(8).filter_map(faulty).collect().await
}

/// The readable resources, with the URL of an existing one.
fn readable(app: &TestApp) -> Vec<(Row, String)> {
    let rows = rows::all().into_iter().filter(|row| row.route.starts_with("GET "));
    rows.map(|row| (row, fill(app, &row).1)).collect()
}

fn ask(row: &Row, (ada, ci): (&Visitor, &Api), path: &str) -> RequestBuilder {
    match row.route.contains(" /api/") {
        true => ci.request(Method::GET, path),
        false => ada.request(Method::GET, path),
    }
}

both_engines! {
    async fn no_query_causes_a_500(app: TestApp) {
        let (ada, ci) = open(&app).await;
        let long = ["x".repeat(300), "%00".repeat(5000), "x".repeat(60_000), "%F0%9F%98%80".repeat(5000)];
        let texts: Vec<&str> = TEXTS.into_iter().chain(long.iter().map(|text| &**text)).collect();
        let mut requests = Vec::new();
        for (row, path) in readable(&app) {
            for text in &texts {
                for query in queries(&row, text) {
                    let address = format!("{path}?{query}");
                    let request = ask(&row, (&ada, &ci), &address);
                    // Every other request is sent as htmx does.
                    let request = if requests.len() % 2 == 0 { request } else { request.header("HX-Request", "true") };
                    requests.push((address, request));
                }
            }
        }
        let faults = faults(requests).await;
        assert!(faults.is_empty(), "{faults:#?}");
    }

    async fn no_path_causes_a_500(app: TestApp) {
        let (ada, ci) = open(&app).await;
        let long = ["x".repeat(5000), "%00".repeat(5000), "%2F".repeat(500), "a/".repeat(5000)];
        let mut requests = Vec::new();
        for row in rows::all().into_iter().filter(|row| row.route.contains('{') && row.route.starts_with("GET ")) {
            let template = row.route.trim_start_matches("GET ");
            for text in TEXTS.into_iter().chain(long.iter().map(|text| &**text)) {
                let parts: Vec<_> = template.split('/').map(|part| if part.contains('{') { text } else { part }).collect();
                let path = parts.join("/");
                requests.push((path.clone(), ask(&row, (&ada, &ci), &path)));
            }
        }
        let faults = faults(requests).await;
        assert!(faults.is_empty(), "{faults:#?}");
    }

    async fn no_form_text_causes_a_500(app: TestApp) {
        let (ada, ci) = open(&app).await;
        let long = ["x".repeat(50_000), "\u{65e5}".repeat(1001)];
        let mut requests = Vec::new();
        for row in rows::all().into_iter().filter(|row| !matches!(row.sends, Sends::Nothing) && !row.fields.is_empty()) {
            // These would end the session that sends the rest.
            if row.route.contains("/account/password") || row.route.contains("/sign-in") {
                continue;
            }
            for text in TYPED.into_iter().chain(long.iter().map(|text| &**text)) {
                let known = row.fields.iter().map(|(name, _)| *name).chain(FIELDS);
                let fields = known.map(|name| (name, text.to_owned())).collect();
                let (method, path, _) = fill(&app, &row);
                let request = match row.route.contains(" /api/") {
                    true => ci.request(method, &path),
                    false => ada.request(method, &path).header("Sec-Fetch-Site", "same-origin"),
                };
                let only = row.fields.iter().map(|(name, _)| (*name, text.to_owned())).collect();
                let all_at_once = request.try_clone().expect("no body yet");
                requests.push((format!("{} {text:?}", row.route), with_body(request, &row, only)));
                requests.push((format!("{} everywhere {text:?}", row.route), with_body(all_at_once, &row, fields)));
            }
        }
        let faults = faults(requests).await;
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

#[tokio::test]
async fn a_search_has_a_maximum_length() {
    let app = TestApp::sqlite().await;
    let (ada, ci) = open(&app).await;
    // Only scripts get updates; other requests are redirected to the list.
    let searches = |row: &Row| parameters(row).contains(&"q") && row.route != "GET /inbox/news";
    for (row, path) in readable(&app).into_iter().filter(|(row, _)| searches(row)) {
        for (length, is_refused) in [(254, false), (255, true)] {
            let address = format!("{path}?q={}", "x".repeat(length));
            let status = send(ask(&row, (&ada, &ci), &address)).await.status;
            assert_eq!([400, 422].contains(&status), is_refused, "{}: {length}: {status}", row.route);
        }
    }
}

#[tokio::test]
async fn no_header_causes_a_500() {
    let app = TestApp::with_settings(&[("GATEPOST_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let (ada, ci) = open(&app).await;
    let long = [vec![b'x'; 50_000], vec![b','; 50_000], b"a/b;q=0.1,".repeat(3000), b"\"".repeat(9000)];
    let short: [&[u8]; 8] =
        [b"", b"\xff\xfe", b"\"", b"W/\"", b";q=", b"*/*;q=2, /", b"bytes=5-1,-0", b"\t=;=,[]"];
    let mut requests = Vec::new();
    for (row, path) in readable(&app) {
        for (number, value) in short.into_iter().chain(long.iter().map(|value| &**value)).enumerate() {
            // All long values together would exceed the maximum size of a header.
            let rounds: Vec<&[&str]> =
                if number < short.len() { vec![&HEADERS] } else { HEADERS.chunks(1).collect() };
            let rounds =
                rounds.into_iter().filter(|_| number < short.len() || SAMPLE_ROUTES.contains(&row.route));
            for names in rounds {
                let mut request = ask(&row, (&ada, &ci), &path);
                // Another credential or session would replace the test's own.
                for name in
                    names.iter().filter(|name| !["cookie", "authorization", "x-api-key"].contains(*name))
                {
                    let name = HeaderName::from_static(name);
                    request = request.header(name, HeaderValue::from_bytes(value).expect("a value"));
                }
                requests.push((format!("{path} {names:?} {number}"), request));
            }
        }
    }
    let visitor = app.visitor();
    for name in ["cookie", "authorization", "x-api-key"] {
        for value in short.into_iter().chain(long.iter().map(|value| &**value)) {
            for path in ["/inbox", "/sign-in", "/api/v1/me", "/api/v1/messages"] {
                let value = HeaderValue::from_bytes(value).expect("a value");
                requests
                    .push((format!("{path} {name}"), visitor.request(Method::GET, path).header(name, value)));
            }
        }
    }
    let faults = faults(requests).await;
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The length of a log line does not depend on the request.
#[test]
fn log_lines_are_bounded() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let (word, before) = ("X".repeat(60_000), serving.stderr().len());
    for request in [
        format!("{word} /inbox HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        format!("{word} /api/v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        format!("GET /{word} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        format!("GET /inbox?q={word} HTTP/1.1\r\nHost: {word}\r\nConnection: close\r\n\r\n"),
        format!("GET /sign-in HTTP/1.1\r\nHost: a\r\nUser-Agent: {word}\r\nConnection: close\r\n\r\n"),
    ] {
        let response = raw::send(&serving.base, request.as_bytes());
        assert!(
            response.status.starts_with("HTTP/1.1 4")
                || response.status.starts_with("HTTP/1.1 3")
                || response.status.ends_with("200 OK"),
            "{}",
            response.status
        );
    }
    let log = serving.terminate().stderr;
    assert!(log.contains("method=\"OTHER\""), "{log:.3000}");
    assert!(log.len() - before < 10_000, "{} bytes", log.len() - before);
}
