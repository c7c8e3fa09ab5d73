//! What is wrong with a query is told with its place.

use super::samples::sample;
use crate::model::Status;
use crate::query::limits::{DEPTH_LIMIT, PATTERNS_LIMIT, TEXT_LIMIT_BYTES};
use crate::query::{Fault, Filter, Language, Query, QueryError};

fn refused(language: Language, text: &str) -> QueryError {
    match Query::compile(language, text, &sample()) {
        Ok(_) => panic!("{text} was taken"),
        Err(error) => error,
    }
}

/// The message behind the position, and the text from the position on.
fn check(error: &QueryError, text: &str, rest: &str, message: &str) {
    let found = &text[error.position.offset..];
    assert!(
        found.starts_with(rest),
        "{text}: {error}, at {found:?} and not at {rest:?}"
    );
    assert!(
        error.fault.to_string().contains(message),
        "{text}: {error} does not say {message:?}"
    );
}

const SYNTAX: &[(&str, &str, &str)] = &[
    ("", "", "SELECT was expected, not the end"),
    ("SELEC * FROM CIM_Job", "SELEC", "SELECT was expected"),
    ("ASSOCIATORS OF {x}", "ASSOC", "SELECT was expected"),
    ("SELECT FROM CIM_Job", "CIM_Job", "FROM was expected"),
    ("SELECT , FROM CIM_Job", ",", "a property or * was expected"),
    ("SELECT * CIM_Job", "CIM_Job", "FROM was expected"),
    (
        "SELECT * FROM",
        "",
        "the name of a class was expected, not the end",
    ),
    ("SELECT * FROM 5", "5", "the name of a class"),
    (
        "SELECT * FROM CIM_Job WHERE",
        "",
        "a property or a value was expected, not the end",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState >",
        "",
        "a property or a value",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState = 4)",
        ")",
        "AND, OR or the end",
    ),
    (
        "SELECT * FROM CIM_Job WHERE (JobState = 4",
        "",
        ") was expected",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState 4",
        "4",
        "AND, OR or the end",
    ),
    (
        "SELECT * FROM CIM_Job WHERE Name = 'x",
        "'x",
        "does not end",
    ),
    (
        "SELECT * FROM CIM_Job WHERE Name LIKE Name",
        "Name",
        "a pattern in quotes",
    ),
    (
        "SELECT * FROM CIM_Job WHERE Started IS MAYBE",
        "MAYBE",
        "TRUE or FALSE",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState = 12x",
        "12x",
        "not a number",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState = -x",
        "x",
        "a number was expected",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState ? 4",
        "?",
        "begins nothing",
    ),
    (
        "SELECT * FROM CIM_Job WHERE ANY x IN OperationalStatus (x = 1)",
        "(x",
        "SATISFIES",
    ),
    (
        "SELECT * FROM CIM_Job WHERE ANY OperationalStatus",
        "",
        "a comparison or LIKE",
    ),
    (
        "SELECT * FROM CIM_Job WHERE OperationalStatus[x] = 1",
        "x]",
        "the number of an entry",
    ),
    (
        "SELECT * FROM CIM_Job WHERE Lower(Name) = 'x'",
        "Lower",
        "a function of CQL",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState = 18446744073709551616",
        "18446",
        "too large",
    ),
    (
        "SELECT * FROM CIM_Job ORDER JobState",
        "JobState",
        "BY was expected",
    ),
];

#[test]
fn syntax_errors_say_what_was_expected() {
    for (text, rest, message) in SYNTAX {
        check(&refused(Language::Cql, text), text, rest, message);
        check(&refused(Language::Wql, text), text, rest, message);
    }
}

const CONDITIONS: &[(&str, &str, &str)] = &[
    (
        "Foo = 1",
        "Foo",
        "Foo is no property of CIM_Job or of its subclasses",
    ),
    (
        "JW_Job::Foo = 1",
        "JW_Job::Foo",
        "Foo is no property of JW_Job",
    ),
    (
        "CIM_Nothing::Name = 'x'",
        "CIM_Nothing",
        "the class CIM_Nothing does not exist",
    ),
    (
        "Setting.Foo = 1",
        "Foo",
        "Foo is no property of CIM_Setting",
    ),
    ("Name.Length = 1", "Length", "Name is no embedded object"),
    ("CIM_Job ISA CIM_Nothing", "CIM_Nothing", "does not exist"),
    (
        "Name ISA CIM_Job",
        "Name",
        "an object was expected, not Name (a string)",
    ),
    (
        "JobState = 'x'",
        "= 'x'",
        "JobState (a number) cannot be compared with 'x' (a string) by =",
    ),
    ("Name = 5", "= 5", "cannot be compared"),
    ("Started > FALSE", "> FALSE", "cannot be compared"),
    ("Owner < Owner", "< Owner", "cannot be compared"),
    ("Setting = 5", "= 5", "cannot be compared"),
    (
        "OperationalStatus = 17",
        "= 17",
        "an array, each entry a number",
    ),
    (
        "OperationalStatus[*] = 17",
        "OperationalStatus[*]",
        "ANY and EVERY",
    ),
    (
        "OperationalStatus > OperationalStatus",
        "> O",
        "cannot be compared",
    ),
    ("ANY JobState = 4", "JobState", "JobState is no array"),
    ("JobState[0] = 4", "JobState[0]", "JobState is no array"),
    (
        "Settings.Label = 'x'",
        "Settings",
        "an index says which entry",
    ),
    (
        "ANY OperationalStatus = 'x'",
        "= 'x'",
        "an entry (a number)",
    ),
    (
        "TimeSubmitted > 'noon'",
        "'noon'",
        "\"noon\" is no datetime of 25 characters",
    ),
    ("TimeSubmitted > 5", "> 5", "cannot be compared"),
    ("Owner = 'x y'", "'x y'", "is no object path"),
    ("Mark = 'xy'", "'xy'", "is no char16"),
    (
        "JobState = #'Walking'",
        "'Walking'",
        "'Walking' is not among the Values of CIM_Job.JobState",
    ),
    ("Name = #'Walking'", "'Walking'", "not among the Values"),
    ("#'a' = #'b'", "'a'", "beside a property"),
    (
        "Priority LIKE 'x'",
        "Priority",
        "a string was expected, not Priority (a number)",
    ),
    ("Name LIKE '[a'", "'[a'", "a set that does not end"),
    ("Name", "Name", "a boolean was expected"),
    (
        "ANY x IN OperationalStatus SATISFIES (y = 1)",
        "y =",
        "y is no property",
    ),
];

const STATEMENTS: &[(&str, &str, &str)] = &[
    ("SELECT Foo FROM CIM_Job", "Foo", "Foo is no property"),
    (
        "SELECT Setting.Foo FROM CIM_Job",
        "Foo",
        "Foo is no property of CIM_Setting",
    ),
    ("SELECT * FROM CIM_Nothing", "CIM_Nothing", "does not exist"),
    (
        "SELECT * FROM CIM_Job ORDER BY Foo",
        "Foo",
        "Foo is no property",
    ),
    (
        "SELECT * FROM CIM_Job ORDER BY Command",
        "Command",
        "no array",
    ),
    (
        "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_Job AND SourceInstance.Foo = 1",
        "Foo",
        "Foo is no property of CIM_Job",
    ),
    (
        "SELECT * FROM CIM_Job WHERE UpperCase() = 'x'",
        "UpperCase",
        "one argument was expected, not 0",
    ),
    (
        "SELECT * FROM CIM_Job WHERE UpperCase(JobState) = 'x'",
        "JobState",
        "a string was expected, not JobState",
    ),
    (
        "SELECT * FROM CIM_Job WHERE CurrentDateTime(1) IS NULL",
        "Curr",
        "no argument",
    ),
];

#[test]
fn the_schema_is_asked_about_every_name_and_type() {
    for (condition, rest, message) in CONDITIONS {
        let text = format!("SELECT * FROM CIM_Job WHERE {condition}");
        check(&refused(Language::Cql, &text), &text, rest, message);
    }
    for (text, rest, message) in STATEMENTS {
        check(&refused(Language::Cql, text), text, rest, message);
    }
}

const FEATURES: &[(&str, &str)] = &[
    ("SELECT COUNT(*) FROM CIM_Job", "COUNT"),
    ("SELECT 'x' FROM CIM_Job", "'x'"),
    ("SELECT UpperCase(Name) FROM CIM_Job", "UpperCase"),
    ("SELECT Name AS n FROM CIM_Job", "AS"),
    ("SELECT Command[0] FROM CIM_Job", "Command"),
    ("SELECT CIM_Job FROM CIM_Job", "CIM_Job"),
    ("SELECT * FROM CIM_Job, CIM_Setting", ", CIM_Setting"),
    ("SELECT * FROM CIM_Job WHERE JobState + 1 = 2", "+ 1"),
    (
        "SELECT * FROM CIM_Job WHERE JobState IN (SELECT * FROM CIM_Job)",
        "IN",
    ),
    (
        "SELECT * FROM CIM_Job WHERE JobState = (SELECT * FROM CIM_Job)",
        "(SELECT",
    ),
    ("SELECT * FROM CIM_Job WHERE MAX(JobState) = 4", "MAX"),
    ("SELECT * FROM CIM_Job WHERE HostPort() = 'x'", "HostPort"),
    ("SELECT * FROM CIM_Job WHERE ANY Command[0..2] = 'x'", ".."),
];

#[test]
fn what_is_right_and_not_done_has_a_status_of_its_own() {
    for (text, rest) in FEATURES {
        let error = refused(Language::Cql, text);
        check(&error, text, rest, "this server does not support");
        let error = crate::model::CimError::from(error);
        assert_eq!(error.status, Status::QueryFeatureNotSupported, "{text}");
    }
}

const FILTERS: &[(&str, &str, &str)] = &[
    ("", "", "a property or a value was expected, not the end"),
    ("JobState = 'x'", "= 'x'", "cannot be compared"),
    ("Foo = 1", "Foo", "Foo is no property"),
    (
        "JobState >",
        "",
        "a property or a value was expected, not the end",
    ),
    ("(JobState = 1", "", ") was expected"),
    ("Name = 'x", "'x", "does not end"),
    ("NOT JobState = 1", "JobState", "ANY or EVERY was expected"),
    ("Started >= TRUE", ">=", "cannot be compared"),
    ("JobState > NULL AND JobState", "", "a comparison or LIKE"),
    ("OperationalStatus = {6,}", "}", "a literal was expected"),
    (
        "OperationalStatus = {6,'x'}",
        "{6",
        "a number was expected, not a string",
    ),
    ("OperationalStatus < {6}", "<", "cannot be compared"),
    ("SELECT Name", "Name", "a comparison or LIKE"),
    (
        "Started",
        "",
        "a comparison or LIKE was expected, not the end",
    ),
];

#[test]
fn filters_have_errors_too() {
    let sample = sample();
    let class = sample.named("CIM_Job");
    for (text, rest, message) in FILTERS {
        match Filter::compile(text, Some(&class), &sample) {
            Ok(_) => panic!("{text} was taken"),
            Err(error) => check(&error, text, rest, message),
        }
    }
}

#[test]
fn a_filter_and_its_language_come_together() {
    let sample = sample();
    let class = sample.named("CIM_Job");
    let status = |language, text| {
        let given = Filter::given(language, text, Some(&class), &sample);
        given
            .map(|filter| filter.is_some())
            .map_err(|error| error.status)
    };
    assert_eq!(status(None, None), Ok(false));
    assert_eq!(status(Some("DMTF:FQL"), Some("JobState = 4")), Ok(true));
    assert_eq!(
        status(Some("DMTF:FQL"), None),
        Err(Status::InvalidParameter)
    );
    assert_eq!(
        status(None, Some("JobState = 4")),
        Err(Status::InvalidParameter)
    );
    let wql = status(Some("WQL"), Some("JobState = 4"));
    assert_eq!(wql, Err(Status::QueryLanguageNotSupported));
    assert_eq!(
        status(Some("DMTF:FQL"), Some("JobState")),
        Err(Status::InvalidQuery)
    );
    let query = |language| Query::given(language, "SELECT", &sample).map_err(|e| e.status);
    assert_eq!(
        query("DMTF:FQL").err(),
        Some(Status::QueryLanguageNotSupported)
    );
    assert_eq!(query("DMTF:CQL").err(), Some(Status::InvalidQuery));
}

#[test]
fn places_are_counted_in_lines_and_characters() {
    let text = "SELECT *\nFROM CIM_Job\nWHERE Name = '\u{e4}\u{e4}' AND Foo = 1";
    let error = refused(Language::Cql, text);
    assert_eq!((error.position.line, error.position.column), (3, 23));
    assert_eq!(
        error.position.offset,
        text.find("Foo").expect("the mistake")
    );
    let told = error.to_string();
    assert!(
        told.starts_with("line 3, column 23 (offset 46): Foo"),
        "{told}"
    );
}

#[test]
fn every_limit_is_kept() {
    let with = |condition: &str| format!("SELECT * FROM CIM_Job WHERE {condition}");
    let nested = |depth: usize| {
        with(&format!(
            "{}Started{}",
            "(".repeat(depth),
            ")".repeat(depth)
        ))
    };
    assert!(Query::compile(Language::Cql, &nested(DEPTH_LIMIT), &sample()).is_ok());
    assert_eq!(
        refused(Language::Cql, &nested(DEPTH_LIMIT + 1)).fault,
        Fault::TooDeep
    );
    let nots = with(&format!("{}Started", "NOT ".repeat(10_000)));
    assert_eq!(refused(Language::Wql, &nots).fault, Fault::TooDeep);
    let calls = with(&format!("{}Name", "UpperCase(".repeat(5_000)));
    assert_eq!(refused(Language::Cql, &calls).fault, Fault::TooDeep);
    let long = with(&"x".repeat(TEXT_LIMIT_BYTES));
    assert_eq!(
        refused(Language::Cql, &long).fault,
        Fault::TooLong(long.len())
    );
    let patterns = with(&vec!["Name LIKE 'x'"; PATTERNS_LIMIT + 1].join(" OR "));
    assert_eq!(
        refused(Language::Cql, &patterns).fault,
        Fault::TooManyPatterns
    );
    let quantifiers = with(
        "ANY x IN OperationalStatus SATISFIES (ANY y IN OperationalStatus SATISFIES \
         (ANY z IN OperationalStatus SATISFIES (x = y)))",
    );
    assert_eq!(
        refused(Language::Cql, &quantifiers).fault,
        Fault::TooManyQuantifiers
    );
    let wide = with(&vec!["Started"; 5_000].join(" OR "));
    assert!(Query::compile(Language::Cql, &wide, &sample()).is_ok());
}
