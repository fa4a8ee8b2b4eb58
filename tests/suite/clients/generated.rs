//! Clients that public generators create from the description, each with a small program that uses it. The
//! strictest checkers of their languages check both.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{installed, ok, ours, python};
use crate::support::{TestApp, mail_server};

/// Calls per hour. The story needs about half before it exhausts the rest.
const LIMIT: &str = "pro=20";

#[tokio::test]
async fn a_generated_python_client_works() {
    let app = TestApp::with_settings(&[("GATEPOST_PLAN_LIMITS", LIMIT)]).await;
    let folder = TempDir::new().expect("a folder");
    let mut generate = python("openapi-python-client");
    generate.args(["generate", "--meta", "none", "--fail-on-warning", "--url", &description(&app)]);
    generate.arg("--output-path").arg(folder.path().join("gatepost"));
    generate.arg("--config").arg(ours("python/generator.yml"));
    ok(generate).await;
    fs::copy(ours("python/story.py"), folder.path().join("story.py")).expect("a copy");
    let mut check = python("mypy");
    check.args(["--strict", "--no-incremental", "story.py", "gatepost"]).current_dir(folder.path());
    ok(check).await;
    let mut story = python("python");
    story.arg("story.py").current_dir(folder.path());
    runs(app, story).await;
}

#[tokio::test]
async fn a_generated_typescript_client_works() {
    let app = TestApp::with_settings(&[("GATEPOST_PLAN_LIMITS", LIMIT)]).await;
    let folder = TempDir::new().expect("a folder");
    let modules = installed("GATEPOST_TEST_NODE").join("node_modules");
    for file in ["package.json", "tsconfig.json", "story.ts"] {
        fs::copy(ours("typescript").join(file), folder.path().join(file)).expect("a copy");
    }
    symlink(&modules, folder.path().join("node_modules")).expect("a link");
    let program = |name: &str| {
        let mut command = Command::new(modules.join(".bin").join(name));
        command.current_dir(folder.path());
        command
    };
    let mut generate = program("openapi-typescript");
    generate.args([&description(&app), "--output", "description.ts"]);
    ok(generate).await;
    let mut check = program("tsc");
    check.args(["--project", "."]);
    ok(check).await;
    let mut story = Command::new("node");
    story.arg("built/story.js").current_dir(folder.path());
    runs(app, story).await;
}

fn description(app: &TestApp) -> String {
    format!("{}/api/v1/openapi.json", app.base)
}

/// Runs the story, and advances the clock by the time it wants to wait.
async fn runs(app: TestApp, mut story: Command) {
    app.switch_api("Acme", true);
    let server = mail_server::open(&app.app);
    story.env("API", &app.base).env("TOKEN", app.token("Acme", "ci"));
    story.env("SMTP", mail_server::smtp(&server).to_string());
    let printed = tokio::task::spawn_blocking(move || {
        let mut story = story.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a program");
        let mut stdin = story.stdin.take().expect("its standard input");
        let mut printed = Vec::new();
        for line in BufReader::new(story.stdout.take().expect("its standard output")).lines() {
            let line = line.expect("UTF-8");
            if let Some(seconds) = line.strip_prefix("wait ") {
                app.clock.advance(Duration::from_secs(seconds.parse().expect("whole seconds")));
                writeln!(stdin).expect("a program that waits");
            }
            printed.push(line);
        }
        assert!(story.wait().expect("its end").success(), "{printed:?}");
        printed
    });
    let printed = printed.await.expect("its end");
    let beginnings: Vec<_> = printed.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(beginnings, ["me", "alias", "page", "page", "page", "wait", "then"], "{printed:?}");
    assert_eq!(
        (&*printed[0], &*printed[2], &*printed[4], &*printed[6]),
        ("me Acme ci", "page 2", "page 1", "then 200")
    );
    let seconds: u64 = printed[5]["wait ".len()..].parse().expect("whole seconds");
    assert!((1..=3600).contains(&seconds), "{seconds}");
}
