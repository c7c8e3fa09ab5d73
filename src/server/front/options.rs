//! The answer to OPTIONS: what this server can do (DSP0200 1.4 §7.5).

use hyper::Response;
use hyper::header::{ALLOW, HeaderName, HeaderValue};

use crate::ops::Request as Operation;

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

/// The answer.
pub(super) fn answer() -> Response<Body> {
    let mut response = Response::new(whole(bytes::Bytes::new()));
    let opt = format!("http://www.dmtf.org/cim/mapping/http/v1.0 ; ns={PREFIX}");
    let groups = groups(Operation::NAMES);
    let queries = if groups.contains(&"query-execution") {
        "WQL, DMTF:CQL"
    } else {
        ""
    };
    let groups = groups.join(", ");
    let headers = [
        ("Opt", opt.as_str()),
        ("73-CIMProtocolVersion", "1.0"),
        ("73-CIMSupportedFunctionalGroups", &groups),
        ("73-CIMSupportsMultipleOperations", ""),
        ("73-CIMSupportedQueryLanguages", queries),
        ("73-CIMValidation", "loosely-validating"),
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
    fn the_prefix_is_declared() {
        let answer = answer();
        let opt = answer.headers()["opt"].to_str().expect("text").to_owned();
        assert!(opt.ends_with(&format!("ns={PREFIX}")), "{opt}");
        let version = format!("{PREFIX}-CIMProtocolVersion");
        assert_eq!(answer.headers()[version], "1.0");
    }
}
