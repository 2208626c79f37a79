//! The `natsgate` command.

use std::process::ExitCode;

/// Requests allocate and free many small things on two threads at once, which this allocator does faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    natsgate::cli::main()
}
