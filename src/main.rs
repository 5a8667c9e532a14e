//! The binary: everything is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Gives memory back that is free, which the system's allocator does not after a big import or rebuild in many threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    offshoot::cli::run()
}
