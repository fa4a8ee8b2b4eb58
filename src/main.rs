//! Passes arguments and environment to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    gatepost::cli::heap::return_large_blocks(&args);
    gatepost::cli::main(args, std::env::vars_os())
}
