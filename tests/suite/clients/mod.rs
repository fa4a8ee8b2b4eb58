//! Public programs that read the API's description and call the API. `tests/clients` pins their versions;
//! tests/run installs them.

mod generated;
mod schemathesis;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The path of a file in `tests/clients`.
fn ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(path)
}

/// The folder in which a kind of program is installed.
fn installed(kind: &str) -> PathBuf {
    std::env::var_os(kind).expect("missing API clients: run tests/run").into()
}

/// A program of the Python environment.
fn python(program: &str) -> Command {
    Command::new(installed("GATEPOST_TEST_PYTHON").join("bin").join(program))
}

/// Runs a program to its end. The server of this test responds to it meanwhile.
async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output().expect("a program: run tests/run"));
    output.await.expect("its end")
}

/// Runs a program that must succeed, and returns its output.
async fn ok(command: Command) -> String {
    let shown = format!("{command:?}");
    let Output { status, stdout, stderr } = run(command).await;
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{shown}: {status}\n{stdout}{stderr}");
    stdout.into_owned()
}
