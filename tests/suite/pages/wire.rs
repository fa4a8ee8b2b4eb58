//! Transfer of pages and files: bundles, encodings and tags.

use crate::support::TestApp;
use crate::support::client::Visitor;
use crate::support::people::Person::{Ada, Eve};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use std::io::Read;

/// The Accept-Encoding of common browsers.
const ALL: &str = "gzip, deflate, br, zstd";

struct Received {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().expect("a readable header"))
    }

    fn vary(&self) -> String {
        let all = self.headers.get_all("vary").iter().filter_map(|it| it.to_str().ok());
        all.collect::<Vec<_>>().join(", ")
    }

    fn text(&self) -> String {
        let mut plain = Vec::new();
        match self.header("content-encoding") {
            "br" => brotli::Decompressor::new(&*self.bytes, 4096).read_to_end(&mut plain),
            "gzip" => flate2::read::GzDecoder::new(&*self.bytes).read_to_end(&mut plain),
            _ => (&*self.bytes).read_to_end(&mut plain),
        }
        .expect("a whole body");
        String::from_utf8(plain).expect("text")
    }
}

async fn get(visitor: &Visitor, path: &str, headers: &[(&str, &str)]) -> Received {
    receive(visitor, Method::GET, path, headers, &[]).await
}

async fn receive(
    visitor: &Visitor,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    form: &[(&str, &str)],
) -> Received {
    let request = visitor.request(method, path).header("sec-fetch-site", "same-origin").form(form);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.expect("a response");
    let (status, headers) = (answer.status(), answer.headers().clone());
    Received { status, headers, bytes: answer.bytes().await.expect("a body").to_vec() }
}

/// The distinct URLs of static files in a text.
fn files(text: &str) -> Vec<String> {
    let ends = |c: char| c == '"' || c == '#';
    let found = text.split('"').filter(|it| it.starts_with("/static/"));
    let mut found: Vec<String> =
        found.map(|it| it.split(ends).next().unwrap_or_default().to_owned()).collect();
    found.sort();
    found.dedup();
    found
}

#[tokio::test]
async fn a_first_load_is_small() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    let page = get(&ada, "/inbox", &[("accept-encoding", ALL)]).await;
    let html = page.text();
    for one in ["/static/app.css", "/static/mail.css", "/static/app.js", "/static/js/htmx.min.js"] {
        assert_eq!(html.matches(one).count(), 1, "{one}");
    }
    let css = get(&ada, "/static/app.css", &[]).await.text();
    let (mut requests, mut text, mut fonts) = (1, page.bytes.len(), 0);
    for file in files(&(html + &css)) {
        let received = get(&ada, &file, &[("accept-encoding", ALL)]).await;
        assert_eq!(received.status, 200, "{file}");
        assert_eq!(received.header("cache-control"), "public, max-age=31536000, immutable", "{file}");
        requests += 1;
        match received.header("content-type") {
            "font/woff2" => fonts += received.bytes.len(),
            _ => text += received.bytes.len(),
        }
    }
    // Fonts of other scripts load only on pages that need them, which a browser test checks.
    assert!(requests <= 9, "{requests} requests");
    assert!(text <= 45_000, "{text} bytes without fonts");
    println!("{requests} requests, {text} bytes and {fonts} bytes of fonts");
}

#[tokio::test]
async fn files_are_sent_in_the_best_accepted_encoding() {
    let app = TestApp::sqlite().await;
    let visitor = app.as_(Eve).await;
    let plain = get(&visitor, "/static/app.css", &[]).await;
    assert!(plain.text().contains("@layer"));
    for (accepted, encoding) in [
        (ALL, "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("identity", ""),
        ("zstd", ""),
        ("gzip;q=0", ""),
        ("", ""),
    ] {
        let received = get(&visitor, "/static/app.css", &[("accept-encoding", accepted)]).await;
        assert_eq!(received.header("content-encoding"), encoding, "{accepted:?}");
        assert_eq!(received.vary(), "Accept-Encoding", "{accepted:?}");
        assert_eq!(received.text(), plain.text(), "{accepted:?}");
        assert!(encoding.is_empty() || received.bytes.len() * 3 < plain.bytes.len(), "{accepted:?}");
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    let app = TestApp::sqlite().await;
    let visitor = app.as_(Eve).await;
    for path in ["/static/app.js", "/static/favicon.svg", "/api/v1/openapi.json"] {
        let mut tags = Vec::new();
        for accepted in ["br", "gzip", "identity"] {
            let first = get(&visitor, path, &[("accept-encoding", accepted)]).await;
            let tag = first.header("etag").to_owned();
            assert!(
                tag.starts_with('"') && !tags.contains(&tag),
                "each encoding needs its own strong tag: {tag}"
            );
            let again = get(&visitor, path, &[("accept-encoding", accepted), ("if-none-match", &tag)]).await;
            assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0), "{path} {accepted}");
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.vary(), "Accept-Encoding");
            tags.push(tag);
        }
        let other = get(&visitor, path, &[("accept-encoding", "br"), ("if-none-match", &tags[1])]).await;
        assert_eq!(other.status, 200, "the tag of another encoding must not match");
    }
}

#[tokio::test]
async fn only_urls_of_this_version_are_cached_forever() {
    let app = TestApp::sqlite().await;
    let visitor = app.as_(Eve).await;
    for path in ["/static/app.css", "/static/app.css?v=0123456789abcdef"] {
        assert_eq!(get(&visitor, path, &[]).await.header("cache-control"), "no-cache", "{path}");
    }
    assert_eq!(get(&visitor, "/static/none.css", &[]).await.status, 404);
}

#[tokio::test]
async fn pages_are_compressed_unless_another_site_or_a_secret_is_in_play() {
    let app = TestApp::sqlite().await;
    let ada = app.as_(Ada).await;
    let encoding = async |headers: &[(&str, &str)]| {
        let page = get(&ada, "/developer", headers).await;
        assert!(page.text().contains("<h1>"));
        assert!(page.vary().contains("Accept-Encoding"), "{}", page.vary());
        page.header("content-encoding").to_owned()
    };
    assert_eq!(encoding(&[("accept-encoding", ALL)]).await, "br");
    assert_eq!(encoding(&[("accept-encoding", "gzip")]).await, "gzip");
    assert_eq!(encoding(&[]).await, "");
    let elsewhere = ada.request(Method::GET, "/developer").header("accept-encoding", ALL);
    let elsewhere = elsewhere.header("sec-fetch-site", "cross-site").send().await.expect("a response");
    assert!(!elsewhere.headers().contains_key("content-encoding"));

    app.switch_api("Acme", true);
    let account = ada.get("/account").await.body;
    let team = account.split("?team=").nth(1).and_then(|it| it.split('"').next()).expect("a team");
    let create = format!("/developer/tokens?team={team}");
    let accepted = [("accept-encoding", ALL)];
    let revealed = receive(&ada, Method::POST, &create, &accepted, &[("name", "backup")]).await;
    assert_eq!((revealed.status.as_u16(), revealed.header("content-encoding")), (200, ""));
    assert!(revealed.text().contains("token-value"));
    let invite = format!("/team/invitations?team={team}");
    let form = [("email", "zoe@acme.test"), ("role", "member")];
    let invited = receive(&ada, Method::POST, &invite, &accepted, &form).await;
    assert_eq!((invited.status.as_u16(), invited.header("content-encoding")), (200, ""));
    assert!(invited.text().contains("invitation-link"));
}

#[tokio::test]
async fn api_responses_are_not_compressed() {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let ada = app.as_(Ada).await;
    let listed = get(&ada, "/api/v1/api-keys", &[("accept-encoding", ALL)]).await;
    assert_eq!((listed.status.as_u16(), listed.header("content-encoding")), (200, ""));
    let described = get(&ada, "/api/v1/openapi.json", &[("accept-encoding", ALL)]).await;
    assert_eq!(described.header("content-encoding"), "br");
    assert!(described.text().starts_with("{\"openapi\""));
}
