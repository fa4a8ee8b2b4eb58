//! The thread that makes the words of new messages quick to find. A search finds them before,
//! too, but reads them one by one then.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::App;
use crate::domain::Result;
use crate::domain::mailroom::messages;

/// How often it is looked for new messages.
const EVERY: Duration = Duration::from_millis(500);

/// The thread at work. Dropping this ends it.
pub struct Indexer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Indexer {
    pub fn start(app: App) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("words".into())
            .spawn(move || run(&app, &stopped))
            .expect("the system starts a thread");
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl App {
    /// Takes up the words of all messages that came until now.
    ///
    /// # Errors
    /// When the store is out of reach; what is not done yet is done another time.
    pub fn index_words(&self) -> Result<()> {
        let since = Instant::now();
        while since.elapsed() < EVERY && self.read_now(messages::wait_for_index)? {
            if self.0.store.write(messages::index)? == 0 {
                // Another instance is at it.
                break;
            }
        }
        Ok(())
    }
}

fn run(app: &App, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
        if let Err(cause) = app.index_words() {
            tracing::warn!(%cause, "the words of new messages could not be taken up; that is tried again");
        }
    }
}
