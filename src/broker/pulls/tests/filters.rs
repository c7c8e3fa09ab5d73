//! Filters, and which fault of an Open is told first.

use crate::model::{CimName, ObjectPath, Status};
use crate::ops::{
    OpenEnumerateInstancePaths, OpenEnumerateInstances, OpenReferenceInstancePaths, Opening,
    Request, Select, Terms,
};

use super::{ANNA, Test, first, refused};

fn filtered_by(language: Option<&str>, filter: Option<&str>, terms: Terms) -> Opening {
    Opening {
        filter_language: language.map(str::to_owned),
        filter: filter.map(str::to_owned),
        terms,
    }
}

fn faulty(
    seconds: u32,
    language: Option<&str>,
    filter: Option<&str>,
    class: &'static str,
) -> Request {
    let terms = Terms {
        timeout_seconds: Some(seconds),
        ..Terms::default()
    };
    Request::OpenEnumerateInstances(OpenEnumerateInstances {
        class: CimName::of(class),
        deep_inheritance: true,
        select: Select::default(),
        opening: filtered_by(language, filter, terms),
    })
}

/// The order in which DSP0200 lists the status codes: each row has the fault of the next too.
#[tokio::test]
async fn the_first_fault_is_told() {
    let test = Test::numbered(1);
    let (y, none, some) = (Some("y"), "T_None", "T_Item");
    let (wql, fql, wrong) = (Some("WQL"), Some("DMTF:FQL"), Some("?"));
    let cases = [
        ("x", faulty(0, y, None, none), Status::InvalidNamespace),
        (
            "a",
            faulty(0, y, None, none),
            Status::InvalidOperationTimeout,
        ),
        ("a", faulty(9, y, None, none), Status::InvalidParameter),
        ("a", faulty(9, None, y, none), Status::InvalidParameter),
        ("a", faulty(9, y, wrong, none), Status::InvalidClass),
        (
            "a",
            faulty(9, wql, wrong, some),
            Status::QueryLanguageNotSupported,
        ),
        ("a", faulty(9, fql, wrong, some), Status::InvalidQuery),
        (
            "a",
            faulty(9, fql, Some("X = 1"), some),
            Status::InvalidQuery,
        ),
    ];
    for (place, request, expected) in cases {
        refused(test.ask(("anna", place), request).await, expected);
    }
    let good = faulty(9, Some("dmtf:fql"), Some("Word = 'odd'"), some);
    test.ask(ANNA, good).await.expect("all is well");
}

#[tokio::test]
async fn the_first_fault_of_a_traversal_is_told() {
    let test = Test::numbered(1);
    let references = |path: &str, class: Option<&'static str>| {
        Request::OpenReferenceInstancePaths(OpenReferenceInstancePaths {
            path: path.parse::<ObjectPath>().expect("a path of the test"),
            filter: crate::ops::ReferenceFilter {
                result: class.map(CimName::of),
                role: None,
            },
            opening: filtered_by(Some("DMTF:FQL"), Some("?"), Terms::default()),
        })
    };
    for (request, expected) in [
        (
            references("T_Item.Number=9", Some("T_None")),
            Status::InvalidParameter,
        ),
        (references("T_Item.Number=9", None), Status::NotFound),
        (references("T_Item.Number=0", None), Status::InvalidQuery),
    ] {
        refused(test.ask(ANNA, request).await, expected);
    }
}

#[tokio::test]
async fn a_filter_is_asked_of_what_is_not_shown() {
    let test = Test::numbered(7);
    for odd in ["Word = 'odd'", "Number = 1 OR Number = 3 OR Number = 5"] {
        let opening = filtered_by(Some("DMTF:FQL"), Some(odd), first(9));
        let instances = Request::OpenEnumerateInstances(OpenEnumerateInstances {
            class: CimName::of("T_Item"),
            deep_inheritance: true,
            select: Select {
                properties: Some(vec![CimName::of("Number")]),
                class_origin: false,
            },
            opening: opening.clone(),
        });
        let paths = Request::OpenEnumerateInstancePaths(OpenEnumerateInstancePaths {
            class: CimName::of("T_Item"),
            opening,
        });
        for request in [instances, paths] {
            let answer = test.ask(ANNA, request).await.expect("open");
            assert_eq!(answer, (vec![1, 3, 5], None));
        }
    }
}
