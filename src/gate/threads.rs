//! The gate's threads.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a thread can hold up the end of the process.
const JOIN_TIMEOUT: Duration = Duration::from_secs(20);

pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).expect("the system starts a thread")
}

/// Waits for a thread that was asked to end, unless the store holds it up.
pub fn join(thread: JoinHandle<()>) {
    let since = Instant::now();
    while !thread.is_finished() && since.elapsed() < JOIN_TIMEOUT {
        std::thread::sleep(Duration::from_millis(1));
    }
    if thread.is_finished() {
        let _ = thread.join();
    }
}
