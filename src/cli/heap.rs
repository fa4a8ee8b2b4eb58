//! How the C library's allocator treats large blocks.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// glibc reads it when a process starts, and only then (mallopt(3)).
const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
const BYTES: &str = "262144";

/// Restarts this process with blocks over 256 KiB mapped one by one, so that they return to the
/// system when freed. By default glibc keeps them in each thread's arena: after a few passwords or
/// large messages at once, hundreds of megabytes are never returned. Other C libraries ignore the
/// variable. A value set by the operator is kept.
pub fn return_large_blocks(args: &[OsString]) {
    if env::var_os(THRESHOLD).is_some() {
        return;
    }
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = args.first() {
        command.arg0(name);
    }
    // Returns only on failure; then the server runs with more memory.
    let _ = command.args(args.iter().skip(1)).env(THRESHOLD, BYTES).exec();
}
