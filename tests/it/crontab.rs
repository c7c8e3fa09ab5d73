//! Crontabs imported through the command line, into a real server.

use std::fs;

use crate::cli::{err, jobwright, out, refused, told};
use crate::support::{Server, state_dir};

const CRONTAB: &str = "\
# what runs at night
SHELL=/bin/bash
CRON_TZ=Europe/Berlin
GREETING=hello there
MAILTO=ann
30 2 1,15 * mon  echo \"$GREETING\" 100\\%
@daily /bin/true
";

#[test]
fn each_line_becomes_a_job_with_its_calendars() {
    let state = state_dir();
    let (_server, state) = (Server::start(state.path()), state.path());
    let file = state.join("crontab");
    fs::write(&file, CRONTAB).expect("a writable folder");
    let file = file.display().to_string();
    let dry = told(state, &["job", "import-crontab", "--dry-run", &file]);
    assert!(dry.contains("by 3 calendars in Europe/Berlin"), "{dry}");
    assert!(dry.contains("RunDay=15 at 02:30"), "{dry}");
    assert!(dry.contains("RunDayOfWeek=2 at 02:30"), "{dry}");
    let jobs = || told(state, &["job", "list"]).lines().count() - 1;
    assert_eq!(jobs(), 0, "a dry run makes nothing");
    let imported = jobwright(state, &["job", "import-crontab", &file]);
    assert!(imported.status.success(), "{}", err(&imported));
    assert!(err(&imported).contains(":6: note:"), "{}", err(&imported));
    let imported = out(&imported);
    let ids: Vec<&str> = imported
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    let [first, second] = ids.as_slice() else {
        panic!("two jobs are expected: {imported}")
    };
    let shown = told(state, &["job", "show", first]);
    for expected in [
        "echo \"$GREETING\" 100%",
        "GREETING=hello there",
        "SHELL=/bin/bash",
        "Europe/Berlin",
        "ann",
        "New",
    ] {
        assert!(shown.contains(expected), "expected {expected} in {shown}");
    }
    let times = |id: &str| told(state, &["job", "schedule", id, "-n", "40"]);
    assert_eq!(times(first).lines().count(), 40);
    let midnights = times(second);
    let in_berlin = |time: &str| time.ends_with("T22:00:00Z") || time.ends_with("T23:00:00Z");
    assert!(midnights.lines().all(in_berlin), "{midnights}");
    told(state, &["job", "set", first, "JobRunTimes=1"]);
    told(state, &["job", "start", first]);
    let watched = jobwright(state, &["job", "watch", first]);
    assert!(watched.status.success(), "{}", err(&watched));
    assert_eq!(told(state, &["job", "logs", first]), "hello there 100%");
}

#[test]
fn one_bad_line_keeps_all_out_unless_they_are_skipped() {
    let state = state_dir();
    let (_server, state) = (Server::start(state.path()), state.path());
    let file = state.join("crontab");
    let text = "@reboot /bin/true\n0 1 * * * /bin/true\n0 25 * * * /bin/true\n";
    fs::write(&file, text).expect("a writable folder");
    let file = file.display().to_string();
    let import = |more: &[&str]| {
        let arguments = [&["job", "import-crontab", &file], more].concat();
        jobwright(state, &arguments)
    };
    let failed = import(&[]);
    assert_eq!(failed.status.code(), Some(1));
    for expected in [
        ":1:1: no calendar says",
        ":3:3: \"25\" is no hour",
        "nothing was",
    ] {
        assert!(err(&failed).contains(expected), "{}", err(&failed));
    }
    let jobs = || told(state, &["job", "list"]).lines().count() - 1;
    assert_eq!(jobs(), 0);
    assert!(import(&["--skip"]).status.success());
    assert_eq!(jobs(), 1);
    // What only the server can judge leaves nothing behind either.
    fs::write(
        &file,
        "0 1 * * * /bin/true\nCRON_TZ=Nowhere/City\n0 1 * * * /bin/true\n",
    )
    .expect("a writable folder");
    refused(state, &["job", "import-crontab", &file], 1, "TimeZone");
    assert_eq!(jobs(), 1);
}

/// Lines in front of the one that fails: enough for the import to be met in the middle.
const LINES: usize = 2000;

#[test]
fn what_began_or_went_meanwhile_keeps_nothing_from_being_taken_back() {
    let state = state_dir();
    let (_server, state) = (Server::start(state.path()), state.path());
    let file = state.join("crontab");
    let good = "0 1 * * * trap '' TERM; sleep 1000\n".repeat(LINES);
    let text = format!("{good}CRON_TZ=Nowhere/City\n0 1 * * * /bin/true\n");
    fs::write(&file, text).expect("a writable folder");
    let file = file.display().to_string();
    let mut import = std::process::Command::new(env!("CARGO_BIN_EXE_jobwright"));
    import.args(["job", "import-crontab", &file]).env_clear();
    import.env("JOBWRIGHT_STATE_DIR", state);
    import.stderr(std::process::Stdio::piped());
    let import = import.spawn().expect("the program is there");
    let listed = || -> Vec<String> {
        let list = told(state, &["job", "list"]);
        let ids = list.lines().skip(1);
        let ids = ids.filter_map(|line| line.split_whitespace().next());
        ids.map(str::to_owned).collect()
    };
    let made = loop {
        let made = listed();
        if made.len() >= 2 {
            break made;
        }
    };
    let pid = i32::try_from(import.id()).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw).expect("a pid");
    let signal = |signal| rustix::process::kill_process(pid, signal).expect("it lives");
    signal(rustix::process::Signal::STOP);
    assert!(listed().len() < LINES, "the import goes on");
    // Somebody takes one of them away, and another one begins.
    told(state, &["job", "kill", &made[0]]);
    told(state, &["job", "delete", &made[0]]);
    told(state, &["job", "start", &made[1]]);
    signal(rustix::process::Signal::CONT);
    let ended = import.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        err(&ended).contains("nothing was imported"),
        "{}",
        err(&ended)
    );
    assert_eq!(listed(), [""; 0], "and nothing is left");
}

#[test]
fn the_system_form_is_for_the_present_user() {
    let state = state_dir();
    let (_server, state) = (Server::start(state.path()), state.path());
    let file = state.join("crontab");
    fs::write(&file, "0 1 * * * nobody-else /bin/true\n").expect("a writable folder");
    let file = file.display().to_string();
    let arguments = ["job", "import-crontab", "--system", &file];
    refused(state, &arguments, 1, ":1:11: it runs as nobody-else");
}
