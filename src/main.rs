//! Environment → app → a face; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost::cli::main(std::env::args_os(), std::env::vars_os())
}
