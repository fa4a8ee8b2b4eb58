//! Checks that apply to every page: no violation found by axe, nothing wider than the window, and an empty
//! console.

use super::Browser;
use super::session::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;

pub const DESK: u32 = 1280;
pub const PHONE: u32 = 390;

const AXE: &str = include_str!("../vendor/axe.min.js");

const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, {resultTypes: ['violations']}).then(
        found => done(found.violations.flatMap(it => it.nodes.map(
            node => `${it.id}: ${it.help}: ${node.target} ${node.html}`))),
        cause => done(['axe failed: ' + cause]));";

const TOO_WIDE: &str = "
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.body.querySelectorAll('*')]
        .filter(it => it.getBoundingClientRect().right > width + 1)
        .map(it => it.outerHTML.slice(0, 120));";

impl Browser {
    /// Checks the page on a light desktop and on a dark phone, and saves a screenshot of each as
    /// target/screenshots/NAME-WIDTH-THEME.png. Colors and layout are the same the other way round.
    pub async fn inspect(&self, name: &str) {
        let mut faults = Vec::new();
        for (width, theme, dark) in [(DESK, "light", false), (PHONE, "dark", true)] {
            self.resize(width).await;
            self.dark(dark).await;
            let view = format!("{name}-{width}-{theme}");
            self.screenshot(&view, width).await;
            let found = self.faults().await;
            faults.extend(found.into_iter().map(|it| format!("{view}: {it}")));
        }
        self.resize(DESK).await;
        self.dark(false).await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        self.console_is_quiet().await;
    }

    /// Saves a screenshot as target/screenshots/NAME.png.
    pub async fn screenshot(&self, name: &str, width: u32) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        self.picture(&folder.join(format!("{name}.png")), width).await;
    }

    /// Takes a picture of the whole page.
    pub async fn picture(&self, file: &Path, width: u32) {
        let height = self.script("return document.documentElement.scrollHeight", Vec::new()).await;
        self.measure(width, height.as_u64().unwrap_or(900).clamp(900, 8_000)).await;
        let picture = self.client.screenshot().await.expect("a picture");
        self.resize(width).await;
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for the pictures");
        fs::write(file, picture).expect("a saved picture");
    }

    /// Fails if the console has messages, like a failed script, a blocked style or a missing file.
    pub async fn console_is_quiet(&self) {
        let said = self.console().await;
        assert!(said.is_empty(), "the console said:\n{}", said.join("\n"));
    }

    /// Returns the console's warnings and errors since the last call. They include pages with a status of
    /// 4xx.
    pub async fn console(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Command::console()).await.expect("the console");
        let entries = log.as_array().cloned().unwrap_or_default();
        entries.iter().filter(|it| matters(it)).map(|it| message(it).to_owned()).collect()
    }

    pub async fn faults(&self) -> Vec<String> {
        self.script(AXE, Vec::new()).await;
        let violations = self.wait_for_script(RUN_AXE).await;
        let too_wide = self.overflow().await;
        texts(&violations).map(str::to_owned).chain(too_wide).collect()
    }

    /// What is wider than the window.
    pub async fn overflow(&self) -> Vec<String> {
        let too_wide = self.script(TOO_WIDE, Vec::new()).await;
        texts(&too_wide).map(|it| format!("wider than the window: {it}")).collect()
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Htmx reports a poll as failed when the next page interrupts it.
fn matters(entry: &Value) -> bool {
    let is_interrupted =
        message(entry).contains("htmx:sendAbort") || message(entry).contains("htmx:afterRequest");
    matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")) && !is_interrupted
}

fn message(entry: &Value) -> &str {
    entry["message"].as_str().unwrap_or_default()
}
