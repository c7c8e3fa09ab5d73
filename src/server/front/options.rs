//! The answer to OPTIONS: what this server can do (DSP0200 1.4 §7.5).

use hyper::Response;
use hyper::header::{ALLOW, HeaderName, HeaderValue};

use crate::cimxml::Agreement;
use crate::ops::Request as Operation;
use crate::query::Language;

use super::deliver::{Body, whole};

/// The methods that are answered.
pub(super) const METHODS: &str = "POST, M-POST, OPTIONS";
/// The number that stands before the CIM headers of the answer.
const PREFIX: &str = "73";

/// The functional groups of DSP0200 1.4 §5.4.3, each with the operations that make it up.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "basic-read",
        &[
            "GetClass",
            "EnumerateClasses",
            "EnumerateClassNames",
            "GetInstance",
            "EnumerateInstances",
            "EnumerateInstanceNames",
            "GetProperty",
        ],
    ),
    (
        "pulled-read",
        &[
            "OpenEnumerateInstances",
            "OpenEnumerateInstancePaths",
            "OpenReferenceInstances",
            "OpenReferenceInstancePaths",
            "OpenAssociatorInstances",
            "OpenAssociatorInstancePaths",
            "PullInstancesWithPath",
            "PullInstancePaths",
            "CloseEnumeration",
        ],
    ),
    ("pulled-read-count", &["EnumerationCount"]),
    (
        "pulled-query-execution",
        &["OpenQueryInstances", "PullInstances"],
    ),
    ("basic-write", &["SetProperty"]),
    (
        "instance-manipulation",
        &["CreateInstance", "ModifyInstance", "DeleteInstance"],
    ),
    (
        "schema-manipulation",
        &["CreateClass", "ModifyClass", "DeleteClass"],
    ),
    (
        "association-traversal",
        &[
            "Associators",
            "AssociatorNames",
            "References",
            "ReferenceNames",
        ],
    ),
    ("query-execution", &["ExecQuery"]),
    (
        "qualifier-declaration",
        &[
            "GetQualifier",
            "SetQualifier",
            "DeleteQualifier",
            "EnumerateQualifiers",
        ],
    ),
];

/// The groups all of whose operations are among `operations`.
fn groups(operations: &[&str]) -> Vec<&'static str> {
    let complete = |group: &&(&'static str, &[&str])| {
        group
            .1
            .iter()
            .all(|operation| operations.contains(operation))
    };
    GROUPS
        .iter()
        .filter(complete)
        .map(|group| group.0)
        .collect()
}

/// The languages of the queries and filters that go with these groups.
fn languages(groups: &[&str]) -> Vec<&'static str> {
    let whole = Language::OF_QUERIES.map(|language| ("query-execution", language));
    let all = whole.into_iter().chain([("pulled-read", Language::Fql)]);
    all.filter(|(group, _)| groups.contains(group))
        .map(|(_, language)| language.as_str())
        .collect()
}

/// The answer.
pub(super) fn answer(agreement: Agreement) -> Response<Body> {
    let mut response = Response::new(whole(bytes::Bytes::new()));
    let opt = format!("http://www.dmtf.org/cim/mapping/http/v1.0 ; ns={PREFIX}");
    let groups = groups(Operation::NAMES);
    let languages = languages(&groups).join(", ");
    let groups = groups.join(", ");
    let validation = match agreement {
        Agreement::Tolerant => "loosely-validating",
        Agreement::Strict => "validating",
    };
    let headers = [
        ("Opt", opt.as_str()),
        ("73-CIMProtocolVersion", "1.0"),
        ("73-CIMSupportedFunctionalGroups", &groups),
        ("73-CIMSupportsMultipleOperations", ""),
        ("73-CIMSupportedQueryLanguages", &languages),
        ("73-CIMValidation", validation),
    ];
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    let allowed = HeaderValue::from_static(METHODS);
    response.headers_mut().insert(ALLOW, allowed);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_claimed_when_it_is_complete() {
        let all: Vec<&str> = GROUPS.iter().flat_map(|group| group.1).copied().collect();
        assert_eq!(groups(&all).len(), GROUPS.len());
        let without: Vec<&str> = all
            .into_iter()
            .filter(|name| *name != "GetProperty")
            .collect();
        assert!(!groups(&without).contains(&"basic-read"));
        assert!(groups(&without).contains(&"instance-manipulation"));
        assert!(groups(Operation::NAMES).contains(&"instance-manipulation"));
    }

    #[test]
    fn the_languages_go_with_the_groups() {
        let of = |groups: &[&str]| languages(groups).join(" ");
        assert_eq!(
            of(&["query-execution", "pulled-read"]),
            "WQL DMTF:CQL DMTF:FQL"
        );
        assert_eq!(of(&["pulled-read"]), "DMTF:FQL");
        assert_eq!(of(&["basic-read"]), "");
    }

    #[test]
    fn a_strict_server_says_that_it_validates() {
        let validation = |agreement| answer(agreement).headers()["73-CIMValidation"].clone();
        assert_eq!(validation(Agreement::Tolerant), "loosely-validating");
        assert_eq!(validation(Agreement::Strict), "validating");
    }

    #[test]
    fn the_prefix_is_declared() {
        let answer = answer(Agreement::Tolerant);
        let opt = answer.headers()["opt"].to_str().expect("text").to_owned();
        assert!(opt.ends_with(&format!("ns={PREFIX}")), "{opt}");
        let version = format!("{PREFIX}-CIMProtocolVersion");
        assert_eq!(answer.headers()[version], "1.0");
    }
}
