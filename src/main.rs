//! The `jobwright` binary: parse arguments, call the library, set the exit code.

fn main() -> std::process::ExitCode {
    jobwright::cli::main()
}
