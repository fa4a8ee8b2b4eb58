//! Sessions of Chromium through chromedriver, and two of its commands that the WebDriver standard lacks.

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A host that is not a secure context, as in a network without HTTPS.
pub const INSECURE_HOST: &str = "gatepost.test";

/// Only this machine can be resolved or reached.
const NAMES: &str = "--host-resolver-rules=MAP gatepost.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

pub async fn open() -> (Client, Close) {
    let driver = std::env::var("GATEPOST_TEST_WEBDRIVER").expect("no chromedriver: run tests/run");
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities());
    let client = builder.connect(&driver).await.expect("a session of Chromium");
    let id = client.session_id().await.expect("a response").expect("a session");
    (client, Close { driver, id })
}

fn capabilities() -> Capabilities {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        "--no-proxy-server",
        NAMES,
    ];
    let capabilities = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"args": arguments},
        "timeouts": {"script": 120_000, "pageLoad": 30_000, "implicit": 0},
    });
    serde_json::from_value(capabilities).expect("an object")
}

/// Ends the session when dropped, even after a failed test: otherwise it would last as long as
/// chromedriver.
pub struct Close {
    driver: String,
    id: String,
}

impl Drop for Close {
    fn drop(&mut self) {
        let host = self.driver.trim_start_matches("http://").trim_end_matches('/');
        let Ok(mut stream) = TcpStream::connect(host) else {
            return;
        };
        let request =
            format!("DELETE /session/{} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", self.id,);
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read(&mut [0; 64]);
    }
}

/// POSTs a JSON body below the session's URL.
#[derive(Debug)]
pub struct Command {
    path: &'static str,
    body: Value,
}

impl Command {
    /// A command of the Chrome DevTools Protocol.
    pub fn devtools(command: &str, parameters: Value) -> Self {
        Self { path: "goog/cdp/execute", body: json!({"cmd": command, "params": parameters}) }
    }

    /// Returns the console's messages since the last call.
    pub fn console() -> Self {
        Self { path: "se/log", body: json!({"type": "browser"}) }
    }
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
