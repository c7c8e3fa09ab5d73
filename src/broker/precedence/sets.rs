//! Associations, queries, and enumerations that are pulled.

use crate::model::CimName;
use crate::ops::{
    AssociatorFilter, AssociatorNames, Associators, CloseEnumeration, EnumerationCount, ExecQuery,
    PullInstancePaths, ReferenceFilter, ReferenceNames, References, Request, Select,
};

use super::{LOST_READER, READER, check, path};

#[tokio::test]
async fn of_following_associations() {
    type Traversal = fn(&str, &'static str) -> Request;
    fn associators(text: &str, association: &'static str) -> AssociatorNames {
        AssociatorNames {
            object: path(text),
            filter: AssociatorFilter {
                association: Some(CimName::of(association)),
                ..AssociatorFilter::default()
            },
        }
    }
    fn references(text: &str, association: &'static str) -> ReferenceNames {
        ReferenceNames {
            object: path(text),
            filter: ReferenceFilter {
                result: Some(CimName::of(association)),
                ..ReferenceFilter::default()
            },
        }
    }
    let all: [Traversal; 4] = [
        |text, class| Request::AssociatorNames(associators(text, class)),
        |text, class| {
            let AssociatorNames { object, filter } = associators(text, class);
            let (qualifiers, select) = (false, Select::default());
            Request::Associators(Associators {
                object,
                filter,
                qualifiers,
                select,
            })
        },
        |text, class| Request::ReferenceNames(references(text, class)),
        |text, class| {
            let ReferenceNames { object, filter } = references(text, class);
            let (qualifiers, select) = (false, Select::default());
            Request::References(References {
                object,
                filter,
                qualifiers,
                select,
            })
        },
    ];
    for ask in all {
        check(vec![
            (3, LOST_READER, ask("T_None.X=1", "T_None")),
            (4, READER, ask("T_None.X=1", "T_Link")),
            (4, READER, ask("T_None", "T_Link")),
            (4, READER, ask("T_Item.Number=9", "T_None")),
            (6, READER, ask("T_Item.Number=9", "T_Link")),
            (0, READER, ask("T_Item.Number=1", "T_Link")),
            (0, READER, ask("T_Item", "T_Link")),
        ])
        .await;
    }
}

#[tokio::test]
async fn of_queries_and_pulls() {
    let query = |language: &str, query: &str| {
        Request::ExecQuery(ExecQuery {
            language: language.to_owned(),
            query: query.to_owned(),
        })
    };
    check(vec![
        (3, LOST_READER, query("X", "?")),
        (14, READER, query("X", "?")),
        (15, READER, query("WQL", "?")),
        (0, READER, query("WQL", "SELECT * FROM T_Item")),
    ])
    .await;
    let context = || "none".to_owned();
    for request in [
        Request::PullInstancePaths(PullInstancePaths {
            context: context(),
            max_objects: 1,
        }),
        Request::CloseEnumeration(CloseEnumeration { context: context() }),
        Request::EnumerationCount(EnumerationCount { context: context() }),
    ] {
        check(vec![
            (3, LOST_READER, request.clone()),
            (21, READER, request),
        ])
        .await;
    }
}
