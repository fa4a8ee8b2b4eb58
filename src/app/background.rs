//! A thread beside those that answer.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The thread at work. Dropping this ends it, and returns once it has ended.
pub struct Background {
    /// Dropped first: that is how the thread hears of it.
    stop: Option<Box<dyn Send>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// `run` is given what rests for as long as it is told, and then says whether to go on.
    pub(super) fn resting(name: &str, run: impl FnOnce(&dyn Fn(Duration) -> bool) + Send + 'static) -> Self {
        let (stop, stopped) = channel::<()>();
        Self::start(name, stop, move || {
            run(&|rest| matches!(stopped.recv_timeout(rest), Err(RecvTimeoutError::Timeout)));
        })
    }

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
