//! What each language makes of one job.

use super::samples::{Sample, change, circumstances, job, sample};
use crate::model::{CimName, CimValue, Instance, Namespace};
use crate::query::{Filter, Language, Projection, Query, Truth};

use Truth::{False, True, Unknown};

fn compiled(language: Language, text: &str, sample: &Sample) -> Query {
    Query::compile(language, text, sample).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn check(language: Language, instance: &Instance, text: &str, expected: Truth) {
    let namespace = Namespace::of("root/cimv2");
    let query = compiled(language, text, &sample());
    let found = query.truth(instance, circumstances(&namespace));
    assert_eq!(found, expected, "{language}: {text}");
}

/// Each condition in both languages, about a job.
fn conditions(cases: &[(&str, Truth)]) {
    let job = job(&sample());
    for (condition, expected) in cases {
        let text = format!("SELECT * FROM CIM_Job WHERE {condition}");
        check(Language::Wql, &job, &text, *expected);
        check(Language::Cql, &job, &text, *expected);
    }
}

#[test]
fn comparisons() {
    conditions(&[
        ("JobState = 4 AND Priority < 10", True),
        ("jobstate = 0x4 and PRIORITY <> 101B", False),
        ("Priority = 5.0", True),
        ("5 >= Priority", True),
        ("Priority != 5", False),
        ("Size = 18446744073709551615", True),
        ("Size > 1.8e19", True),
        ("Size > -1", True),
        ("Ratio < Priority", True),
        ("Share = 2", True),
        ("Name = 'backup''s'", True),
        ("Name = 'Backup''s'", False),
        ("Name > 'back'", True),
        ("Started", True),
        ("NOT Started", False),
        ("Started = TRUE", True),
        ("Started <> true", False),
        ("(Started) = TRUE", True),
        ("TimeSubmitted < '20260111000000.000000+000'", True),
        ("TimeSubmitted = '20260110130000.000000+060'", True),
        ("TimeSubmitted = '20260110******.******+000'", Unknown),
        ("TimeSubmitted < '00000001000000.000000:000'", Unknown),
        ("Owner = 'CIM_Setting.Label=\"o\"'", True),
        ("Owner <> 'CIM_Setting.Label=\"x\"'", True),
        ("Setting.Level = 3", True),
        ("Setting.CIM_Setting::Level = 3", True),
        ("Setting.Label = 'main'", True),
        ("Settings[1].Label = 'b'", True),
        ("Settings[2].Label = 'b'", Unknown),
        ("CIM_Job.JobState = 4", True),
        ("CIM_Job::JobState = 4", True),
        ("JW_Job::Command IS NULL", False),
        ("StatusDescriptions[0] = 'Completed'", True),
        ("StatusDescriptions[9] = 'Completed'", Unknown),
        ("Secret = 'hidden'", Unknown),
        ("Secret IS NULL", True),
        ("JobState = #'Running'", True),
        ("#'Running' = JobState", True),
        ("JobState <> JobState#'Completed'", True),
        ("Kind = #'One'", Unknown),
        ("OperationalStatus = OperationalStatus", True),
    ]);
}

#[test]
fn truth_has_three_values() {
    conditions(&[
        ("Balance = 1", Unknown),
        ("Balance <> 1", Unknown),
        ("NOT Balance = 1", Unknown),
        ("Balance = NULL", Unknown),
        ("Balance IS NULL", True),
        ("Balance IS NOT NULL", False),
        ("Balance = 1 OR JobState = 4", True),
        ("Balance = 1 AND JobState = 4", Unknown),
        ("Balance = 1 AND JobState = 5", False),
        ("Balance = 1 IS TRUE", False),
        ("Balance = 1 IS NOT TRUE", True),
        ("Balance = 1 IS NOT FALSE", True),
        ("(Balance = 1 OR Balance <> 1) IS TRUE", False),
        ("Started IS TRUE", True),
        ("Started IS NOT FALSE", True),
    ]);
}

#[test]
fn not_binds_tighter_than_and_and_and_tighter_than_or() {
    conditions(&[
        ("JobState = 4 OR JobState = 5 AND JobState = 6", True),
        ("(JobState = 4 OR JobState = 5) AND JobState = 6", False),
        ("NOT JobState = 4 OR JobState = 4", True),
        ("NOT (JobState = 4 OR JobState = 4)", False),
        ("NOT NOT JobState = 4", True),
        ("NOT JobState = 5 AND JobState = 4", True),
    ]);
}

#[test]
fn arrays_are_asked_with_any_and_every() {
    conditions(&[
        ("ANY OperationalStatus[*] = 17", True),
        ("ANY OperationalStatus = 18", False),
        ("EVERY OperationalStatus[*] > 5", True),
        ("EVERY OperationalStatus > 6", False),
        ("ANY x IN OperationalStatus SATISFIES (x = 17)", True),
        (
            "ANY x IN OperationalStatus[*] SATISFIES (x = 17 AND x = 6)",
            False,
        ),
        (
            "ANY s IN Settings SATISFIES (s.Label = 'b' AND s.Level = 2)",
            True,
        ),
        (
            "ANY s IN Settings SATISFIES (s.Label = 'b' AND s.Level = 1)",
            False,
        ),
        (
            "ANY s IN Settings SATISFIES (ANY x IN OperationalStatus SATISFIES (x > s.Level))",
            True,
        ),
        ("ANY s IN Settings SATISFIES (s ISA CIM_Setting)", True),
        ("ANY Command LIKE 'x'", False),
        ("EVERY Command LIKE 'x'", True),
        ("NOT EVERY OperationalStatus = 6", True),
        ("OperationalStatus[0] = 17", True),
    ]);
}

#[test]
fn objects_are_asked_for_their_class() {
    conditions(&[
        ("CIM_Job ISA JW_Job", True),
        ("CIM_Job ISA CIM_Setting", False),
        ("Setting ISA CIM_Setting", True),
        ("Setting ISA CIM_Job", False),
        ("NOT Setting ISA CIM_Job", True),
    ]);
}

#[test]
fn like_has_the_patterns_of_the_language() {
    let job = job(&sample());
    let ask = |language, condition: &str, expected| {
        let text = format!("SELECT * FROM CIM_Job j WHERE {condition}");
        check(language, &job, &text, expected);
    };
    ask(Language::Cql, "Name LIKE 'back.*'", True);
    ask(Language::Cql, "j.Name LIKE 'back|restore'", False);
    ask(Language::Cql, "Name NOT LIKE 'back|restore'", True);
    ask(Language::Cql, "Name LIKE 'back%'", False);
    ask(Language::Wql, "Name LIKE 'back%'", True);
    ask(Language::Wql, "Name LIKE \"b_ckup's\"", True);
    ask(Language::Wql, "Name LIKE 'back.*'", False);
    ask(Language::Wql, "Secret LIKE '%'", Unknown);
    ask(Language::Wql, "NOT Secret LIKE '%'", Unknown);
    ask(Language::Wql, "__CLASS = 'JW_Job'", True);
    ask(Language::Wql, "Setting.__Class = 'CIM_Setting'", True);
}

#[test]
fn functions_of_cql() {
    let job = job(&sample());
    for (condition, expected) in [
        ("TimeSubmitted < CurrentDateTime()", True),
        (
            "TimeSubmitted > DateTime('20260101000000.000000+000')",
            True,
        ),
        ("DateTime('nonsense') IS NULL", True),
        (
            "MicrosecondToTimestamp(DateTimeToMicrosecond(TimeSubmitted)) = TimeSubmitted",
            True,
        ),
        (
            "MicrosecondToTimestamp(0) = '00000101000000.000000+000'",
            True,
        ),
        (
            "MicrosecondToInterval(1000000) = '00000000000001.000000:000'",
            True,
        ),
        ("DateTimeToMicrosecond(MicrosecondToInterval(7)) = 7", True),
        ("MicrosecondToInterval(-1) IS NULL", True),
        ("StringToUint('17') = 17", True),
        ("StringToUint('-17') IS NULL", True),
        ("StringToSint('-17') = -17", True),
        ("StringToReal('0.5') = Ratio", True),
        ("StringToNumeric('0.5') = Ratio", True),
        ("NumericToString(Priority) = '5'", True),
        ("UpperCase(Name) = 'BACKUP\\'S'", True),
        ("UpperCase('a' || Name || 'b') LIKE 'ABACK.*'", True),
        ("Secret || 'x' IS NULL", True),
        ("ClassName() = 'JW_Job'", True),
        ("ClassName(CIM_Job) = 'JW_Job'", True),
        ("ClassName(Owner) = 'CIM_Setting'", True),
        ("NamespaceName() = 'root/cimv2'", True),
        (
            "ModelPath() = 'root/cimv2:JW_Job.InstanceID=\"JW:1\"'",
            True,
        ),
        ("ClassPath(Owner) = 'root/cimv2:CIM_Setting'", True),
        ("ObjectPath(Owner) = ReferenceToString(Owner)", True),
        ("InstanceToReference() = 'JW_Job.InstanceID=\"JW:1\"'", True),
        ("ClassName(Setting) = 'CIM_Setting'", True),
    ] {
        let text = format!("SELECT * FROM CIM_Job WHERE {condition}");
        check(Language::Cql, &job, &text, expected);
    }
}

#[test]
fn indications_are_asked_for_their_embedded_instances() {
    let change = change(&sample());
    let is_a = "SourceInstance ISA CIM_Job";
    for (condition, expected) in [
        (is_a, True),
        ("SourceInstance ISA CIM_Setting", False),
        (
            "SourceInstance.CIM_Job::JobState <> PreviousInstance.CIM_Job::JobState",
            True,
        ),
        ("SourceInstance.JobState <> PreviousInstance.JobState", True),
        ("SourceInstance.CIM_Setting::Level = 3", Unknown),
        ("SourceInstance.Setting.Level = 3", True),
        (
            "ANY SourceInstance.CIM_Job::OperationalStatus[*] = 17",
            True,
        ),
        (
            "ANY x IN SourceInstance.OperationalStatus[*] SATISFIES (x = 17)",
            True,
        ),
        (
            "SourceInstance.TimeSubmitted < '20260111000000.000000+000'",
            True,
        ),
        ("SourceInstance.CIM_Job::JobState = #'Completed'", True),
        ("SourceInstance = PreviousInstance", False),
        ("SourceInstance.NoSuchThing IS NULL", True),
        (
            "SourceInstance ISA CIM_Job AND SourceInstance.JobState = #'Completed'",
            True,
        ),
    ] {
        let text = format!("SELECT * FROM CIM_InstModification WHERE {condition}");
        check(Language::Wql, &change, &text, expected);
        check(Language::Cql, &change, &text, expected);
    }
    let alias = "SELECT * FROM CIM_InstModification WHERE TargetInstance.JobState = 7";
    check(Language::Wql, &change, alias, True);
}

#[test]
fn a_filter_index_finds_class_keys_and_needs_in_the_plan() {
    let sample = sample();
    let text = "SELECT SourceInstance.JobState FROM CIM_InstModification \
                WHERE SourceInstance ISA CIM_Job AND SourceInstance.Priority > 3";
    let query = compiled(Language::Cql, text, &sample);
    let source = CimName::of("SourceInstance");
    assert_eq!(query.sources, Some(vec![CimName::of("CIM_Job")]));
    assert_eq!(query.needs, Some(vec![source]));
    assert_eq!(query.class.name, CimName::of("CIM_InstModification"));

    let text = "SELECT Name FROM CIM_Job WHERE 'JW:1' = InstanceID AND (JobState = 4)";
    let query = compiled(Language::Cql, text, &sample);
    assert_eq!(
        query.keys.get("instanceid"),
        Some(&CimValue::string("JW:1"))
    );
    let either = "SELECT Name FROM CIM_Job WHERE InstanceID = 'a' OR InstanceID = 'b'";
    assert!(compiled(Language::Cql, either, &sample).keys.is_empty());
    assert_eq!(
        compiled(Language::Cql, "SELECT * FROM CIM_Job", &sample).needs,
        None
    );
}

#[test]
fn the_classes_that_a_filter_can_be_about_are_known() {
    let sample = sample();
    let check = |condition: &str, expected: Option<&[&'static str]>| {
        let text = format!("SELECT * FROM CIM_InstModification WHERE {condition}");
        let expected = expected.map(|names| names.iter().map(|name| CimName::of(name)).collect());
        let found = compiled(Language::Cql, &text, &sample).sources;
        assert_eq!(found, expected, "{condition}");
    };
    let job = "SourceInstance ISA CIM_Job";
    let system = "PreviousInstance ISA CIM_Setting";
    let both: &[&str] = &["CIM_Job", "CIM_Setting"];
    check(job, Some(&["CIM_Job"]));
    check(&format!("{job} OR {system}"), Some(both));
    check(
        &format!("({job} OR {system}) AND PreviousInstance ISA CIM_Job"),
        Some(&["CIM_Job"]),
    );
    check(&format!("{job} OR {job}"), Some(&["CIM_Job"]));
    check("SourceInstance.CIM_Job::JobState = 7", Some(&["CIM_Job"]));
    check(
        "'a' <> CIM_InstModification.SourceInstance.CIM_Job::Name",
        Some(&["CIM_Job"]),
    );
    check(
        "SourceInstance.CIM_Job::Name LIKE 'a.*'",
        Some(&["CIM_Job"]),
    );
    check(&format!("{job} OR SourceInstance.JobState = 7"), None);
    check(&format!("NOT {job}"), None);
    check("SourceInstance.CIM_Job::JobState IS NULL", None);
    check("SourceInstance.JobState = 7", None);
    check(
        "SourceInstance.Name = 'a' AND NOT (SourceInstance ISA CIM_Job)",
        None,
    );
}

#[test]
fn rows_have_what_the_select_list_names() {
    let sample = sample();
    let row = |text: &str, instance: Instance| {
        compiled(Language::Cql, text, &sample)
            .projection
            .of(instance)
    };
    let some = row(
        "SELECT Name, j.Setting.Label FROM CIM_Job AS j",
        job(&sample),
    );
    assert_eq!(some.value("Name"), &CimValue::string("backup's"));
    assert!(
        some.value("Priority").is_null(),
        "Priority was not asked for"
    );
    let CimValue::Instance(setting) = some.value("Setting") else {
        panic!("Setting is not shown");
    };
    assert_eq!(setting.value("Label"), &CimValue::string("main"));
    assert!(setting.value("Level").is_null(), "Level was not asked for");

    let whole = row(
        "SELECT SourceInstance.* FROM CIM_InstModification",
        change(&sample),
    );
    assert_eq!(
        whole.value("SourceInstance"),
        change(&sample).value("SourceInstance")
    );
    assert!(whole.value("PreviousInstance").is_null());
    for all in ["SELECT *", "SELECT Name, *", "SELECT CIM_Job.*"] {
        let query = compiled(Language::Cql, &format!("{all} FROM CIM_Job"), &sample);
        assert_eq!(query.projection, Projection::All, "{all}");
    }
}

#[test]
fn rows_are_ordered_with_null_first() {
    let sample = sample();
    let namespace = Namespace::of("root/cimv2");
    let text = "SELECT * FROM CIM_Job ORDER BY Priority DESC, Name";
    let query = compiled(Language::Cql, text, &sample);
    let order = |priority: CimValue, name: &str| {
        let mut job = job(&sample);
        job.set("Priority", priority).expect("a priority");
        job.set("Name", CimValue::string(name)).expect("a name");
        query.order_of(&job, circumstances(&namespace))
    };
    let rows = [
        order(CimValue::Uint32(10), "a"),
        order(CimValue::Uint32(9), "a"),
        order(CimValue::Uint32(9), "b"),
        order(CimValue::Null, "a"),
    ];
    for pair in rows.windows(2) {
        assert!(query.compared(&pair[0], &pair[1]).is_lt(), "{pair:?}");
    }
}

#[test]
fn a_query_selects_instances_of_its_class_only() {
    let sample = sample();
    let namespace = Namespace::of("root/cimv2");
    let query = compiled(Language::Wql, "SELECT * FROM CIM_Setting", &sample);
    assert!(!query.selects(&job(&sample), circumstances(&namespace)));
    let query = compiled(Language::Wql, "SELECT * FROM CIM_Job", &sample);
    assert!(query.selects(&job(&sample), circumstances(&namespace)));
}

#[test]
fn filters_of_fql_know_true_and_false_only() {
    let sample = sample();
    let namespace = Namespace::of("root/cimv2");
    let (job, class) = (job(&sample), sample.named("CIM_Job"));
    for (text, expected) in [
        ("JobState = 4", true),
        (
            "JobState = 7 OR (Priority <> 0 AND OperationalStatus = {6,17})",
            true,
        ),
        ("OperationalStatus = {17, 6}", true),
        ("OperationalStatus = {17, 17}", false),
        ("OperationalStatus <> {17}", true),
        ("StatusDescriptions = {'Completed', 'fine'}", true),
        ("StatusDescriptions = {'fine', 'Completed'}", false),
        ("ANY OperationalStatus = 17", true),
        ("NOT ANY OperationalStatus = 17", false),
        ("NOT EVERY OperationalStatus = 2", true),
        ("EVERY OperationalStatus > 5", true),
        ("EVERY Command = 'x'", false),
        ("NOT EVERY Command = 'x'", true),
        ("ANY Command = 'x'", false),
        ("StatusDescriptions[0] LIKE 'Comp.*'", true),
        ("StatusDescriptions[5] LIKE 'Comp.*'", false),
        ("StatusDescriptions[5] NOT LIKE 'Comp.*'", false),
        ("ANY StatusDescriptions NOT LIKE 'Comp.*'", true),
        ("TimeSubmitted <> NULL", true),
        ("Balance = NULL", true),
        ("Balance <> NULL", false),
        ("Balance <> 1", false),
        ("Balance = 1", false),
        ("Setting.Level = 3 AND Started = TRUE", true),
        ("Name LIKE 'back[a-z]+.s'", true),
        ("TimeSubmitted >= '20260110120000.000000+000'", true),
        ("OperationalStatus[0] = OperationalStatus[0]", true),
        ("JobState = 5 AND JobState = 5 OR JobState = 4", true),
        ("Command[0] = NULL", true),
    ] {
        let filter = Filter::compile(text, Some(&class), &sample)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = filter.selects(&job, circumstances(&namespace));
        assert_eq!(found, expected, "{text}");
    }
    let open = Filter::compile("Anything = 1", None, &sample).expect("a class nobody knows");
    assert!(!open.selects(&job, circumstances(&namespace)));
}
