//! The `natsgate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    natsgate::cli::main()
}
