//! Every example runs as printed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gatepost::domain::access::scopes::Scopes;
use gatepost::web::api;

use super::ALL;
use crate::access::rows::{self, things};
use crate::support::TestApp;
use crate::support::people::Person::Cy;

/// Environment variables for the examples: a new token, and new resources from the rows of the access
/// tests.
fn environment(app: &TestApp) -> Vec<(String, String)> {
    let token = app.token_with("Acme", &things::fresh_name(app), Scopes::ALL);
    let shown =
        rows::api().into_iter().filter(|row| row.route.starts_with("GET ") && row.route.ends_with('}'));
    let things: Vec<_> = shown.map(|row| row.thing.create(app)).collect();
    let ids = things.iter().flat_map(|thing| thing.split('/'));
    [("GATEPOST_TOKEN".into(), token)]
        .into_iter()
        .chain(ids.map(|id| (variable(id), id.to_owned())))
        .collect()
}

/// Returns `ALIAS_ID` for `alias_…`.
fn variable(id: &str) -> String {
    let prefix = |id: &str| id.split('_').next().map(str::to_owned);
    let noun = api::ids().into_iter().find(|(_, example)| prefix(example) == prefix(id));
    format!("{}_ID", noun.expect("an id that is in a path").0.to_uppercase())
}

/// Returns the examples of the page in one language: id, text, and status of the response.
async fn printed(app: &TestApp, language: &str) -> Vec<(String, String, String)> {
    let page = app.as_(Cy).await.get(ALL).await.expect(200).page();
    let all = page.verbatim(&format!("pre[data-language={language}]"));
    let all: Vec<_> =
        all.into_iter().map(|(its, text)| (its["id"].clone(), text, its["data-responses"].clone())).collect();
    let operations = page.verbatim(".op > .op-text .op-path").len();
    let for_people = page.verbatim("pre[id$=-dashboard]").len();
    assert_eq!(all.len(), operations - for_people + 2, "each operation for tokens, and two chapters");
    all
}

/// Runs each example in its own environment. `run` gets the folder and the text.
async fn run_all(language: &str, mut run: impl FnMut(&Path, &str) -> Command) {
    let app = TestApp::sqlite().await;
    app.switch_api("Acme", true);
    let (folder, mut wrong) = (tempfile::tempdir().expect("a folder"), Vec::new());
    for (id, text, status) in printed(&app, language).await {
        let mut command = run(folder.path(), &text);
        let done = command.envs(environment(&app)).current_dir(folder.path()).output().expect("a program");
        if !answered(&done, &status) {
            wrong.push(format!("{id}, which promises {status}:\n{text}\n{done:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whether the program succeeded and printed this status, in its own line or before the body.
fn answered(done: &Output, status: &str) -> bool {
    let printed = String::from_utf8_lossy(&done.stdout);
    let (first, last) = (printed.split_whitespace().next(), printed.lines().last());
    done.status.success() && [first, last].contains(&Some(status))
}

#[tokio::test]
async fn each_line_of_curl_works_as_printed() {
    run_all("curl", |folder, line| {
        fs::write(folder.join(".curlrc"), "silent\nwrite-out = \"\\n%{http_code}\"\n").expect("a file");
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("CURL_HOME", folder);
        shell
    })
    .await;
}

#[tokio::test]
async fn each_script_of_python_works_as_printed() {
    run_all("python", |folder, script| {
        fs::write(folder.join("example.py"), script).expect("a file");
        let mut python = Command::new("python3");
        python.arg("example.py");
        python
    })
    .await;
}

#[tokio::test]
async fn each_script_of_javascript_works_as_printed() {
    run_all("javascript", |folder, script| {
        fs::write(folder.join("example.mjs"), script).expect("a file");
        let mut node = Command::new("node");
        node.arg("example.mjs");
        node
    })
    .await;
}
