//! The test helpers detect the problems they check for.

use crate::support::Browser;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const GOOD: &str = r#"<!doctype html><html lang="en"><head><title>Good</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>
<body><main><h1>Good</h1><label for="a">Name</label><input id="a">
<a href="/bad">To the bad one</a><p id="js">no scripts</p><script src="/script.js"></script></main></body></html>"#;

const BAD: &str = r#"<!doctype html><html lang="en"><head><title>Bad</title>
<link rel="icon" href="data:,"></head><body><main><h1>Bad</h1><img src="data:,">
<pre style="color: red">a wide line a wide line a wide line a wide line a wide line a wide line a wide line
</pre><table><tr><td>wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide_wide</td></tr></table></main></body></html>"#;

const SCRIPT: &str = "document.getElementById('js').textContent = 'scripts ran';";

/// Two pages under a strict policy.
fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    base
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|it| !it.is_empty()).for_each(drop);
    let (kind, body) = match request.split(' ').nth(1) {
        Some("/bad") => ("text/html", BAD),
        Some("/script.js") => ("text/javascript", SCRIPT),
        _ => ("text/html", GOOD),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\
         Content-Security-Policy: default-src 'self'; img-src data:\r\n\r\n{body}",
        body.len(),
    );
}

#[tokio::test]
async fn inspection_finds_the_faults_of_a_page() {
    let browser = Browser::open(&site()).await;
    browser.visit("/").await;
    browser.inspect("helpers").await;
    browser.fill("Name", "Ada").await;
    assert_eq!(browser.value("#a").await, "Ada");
    browser.press("To the bad one").await;
    browser.sees("a wide line").await;
    assert_eq!(browser.path().await, "/bad");

    let refused = browser.console().await.join("\n");
    assert!(refused.contains("Content Security Policy"), "{refused}");
    let faults = browser.faults().await.join("\n");
    assert!(faults.contains("image-alt"), "{faults}");
    assert!(faults.contains("wider than the window"), "{faults}");
}

#[tokio::test]
async fn scripts_can_be_off_and_the_clipboard_read() {
    let browser = Browser::open(&site()).await;
    browser.visit("/").await;
    browser.sees("scripts ran").await;
    browser.allow_clipboard().await;
    browser.script("return navigator.clipboard.writeText('copied')", Vec::new()).await;
    assert_eq!(browser.clipboard().await, "copied");

    browser.javascript(false).await;
    browser.visit("/").await;
    browser.sees("no scripts").await;
    browser.javascript(true).await;
    browser.visit("/").await;
    browser.sees("scripts ran").await;
}
