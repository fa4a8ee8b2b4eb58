//! Environment → app → a face; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    gatepost::cli::heap::give_large_blocks_back(&args);
    gatepost::cli::main(args, std::env::vars_os())
}
