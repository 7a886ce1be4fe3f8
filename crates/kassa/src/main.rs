//! The program `kassa`. All it does is in the library, where tests reach it.

use std::process::ExitCode;

/// Serving a request is a few hundred small allocations on one thread, freed on another: that is
/// where the C library's allocator spent a fifth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kassa::main()
}
