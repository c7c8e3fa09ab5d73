//! Debian's wbemcli drives a real server with each of its verbs.

use std::process::Command;

use crate::pywbem::run_against;
use crate::support::{Server, state_dir, wbemcli};

struct Shell {
    server: Server,
    program: &'static std::path::Path,
    _state: tempfile::TempDir,
}

impl Shell {
    fn new() -> Option<Self> {
        let program = wbemcli()?;
        let state = state_dir();
        Some(Self {
            server: Server::start(state.path()),
            program,
            _state: state,
        })
    }

    /// Runs `wbemcli VERB URL ARGUMENT` and gives what it printed, or its complaint.
    fn run(&self, verb: &str, object: &str, argument: &[&str]) -> Result<String, String> {
        let authority = format!(
            "admin:{}@127.0.0.1:{}",
            self.server.password(),
            self.server.port()
        );
        let output = Command::new(self.program)
            .arg(verb)
            .arg(format!("http://{authority}/root/cimv2:{object}"))
            .args(argument)
            .output()
            .expect("wbemcli starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() && errors.is_empty() {
            Ok(text)
        } else {
            Err(errors)
        }
    }

    fn shows(&self, verb: &str, object: &str, argument: &[&str], expected: &str) {
        match self.run(verb, object, argument) {
            Ok(text) => {
                assert!(
                    text.contains(expected),
                    "{verb} {object}: expected {expected:?} in:\n{text}"
                );
            }
            Err(errors) => panic!("{verb} {object} {argument:?} failed: {errors}"),
        }
    }

    fn complains(&self, verb: &str, object: &str, argument: &[&str], expected: &str) {
        match self.run(verb, object, argument) {
            Ok(text) => panic!("{verb} {object}: expected the error {expected}, got:\n{text}"),
            Err(errors) => assert!(
                errors.contains(expected),
                "expected {expected}, got: {errors}"
            ),
        }
    }
}

const JOB: &str = "JW_Job.InstanceID=\"wb:1\"";

#[test]
fn every_verb_of_wbemcli_works() {
    let Some(shell) = Shell::new() else { return };
    shell.shows("gc", "CIM_Job", &[], "RunDayOfWeek");
    shell.shows("ecn", "CIM_Job", &[], "JW_Job");
    shell.shows("ec", "CIM_ConcreteJob", &[], "JW_Job");
    shell.shows("ein", "JW_JobService", &[], "Name=\"jobwright\"");
    let new = "InstanceID=wb:1,Name=first,Command=/bin/true,Hold=true";
    shell.shows("ci", JOB, &[new], "wb:1");
    shell.shows("ein", "JW_Job", &[], "InstanceID=\"wb:1\"");
    shell.shows("gp", JOB, &["Name"], "first");
    shell.shows("sp", JOB, &["Priority=9"], "");
    shell.shows("gp", JOB, &["Priority"], "9");
    shell.complains("gp", JOB, &["NoSuch"], "CIM_ERR_NO_SUCH_PROPERTY");
    shell.complains("sp", JOB, &["Priority=high"], "CIM_ERR_TYPE_MISMATCH");
    shell.shows("ei", "CIM_ConcreteJob", &[], "JobState=5");
    shell.shows("gi", JOB, &[], "Name=\"first\"");
    shell.shows("gi", JOB, &["Name,JobState"], "JobState=5");
    shell
        .run("mi", JOB, &["Priority=7"])
        .expect("a writable property is changed");
    shell.shows("gi", JOB, &["Priority"], "Priority=7");
    shell.complains("mi", JOB, &["RunDay=32"], "RunDay");
    shell.complains("mi", JOB, &["JobState=7"], "JobState");
    shell.shows(
        "cm",
        JOB,
        &["RequestStateChange.RequestedState=5"],
        "RequestStateChange",
    );
    shell.shows("gi", JOB, &["JobState"], "JobState=9");
    shell
        .run("di", JOB, &[])
        .expect("a finished job is deleted");
    shell.complains("gi", JOB, &[], "CIM_ERR_NOT_FOUND");
    shell.shows(
        "cm",
        "JW_JobService",
        &["SubmitJob.Name=static,Script=exit 0"],
        "4096",
    );
}

#[test]
fn every_verb_prints_what_pywbem_sees() {
    let Some(program) = wbemcli() else { return };
    let state = state_dir();
    let server = Server::start(state.path());
    let program = [("JOBWRIGHT_TEST_WBEMCLI", program)];
    run_against(&server, "test_wbemcli", &program);
}

#[test]
fn errors_are_told_as_wbemcli_expects_them() {
    let Some(shell) = Shell::new() else { return };
    shell.complains("ei", "CIM_None", &[], "CIM_ERR_INVALID_CLASS");
    shell.complains("gc", "CIM_None", &[], "CIM_ERR_NOT_FOUND");
    shell.complains("ain", JOB, &[], "CIM_ERR_NOT_FOUND");
    shell.complains("di", "JW_Job.InstanceID=\"none\"", &[], "CIM_ERR_NOT_FOUND");
}
