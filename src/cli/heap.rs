//! How the C library's allocator treats large blocks.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// glibc reads it when a process starts, and only then (mallopt(3)).
const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
const BYTES: &str = "262144";

/// Starts the program again, as the same process, with blocks over 256 KiB mapped one by one, so
/// that they go back to the system when they are freed. By default glibc keeps them for later,
/// in each thread's arena: some passwords or large messages at once, and hundreds of megabytes
/// stay taken for good. Other C libraries don't read it. An operator's own value stays.
pub fn give_large_blocks_back(args: &[OsString]) {
    if env::var_os(THRESHOLD).is_some() {
        return;
    }
    let mut again = Command::new("/proc/self/exe");
    if let Some(name) = args.first() {
        again.arg0(name);
    }
    // It returns only when it fails: then the program goes on, and takes more memory.
    let _ = again.args(args.iter().skip(1)).env(THRESHOLD, BYTES).exec();
}
