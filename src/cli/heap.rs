//! Makes the C library's allocator return large blocks to the system.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// glibc reads this variable only when a process starts (mallopt(3)).
const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
const BYTES: &str = "262144";

/// Restarts this process with blocks over 256 KiB mapped one by one, so that freed ones return to the
/// system. By default glibc keeps them in each thread's arena: after a few passwords or large messages at
/// once, it never returns hundreds of megabytes. Other C libraries ignore the variable. A value set by the
/// operator is kept.
pub fn return_large_blocks(args: &[OsString]) {
    if env::var_os(THRESHOLD).is_some() {
        return;
    }
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = args.first() {
        command.arg0(name);
    }
    // Returns only on failure. The server then runs with more memory.
    let _ = command.args(args.iter().skip(1)).env(THRESHOLD, BYTES).exec();
}
