//! Makes the C library's allocator return large blocks to the system.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// glibc reads this variable only when a process starts (mallopt(3)).
const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
const BYTES: &str = "262144";

/// Restarts this process so that blocks over 256 KiB are mapped separately, and freed ones return to the system. By
/// default glibc keeps them in each thread's arena, so a few concurrent passwords or large messages would take hundreds
/// of megabytes permanently. Other C libraries ignore the variable. Keeps a value set by the operator.
pub fn return_large_blocks(args: &[OsString]) {
    if env::var_os(THRESHOLD).is_some() {
        return;
    }
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = args.first() {
        command.arg0(name);
    }
    // Returns only on failure. The server then uses more memory.
    let _ = command.args(args.iter().skip(1)).env(THRESHOLD, BYTES).exec();
}
