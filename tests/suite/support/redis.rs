//! Redis: a numbered database of the shared server for each test, or a separate server for a test that
//! stops it.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(20);

/// The setting for a Redis database that no other test uses.
pub fn database() -> String {
    static USED: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("GATEPOST_TEST_REDIS").expect("no Redis: run tests/run");
    format!("{server}/{}", USED.fetch_add(1, Ordering::Relaxed))
}

/// A server that stores nothing on disk. It can be stopped and started again.
pub struct Redis {
    port: u16,
    child: Option<Child>,
}

impl Redis {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let mut redis = Self { port, child: None };
        redis.start_again();
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts on the same port, without its data.
    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let mut server = Command::new("redis-server");
        server.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(server.current_dir(std::env::temp_dir()).spawn().expect("redis-server"));
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < TIMEOUT, "Redis does not start");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Keeps connections open without replying.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("a server that runs").id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
        assert!(sent.expect("sh").success(), "Redis has ended");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
