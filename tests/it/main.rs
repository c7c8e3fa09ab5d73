//! The integration tests: one binary, so that the crate is linked once.

#![expect(clippy::disallowed_methods, reason = "tests act on the machine")]

mod abuse;
mod binding;
mod cgroups;
mod cli;
mod cli_mof;
mod client;
mod crash;
mod crash_load;
mod crontab;
mod dmtf;
mod dns_sd;
mod enforcement;
mod fuzz;
mod history;
mod http;
mod https;
mod io_errors;
mod jobs;
mod listen;
mod mof;
mod mof_judge;
mod mof_print;
mod pywbem;
mod quirks;
mod reboot;
mod schema;
mod schema_durable;
mod schema_edit;
mod schema_sum;
mod supervisor;
mod support;
mod tidy;
mod wbemcli;
mod wire;
