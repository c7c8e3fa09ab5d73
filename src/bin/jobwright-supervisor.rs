//! The supervisor as a program of its own, a tenth of the size of `jobwright`: each run of a job starts one.

fn main() -> std::process::ExitCode {
    jobwright::jobs::supervisor::run(std::env::args_os().skip(1))
}
