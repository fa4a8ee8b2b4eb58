//! Environment → app → a face; nothing else.

use std::process::ExitCode;

/// A call makes and frees some sixty small pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gatepost::cli::main(std::env::args_os(), std::env::vars_os())
}
