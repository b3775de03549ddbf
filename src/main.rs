//! The `plugin` binary: the exit code and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    prerender::cli::main()
}
