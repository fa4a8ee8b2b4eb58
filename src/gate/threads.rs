use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const JOIN_TIMEOUT: Duration = Duration::from_secs(20);

pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).expect("threads can be started")
}

/// Waits for a thread to end, but not forever, because the store may block it.
pub fn join(thread: JoinHandle<()>) {
    let since = Instant::now();
    while !thread.is_finished() && since.elapsed() < JOIN_TIMEOUT {
        std::thread::sleep(Duration::from_millis(1));
    }
    if thread.is_finished() {
        let _ = thread.join();
    }
}
