//! A proxy between a server and its database that can cut the connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Forward,
    /// Drops everything silently.
    Silent,
    /// Closes all connections, including new ones.
    Closed,
}

struct Shared {
    to: String,
    state: Mutex<State>,
    changed: Condvar,
}

/// Runs until the test process ends.
pub struct Proxy {
    shared: Arc<Shared>,
    url: String,
}

impl Proxy {
    /// Starts a proxy for this database (`postgres://USER@HOST:PORT/NAME`).
    pub fn before(url: &str) -> Self {
        let (user, rest) = url.split_once('@').expect("a user");
        let (to, name) = rest.split_once('/').expect("a database");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("its address");
        let state = Mutex::new(State::Forward);
        let shared = Arc::new(Shared { to: to.to_owned(), state, changed: Condvar::new() });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = accepting.clone();
                thread::spawn(move || shared.serve(client));
            }
        });
        Self { shared, url: format!("{user}@{own}/{name}") }
    }

    /// The URL of the database through the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn forward(&self) {
        self.set(State::Forward);
    }

    pub fn silence(&self) {
        self.set(State::Silent);
    }

    pub fn close(&self) {
        self.set(State::Closed);
    }

    fn set(&self, state: State) {
        *self.shared.state.lock().expect("the state") = state;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Waits until the proxy is no longer silent, and returns whether it forwards.
    fn may_pass(&self) -> bool {
        let state = self.state.lock().expect("the state");
        let state = self.changed.wait_while(state, |state| *state == State::Silent).expect("the state");
        *state == State::Forward
    }

    fn serve(self: Arc<Self>, client: TcpStream) {
        if !self.may_pass() {
            return;
        }
        let Ok(server) = TcpStream::connect(&self.to) else { return };
        let pair = |stream: &TcpStream| stream.try_clone().expect("a second handle");
        let (there, back) = ((pair(&client), pair(&server)), (server, client));
        let shared = self.clone();
        thread::spawn(move || shared.pump(there.0, there.1));
        self.pump(back.0, back.1);
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream) {
        from.set_read_timeout(Some(Duration::from_millis(20))).expect("a time limit");
        let mut bytes = [0; 16 * 1024];
        loop {
            let read = from.read(&mut bytes);
            let waits = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::WouldBlock;
            match read {
                _ if !self.may_pass() => break,
                Err(cause) if waits(&cause) => {}
                Ok(length @ 1..) if to.write_all(&bytes[..length]).is_ok() => {}
                _ => break,
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
