//! Mail in the browser: it arrives by SMTP and appears automatically.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::story::set_up;
use crate::support::Browser;
use crate::support::process::{Gatepost, Serving};

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

/// Presses a key in the focused element.
async fn key(browser: &Browser, key: &str) {
    let press = "const on = document.activeElement ?? document.body;
        on.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }));";
    browser.script(press, vec![json!(key)]).await;
}

/// Waits until this expression is true in the page.
async fn until(browser: &Browser, what: &str) {
    browser.eventually(what, &format!("return {what}")).await;
}

fn letter(number: usize) -> String {
    format!(
        "From: Cat Clark <cat@customer.test>\r\nTo: hello@gatepost.localhost\r\nSubject: Letter {number}\r\n\
         Message-ID: <{number}@customer.test>\r\n\r\nText of letter {number}.\r\n"
    )
}

/// A browser that shows an inbox, and the command that sends mail to it.
async fn inbox(serving: &Serving) -> (Browser, String) {
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, serving).await;
    browser.visit("/inbox").await;
    browser.press("Create alias").await;
    let line = browser.text("#by-curl").await;
    (browser, line)
}

#[tokio::test]
async fn mail_appears_automatically_and_runs_no_script() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.visit("/inbox").await;
    browser.sees("No messages yet").await;
    browser.inspect("inbox-new").await;
    browser.press("Create alias").await;
    browser.sees("hello@gatepost.localhost").await;
    browser.inspect("inbox-empty").await;

    let line = browser.text("#by-curl").await;
    browser.script("window.stays = true", Vec::new()).await;
    paste(&line);
    browser.find("#rows .is-unread").await;
    until(&browser, "document.title.startsWith('(1) ')").await;

    // The typed text and the page are unchanged.
    browser.fill("Search mail", "pic").await;
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

    // The message opens beside the list, and the frame is as high as its content.
    browser.script("window.stays = true", Vec::new()).await;
    browser.find(".mail-row:first-child a").await.click().await.expect("a click");
    browser.sees("Not verified").await;
    until(&browser, "document.querySelector('.letter-frame[data-fitted]')?.clientHeight < 200").await;
    assert_eq!(browser.script("return window.stays", Vec::new()).await, json!(true));
    assert_eq!(browser.script("return document.activeElement.id", Vec::new()).await, json!("letter-title"));
    browser.sees("Remote images are blocked").await;
    browser.inspect("message").await;
    browser.find(".verified > summary").await.click().await.expect("a click");
    browser.sees("DKIM").await;
    browser.inspect("message-verified").await;
    assert_ne!(browser.script("return document.title", Vec::new()).await, json!("mine"));
    browser.back().await;
    until(&browser, "location.pathname === '/inbox' && !document.querySelector('.letter')").await;
    browser.find(".mail-row:first-child a").await.click().await.expect("a click");
    browser.sees("Remote images are blocked").await;
    browser.find(".pane-bar [data-act='#']").await.click().await.expect("a click");
    browser.sees("This can't be undone").await;
    browser.inspect("message-delete").await;
    browser.press("Delete message").await;
    browser.sees("Deleted.").await;
}

#[tokio::test]
async fn keys_navigate_the_list_and_actions_can_be_undone() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let (browser, line) = inbox(&serving).await;
    for number in 1..=3 {
        send(&line, &letter(number));
    }
    browser.sees("Letter 3").await;
    key(&browser, "j").await;
    key(&browser, "j").await;
    until(&browser, "document.activeElement.textContent === 'Letter 2'").await;
    key(&browser, "x").await;
    key(&browser, "j").await;
    key(&browser, "x").await;
    browser.sees("2 selected").await;
    browser.inspect("inbox-selected").await;

    // A new message changes neither the selection nor the focus.
    send(&line, &letter(4));
    browser.sees("Letter 4").await;
    browser.sees("2 selected").await;
    assert_eq!(browser.script("return document.activeElement.value", Vec::new()).await, json!(null));
    key(&browser, "e").await;
    browser.sees("2 messages archived.").await;
    until(&browser, "document.querySelectorAll('.mail-row').length === 2").await;
    browser.press("Undo").await;
    until(&browser, "document.querySelectorAll('.mail-row').length === 4").await;

    browser.find(".mail-row:first-child a").await.click().await.expect("a click");
    until(&browser, "document.getElementById('letter-title')?.textContent === 'Letter 4'").await;
    key(&browser, "j").await;
    until(&browser, "document.getElementById('letter-title')?.textContent === 'Letter 3'").await;
    until(&browser, "document.querySelector('.mail-row[aria-current] b').textContent === 'Letter 3'").await;
    key(&browser, "e").await;
    browser.sees("Message archived.").await;
    until(&browser, "location.pathname === '/inbox' && !document.querySelector('.letter')").await;
    until(&browser, "document.querySelectorAll('.mail-row').length === 3").await;
    browser.console_is_quiet().await;
}

#[tokio::test]
async fn mail_is_read_without_javascript() {
    let gatepost = Gatepost::new();
    let serving = gatepost.serve();
    let browser = Browser::open(&serving.base).await;
    set_up(&browser, &serving).await;
    browser.javascript(false).await;
    browser.visit("/inbox").await;
    browser.press("Create alias").await;
    browser.press("Send a test message").await;
    browser.sees("Test message delivered.").await;
    let subject = browser.find(".mail-open").await;
    subject.click().await.expect("a click");
    browser.sees("Your inbox works").await;
    browser.find("[data-act=u].button-icon").await.click().await.expect("a click");
    browser.sees("Marked as unread.").await;
    browser.find(".mail-pick > input").await.click().await.expect("a click");
    browser.press("Archive").await;
    browser.sees("Inbox is empty").await;
    browser.press("All").await;
    browser.sees("Archived").await;
    browser.find(".mail-open").await.click().await.expect("a click");
    browser.find(".pane-bar [data-act='#']").await.click().await.expect("a click");
    browser.sees("This can't be undone").await;
    browser.press("Delete message").await;
    browser.sees("Deleted.").await;
}
