//! pywbem drives a real server through everything a client can ask for.

use std::path::Path;
use std::process::Command;

use crate::dmtf;
use crate::support::{Server, python, state_dir};

/// Runs a module of `tests/python` against a server of its own.
fn run(module: &str) {
    let state = state_dir();
    run_against(&Server::start(state.path()), module, &[]);
}

/// The same against `server`, with further variables in its environment; modules whose names spaces
/// part run in one process.
pub fn run_against(server: &Server, modules: &str, environment: &[(&str, &Path)]) {
    let Some(python) = python() else { return };
    let scratch = state_dir();
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/run.py"))
        .args(modules.split(' '))
        .env("JOBWRIGHT_TEST_URL", &server.url)
        .env("JOBWRIGHT_TEST_PASSWORD", server.password())
        .env("JOBWRIGHT_TEST_DIR", scratch.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(environment.iter().copied())
        .output()
        .expect("the prepared Python starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pywbem found faults:\n{told}");
    assert!(told.contains("Ran "), "no test of {modules} ran:\n{told}");
}

#[test]
fn jobs_live_and_die_as_the_model_says() {
    run("test_jobs");
}

#[test]
fn calendars_and_decisions() {
    run("test_decisions");
}

#[test]
fn queues_are_managed() {
    run("test_queues");
}

#[test]
fn associations_are_walked_both_ways() {
    run("test_links");
}

#[test]
fn calls_are_kept_with_the_jobs_they_made() {
    run_with_binary("test_calls");
}

#[test]
fn what_was_set_up_stays() {
    run_with_binary("test_kept");
}

#[test]
fn failures_are_recovered_from() {
    let state = state_dir();
    let file = state_dir();
    let file = file.path().join("jobwright.toml");
    let told = "$JOBWRIGHT_FAILED_JOB_ID $JOBWRIGHT_FAILED_RUN $JOBWRIGHT_FAILED_CODE";
    let hook = format!("[hooks]\nnote = ['/bin/sh', '-c', 'echo {told}']\n");
    std::fs::write(&file, hook).expect("a file of ours");
    let config = file.to_str().expect("a plain path");
    let server = Server::start_with(state.path(), &["--config", config]);
    run_against(&server, "test_recovery", &[]);
}

#[test]
fn what_may_be_written_is_what_the_mof_says() {
    run("test_limits");
}

#[test]
fn classes_namespaces_errors_and_access() {
    run("test_server");
}

#[test]
fn the_whole_schema_and_all_operations_are_what_pywbem_makes_of_them() {
    let Some(texts) = dmtf::texts("the comparison with pywbem's compiler") else {
        return;
    };
    let zip = std::env::var("CIM_SCHEMA_ZIP").expect("set, since there are texts");
    let folder = state_dir();
    for (name, text) in &texts {
        let file = folder.path().join(name);
        let parent = file.parent().expect("a file is in a folder");
        std::fs::create_dir_all(parent).expect("a folder of ours");
        std::fs::write(&file, text).expect("a file of ours");
    }
    let state = state_dir();
    let server = Server::start_with(state.path(), &["--schema", &zip]);
    let schema = [("JOBWRIGHT_TEST_SCHEMA", folder.path())];
    // pywbem's compiler takes longer than all comparisons: it is asked once.
    run_against(&server, "test_oracle test_operations", &schema);
}

#[test]
fn classes_qualifiers_namespaces_and_instances_are_made_and_deleted() {
    run("test_schema");
}

#[test]
fn queries_select_what_they_say() {
    run("test_queries");
}

#[test]
fn pulled_enumerations_give_what_the_others_give() {
    run("test_pulls");
}

#[test]
fn pywbemcli_prints_what_its_transcripts_say() {
    run("test_pywbemcli");
}

#[test]
fn subscriptions_are_set_up_and_taken_down() {
    run("test_subscriptions");
}

#[test]
fn a_listener_is_told_of_the_life_of_jobs() {
    run("test_events");
}

#[test]
fn indications_survive_listeners_that_fail_and_servers_that_are_killed() {
    run_with_binary("test_delivery");
}

#[test]
fn many_jobs_at_once_are_told_without_a_gap() {
    run_with_binary("test_load");
}

/// The same for tests that start servers of their own.
fn run_with_binary(module: &str) {
    let state = state_dir();
    let binary = [(
        "JOBWRIGHT_TEST_BINARY",
        Path::new(env!("CARGO_BIN_EXE_jobwright")),
    )];
    run_against(&Server::start(state.path()), module, &binary);
}

#[test]
fn clients_find_server_namespaces_and_profiles() {
    run("test_discovery");
}
