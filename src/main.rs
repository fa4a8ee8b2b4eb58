//! Environment → app → a face; nothing else.

use std::process::ExitCode;

// A call makes and frees some twenty small pieces of memory, which this does faster than libc. It
// takes the place of libc's functions (its feature `override`), for Rust and C alike.
use mimalloc as _;

fn main() -> ExitCode {
    gatepost::cli::main(std::env::args_os(), std::env::vars_os())
}
