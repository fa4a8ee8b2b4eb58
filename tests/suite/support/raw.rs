//! A single HTTP/1.1 exchange over a raw socket, for tests that check every byte of a response or send requests that no
//! client library would.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};

use super::client::Response;
use super::contract;

/// A response, as it was on the wire.
#[derive(Debug)]
pub struct RawResponse {
    /// `HTTP/1.1 200 OK`
    pub status: String,
    /// In order, with the server's own capitalization.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl RawResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the status line and headers, one per line, without those that change with each response.
    pub fn head_without(&self, changing: &[&str]) -> String {
        let mut head = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            if !changing.iter().any(|it| it.eq_ignore_ascii_case(name)) {
                head.push_str(&format!("{name}: {value}\n"));
            }
        }
        head
    }
}

/// Sends `request_line` (`GET /api/v1/me`) and the header lines unchanged, and adds Host, Connection and,
/// for a body, Content-Length.
pub fn exchange(base: &str, request_line: &str, headers: &[&str], body: &str) -> RawResponse {
    let host = base.trim_start_matches("http://");
    let mut request = format!("{request_line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for line in headers {
        request.push_str(line);
        request.push_str("\r\n");
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    let response = send(base, request.as_bytes());
    check(request_line, &response);
    response
}

/// Checks API responses against the description, which has no other spellings of paths.
fn check(request_line: &str, response: &RawResponse) {
    let (method, target) = request_line.split_once(' ').expect("a method and an address");
    let path = target.split('?').next().unwrap_or_default();
    if path.contains('%') {
        return;
    }
    let header = |(name, value): &(String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        (name, HeaderValue::from_str(value).expect("a value"))
    };
    let status = response.status.split(' ').nth(1).expect("a status").parse().expect("a number");
    let headers = response.headers.iter().map(header).collect();
    contract::check(method, path, &Response { status, headers, body: response.body.clone() });
}

/// Sends exactly these bytes and reads until the server closes.
pub fn send(base: &str, bytes: &[u8]) -> RawResponse {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
    stream.write_all(bytes).expect("a sent request");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("a whole response");
    parse(&String::from_utf8(response).expect("a response in UTF-8"))
}

fn parse(response: &str) -> RawResponse {
    let (head, body) = response.split_once("\r\n\r\n").expect("an empty line after the headers");
    let mut lines = head.split("\r\n");
    let status = lines.next().expect("a status line").to_owned();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut response = RawResponse { status, headers, body: body.to_owned() };
    if response.header("transfer-encoding") == Some("chunked") {
        response.body = joined_chunks(body);
    }
    response
}

fn joined_chunks(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

#[test]
fn a_response_keeps_its_order_and_body() {
    let response = parse("HTTP/1.1 200 OK\r\nB: 1\r\nA: x: y\r\n\r\n{}");
    assert_eq!(response.status, "HTTP/1.1 200 OK");
    assert_eq!(response.header("a"), Some("x: y"));
    assert_eq!(response.head_without(&["a"]), "HTTP/1.1 200 OK\nB: 1\n");
    assert_eq!(response.body, "{}");
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\na\r\n\r\n1\r\nb\r\n0\r\n\r\n";
    assert_eq!(parse(chunked).body, "a\r\nb");
}
