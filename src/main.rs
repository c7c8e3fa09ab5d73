//! The `jobwright` binary: parse arguments, call the library, set the exit code.

/// Small values of many sizes come and go on several threads: the schema, and each request. The supervisor is
/// over before that would pay.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    jobwright::cli::main()
}
