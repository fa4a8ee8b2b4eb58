//! Mail in the browser: it comes in by SMTP and appears automatically.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::story::set_up;
use crate::support::Browser;
use crate::support::process::Gatepost;

const LETTER: &str = "From: Cat Clark <cat@customer.test>\r\nTo: hello@gatepost.localhost\r\n\
    Subject: The picture you asked for\r\nMessage-ID: <picture@customer.test>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <h2>Dear reader,</h2><p>here is the <b>picture</b>: <a href=\"https://customer.test/\">see more</a>.</p>\
    <script>top.document.title = 'mine'</script><img src=\"https://customer.test/x.png\" alt=\"A view\">\r\n\
    --b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=view.png\r\n\r\nno png\r\n--b--\r\n";

/// Runs a command unchanged in a shell.
fn paste(line: &str) {
    let output = Command::new("sh").args(["-c", line]).output().expect("a shell");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Sends a message to the mail server that this command names.
fn send(line: &str, letter: &str) {
    let server = line.split_whitespace().find(|word| word.starts_with("smtp://")).expect("a mail server");
    let to = ["--mail-from", "cat@customer.test", "--mail-rcpt", "hello@gatepost.localhost", "-T", "-"];
    let mut curl =
        Command::new("curl").arg("-sS").arg(server).args(to).stdin(Stdio::piped()).spawn().expect("curl");
    curl.stdin.take().expect("its input").write_all(letter.as_bytes()).expect("a letter");
    assert!(curl.wait().expect("its end").success());
}

#[tokio::test]
async fn mail_appears_automatically_and_runs_nothing() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/inbox").await;
    browser.sees("No messages yet").await;
    browser.inspect("inbox-new").await;
    browser.press("Create address").await;
    browser.sees("hello@gatepost.localhost").await;
    browser.inspect("inbox-empty").await;

    let line = browser.text("#by-curl").await;
    browser.script("window.stays = true", Vec::new()).await;
    paste(&line);
    browser.find("#rows .message-unread").await;
    let count = "return document.querySelector('.side .nav-count').textContent";
    assert_eq!(browser.script(count, Vec::new()).await, json!("1 unread"));

    // The typed text and the page stay.
    browser.fill("Search", "pic").await;
    browser.sees("No matches").await;
    send(&line, LETTER);
    browser.sees("The picture you asked for").await;
    assert_eq!(browser.value("#q").await, "pic");
    assert_eq!(browser.script("return document.activeElement.id", Vec::new()).await, json!("q"));
    assert_eq!(browser.path().await, "/inbox?q=pic");
    assert_eq!(browser.script("return window.stays", Vec::new()).await, json!(true));
    browser.visit("/inbox").await;
    browser.sees("First message").await;
    browser.inspect("inbox").await;

    browser.find(".message:first-child a").await.click().await.expect("a click");
    browser.sees("Sender verification").await;
    browser.inspect("message").await;
    browser.press("HTML").await;
    browser.sees("Load images").await;
    browser.inspect("message-html").await;
    assert_ne!(browser.script("return document.title", Vec::new()).await, json!("mine"));
    browser.press("Delete").await;
    browser.sees("This can't be undone").await;
    browser.inspect("message-delete").await;
    browser.press("Delete message").await;
    browser.sees("Message deleted").await;
}

#[tokio::test]
async fn mail_is_read_without_javascript() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.javascript(false).await;
    browser.visit("/inbox").await;
    browser.press("Create address").await;
    let line = browser.text("#by-swaks").await;
    paste(&line);
    browser.visit("/inbox").await;
    browser.fill("Search", "hel").await;
    browser.press("Search").await;
    browser.sees("First message").await;
    browser.find(".message a").await.click().await.expect("a click");
    browser.sees("Sender verification").await;
    browser.press("Mark unread").await;
    browser.sees("marked as unread").await;
    browser.find(".message a").await.click().await.expect("a click");
    browser.press("Delete").await;
    browser.sees("This can't be undone").await;
    browser.press("Delete message").await;
    browser.sees("Message deleted").await;
}
