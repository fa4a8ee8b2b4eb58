//! The real binary in its own process, as an operator runs it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Refuses connections at once, so that no test uses the machine's own DNS servers.
pub const NO_DNS: &str = "127.0.0.1:9";

/// The mount point of a small disk in the data folder.
const DISK: &str = "disk";

/// An installation: a data folder and settings, without the caller's environment.
pub struct Gatepost {
    pub data: TempDir,
    settings: BTreeMap<String, String>,
}

/// The result of a command.
#[derive(Debug)]
pub struct Finished {
    /// `None` if a signal ended the process.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Gatepost {
    /// On SQLite, in an empty folder.
    pub fn new() -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let folder = data.path().display().to_string();
        let gatepost = Self { data, settings: BTreeMap::new() };
        let gatepost = gatepost.with("GATEPOST_DATA", &folder).with("GATEPOST_LISTEN", "127.0.0.1:0");
        gatepost.with("GATEPOST_SMTP_LISTEN", "127.0.0.1:0").with("GATEPOST_DNS", NO_DNS)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Runs a command until it exits.
    pub fn run(&self, arguments: &[&str], stdin: &str) -> Finished {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("gatepost");
        let mut input = child.stdin.take().expect("its standard input");
        // Commands that fail early don't read it.
        let _ = input.write_all(stdin.as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("its output");
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }

    /// Runs a command that must succeed, and returns its output.
    pub fn ok(&self, arguments: &[&str], stdin: &str) -> String {
        let finished = self.run(arguments, stdin);
        assert_eq!(finished.code, Some(0), "gatepost {arguments:?}: {finished:?}");
        finished.stdout
    }

    /// Starts `serve` and waits until it listens.
    pub fn serve(&self) -> Serving {
        self.start(&["serve"])
    }

    /// Starts `serve` with a soft limit on open files, as most systems have it.
    pub fn serve_with_open_files(&self, soft: usize) -> Serving {
        let mut command = Command::new("sh");
        command.args(["-c", r#"ulimit -S -n "$1"; exec "$2" serve"#, "sh", &soft.to_string()]);
        command.arg(env!("CARGO_BIN_EXE_gatepost"));
        self.settle(&mut command);
        Self::follow(command)
    }

    /// Starts a command that serves, and waits until it listens.
    pub fn start(&self, arguments: &[&str]) -> Serving {
        Self::follow(self.command(arguments))
    }

    /// Starts `serve` with a copy of the data folder on a file system of this size, which only the process sees (see
    /// [`Serving::disk`]). Needs root, or a system that allows users to mount in their own namespace.
    pub fn serve_on_disk_of(&self, size: &str) -> Serving {
        let disk = self.data.path().join(DISK);
        std::fs::create_dir_all(&disk).expect("a folder");
        let script = r#"mount -t tmpfs -o "size=$1" none "$2" || exit
            for file in "$2"/../*; do [ -f "$file" ] && cp -p "$file" "$2"; done; exec "$3" serve"#;
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", size]);
        command.arg(&disk).arg(env!("CARGO_BIN_EXE_gatepost"));
        self.settle(&mut command);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("GATEPOST_DATA", &disk);
        Self::follow(command)
    }

    fn follow(mut command: Command) -> Serving {
        let mut child = command.stdin(Stdio::null()).spawn().expect("gatepost");
        let (stderr, _, log) = follow(child.stderr.take().expect("its standard error"));
        let (stdout, lines, printed) = follow(child.stdout.take().expect("its standard output"));
        let mut serving = Serving { child, base: String::new(), stdout, stderr, readers: vec![log, printed] };
        serving.base = serving.wait_for_address(&lines);
        serving
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command.args(arguments);
        self.settle(&mut command);
        command
    }

    fn settle(&self, command: &mut Command) {
        command.env_clear().envs(&self.settings);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir(self.data.path());
    }
}

type Text = Arc<Mutex<String>>;

/// A server that runs until this is dropped.
pub struct Serving {
    child: Child,
    /// `http://127.0.0.1:PORT`, as the server prints it.
    pub base: String,
    stdout: Text,
    stderr: Text,
    readers: Vec<JoinHandle<()>>,
}

impl Serving {
    pub fn stdout(&self) -> String {
        self.stdout.lock().expect("the text").clone()
    }

    /// The log so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("the text").clone()
    }

    /// The one-time URL that a server without users prints.
    pub fn setup_address(&self) -> String {
        let printed = self.wait_for("gatepost setup --team");
        printed.split_whitespace().find(|it| it.contains("/setup?key=")).expect("an address").to_owned()
    }

    /// Waits until the output contains `words`, and returns the output.
    pub fn wait_for(&self, words: &str) -> String {
        let start = Instant::now();
        while start.elapsed() < TIMEOUT {
            let printed = self.stdout();
            if printed.contains(words) {
                return printed;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the server never printed {words:?}: {}{}", self.stdout(), self.stderr());
    }

    /// The path to the folder on the process's own disk, for other processes.
    pub fn disk(&self, gatepost: &Gatepost) -> std::path::PathBuf {
        let folder = gatepost.data.path().join(DISK);
        let inside = folder.strip_prefix("/").expect("a path from the root");
        std::path::Path::new(&format!("/proc/{}/root", self.child.id())).join(inside)
    }

    /// The peak memory of the process, in bytes.
    pub fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes << 10
    }

    /// The number of open files of the process.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("its files").count()
    }

    /// Sends a signal: `STOP`, `CONT`, `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("sh");
        assert!(sent.success(), "the server had ended before");
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("its end");
    }

    /// Asks the process to end, as a service manager does, and waits.
    pub fn terminate(self) -> Finished {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until the process has ended.
    pub fn ended(mut self) -> Finished {
        let code = self.wait().code();
        for reader in self.readers.drain(..) {
            reader.join().expect("the rest of its output");
        }
        Finished { code, stdout: self.stdout(), stderr: self.stderr() }
    }

    fn wait(&mut self) -> std::process::ExitStatus {
        let start = Instant::now();
        while start.elapsed() < TIMEOUT {
            if let Some(status) = self.child.try_wait().expect("a process to wait for") {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not end: {}", self.stderr());
    }

    fn wait_for_address(&self, lines: &Receiver<String>) -> String {
        let start = Instant::now();
        loop {
            let left = TIMEOUT.saturating_sub(start.elapsed());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(address) = line.trim().strip_prefix("Listening on ") {
                        return address.trim_end_matches('/').to_owned();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server ended: {}{}", self.stdout(), self.stderr())
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the server does not listen: {}{}", self.stdout(), self.stderr())
                }
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps reading, so that the process never waits for a full pipe.
fn follow(stream: impl Read + Send + 'static) -> (Text, Receiver<String>, JoinHandle<()>) {
    let text = Text::default();
    let (sender, lines) = channel();
    let copy = Arc::clone(&text);
    let reader = thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut all = copy.lock().expect("the text");
            all.push_str(&line);
            all.push('\n');
            let _ = sender.send(line);
        }
    });
    (text, lines, reader)
}

/// An address that is in use until the listener is dropped.
pub fn taken_address() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    (listener, address)
}
