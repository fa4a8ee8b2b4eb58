//! A thread beside those that answer.

use std::thread::JoinHandle;

/// The thread at work. Dropping this ends it, and returns once it has ended.
pub struct Background {
    /// Dropped first: that is how the thread hears of it.
    stop: Option<Box<dyn Send>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// `run` returns soon after whoever holds the other end of `stop` has dropped it.
    pub(super) fn start(name: &str, stop: impl Send + 'static, run: impl FnOnce() + Send + 'static) -> Self {
        let thread = std::thread::Builder::new().name(name.into()).spawn(run);
        Self { stop: Some(Box::new(stop)), thread: Some(thread.expect("the system starts a thread")) }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
