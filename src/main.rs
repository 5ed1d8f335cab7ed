//! Parse, run, exit code. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    hooktape::cli::main()
}
