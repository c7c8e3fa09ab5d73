//! What is parsed is printed as text that parses to the same query, in each language.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::query::ast::Condition;
use crate::query::language::Language;
use crate::query::parser;
use crate::query::print::Printed;

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["Name", "JobState", "a_b1", "Ähre", "_x"]).prop_map(str::to_owned)
}

fn quoted() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a", "'", "\\", "\"", "\\u00e4", "ä", " ", "%", ".*", "\n", "😀", "u0041",
    ];
    let escaped = |pieces: Vec<&str>| {
        let text = pieces.concat().replace('\\', "\\\\").replace('\'', "''");
        format!("'{text}'")
    };
    vec(prop::sample::select(pieces), 0..6).prop_map(escaped)
}

fn number() -> impl Strategy<Value = String> {
    let real = any::<f64>().prop_filter("finite", |real| real.is_finite());
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<u32>().prop_map(|number| format!("0x{number:x}")),
        any::<u8>().prop_map(|number| format!("{number:b}B")),
        real.prop_map(|real| format!("{real:?}")),
        real_with_plus(),
    ]
}

fn real_with_plus() -> impl Strategy<Value = String> {
    (0u32..9999, 0i32..300).prop_map(|(digits, exponent)| format!("+{digits}.5E+{exponent}"))
}

fn literal() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["TRUE", "false", "NULL"]).prop_map(str::to_owned);
    prop_oneof![number(), quoted(), word]
}

fn path() -> impl Strategy<Value = String> {
    let index = prop::sample::select(vec!["", "", "", "[0]", "[17]", "[*]"]);
    let class = prop::sample::select(vec!["", "", "CIM_Job::"]);
    let step =
        (class, name(), index).prop_map(|(class, name, index)| format!("{class}{name}{index}"));
    vec(step, 1..4).prop_map(|steps| steps.join("."))
}

fn operand() -> impl Strategy<Value = String> {
    let array = vec(literal(), 1..4).prop_map(|entries| format!("{{{}}}", entries.join(", ")));
    let symbol = (prop::option::of(path()), quoted())
        .prop_map(|(path, name)| format!("{}#{name}", path.unwrap_or_default()));
    let leaf = prop_oneof![literal(), path(), path(), array, symbol];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let joined = vec(inner.clone(), 2..4).prop_map(|parts| {
            let parts: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
            parts.join(" || ")
        });
        let call = vec(inner, 0..3)
            .prop_map(|arguments| format!("NumericToString({})", arguments.join(", ")));
        prop_oneof![joined, call]
    })
}

fn comparator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="])
}

/// A condition of WQL or CQL.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (operand(), comparator(), operand()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (path(), any::<bool>())
            .prop_map(|(path, not)| format!("{path} IS {}NULL", if not { "NOT " } else { "" })),
        (path(), any::<bool>(), quoted()).prop_map(|(path, not, text)| format!(
            "{path} {}LIKE {text}",
            if not { "NOT " } else { "" }
        )),
        path().prop_map(|path| format!("{path} ISA CIM_Job")),
        path(),
        (path(), comparator(), literal())
            .prop_map(|(path, op, value)| format!("ANY {path} {op} {value}")),
        (path(), quoted()).prop_map(|(path, text)| format!("EVERY {path} NOT LIKE {text}")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let joined = |word: &'static str| {
            move |parts: Vec<String>| {
                let parts: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
                parts.join(word)
            }
        };
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(joined(" AND ")),
            vec(inner.clone(), 2..4).prop_map(joined(" OR ")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("NOT ({a}) AND ({b}) OR ({c})")),
            (inner.clone(), any::<bool>())
                .prop_map(|(a, not)| format!("({a}) IS {}TRUE", if not { "NOT " } else { "" })),
            (inner.clone(), any::<bool>())
                .prop_map(|(a, not)| format!("({a}) IS {}FALSE", if not { "NOT " } else { "" })),
            (path(), inner).prop_map(|(array, a)| format!("EVERY one IN {array} SATISFIES ({a})")),
        ]
    })
}

/// A filter of FQL.
fn filter() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (path(), comparator(), literal())
            .prop_map(|(path, op, value)| format!("{path} {op} {value}")),
        (path(), comparator(), path()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (path(), vec(number(), 1..4))
            .prop_map(|(path, all)| format!("{path} <> {{{}}}", all.join(","))),
        (path(), any::<bool>(), quoted()).prop_map(|(path, not, text)| format!(
            "{path} {}LIKE {text}",
            if not { "NOT " } else { "" }
        )),
        (any::<bool>(), any::<bool>(), path(), comparator(), number()).prop_map(
            |(not, any, path, op, value)| {
                let (not, quantifier) = (
                    if not { "NOT " } else { "" },
                    if any { "ANY" } else { "EVERY" },
                );
                format!("{not}{quantifier} {path} {op} {value}")
            }
        ),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let joined = |word: &'static str| {
            move |parts: Vec<String>| {
                let parts: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
                parts.join(word)
            }
        };
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(joined(" AND ")),
            vec(inner, 2..4).prop_map(joined(" OR ")),
        ]
    })
}

fn parsed(language: Language, text: &str) -> Condition {
    match language {
        Language::Fql => parser::filter(text).unwrap_or_else(|error| panic!("{text}\n{error:?}")),
        Language::Wql | Language::Cql => {
            let query = format!("SELECT * FROM CIM_Job WHERE {text}");
            let select = parser::select(&query, language);
            let select = select.unwrap_or_else(|error| panic!("{query}\n{error:?}"));
            select.condition.expect("a condition was given")
        }
    }
}

fn returns(language: Language, text: &str) {
    let first = parsed(language, text);
    let printed = Printed(&first, language).to_string();
    assert_eq!(
        parsed(language, &printed),
        first,
        "{text}\nwas printed as\n{printed}"
    );
}

proptest! {
    #[test]
    fn conditions_are_printed_as_what_they_are(text in condition()) {
        returns(Language::Wql, &text);
        returns(Language::Cql, &text);
    }

    #[test]
    fn filters_are_printed_as_what_they_are(text in filter()) {
        returns(Language::Fql, &text);
    }

    #[test]
    fn whole_queries_are_printed_as_what_they_are(
        distinct in prop::sample::select(vec!["", "DISTINCT "]),
        first in prop::option::of(any::<u64>()),
        items in vec(prop_oneof![path(), name().prop_map(|name| format!("{name}.*")), Just("*".to_owned())], 1..4),
        alias in prop::sample::select(vec!["", " AS j", " j"]),
        condition in prop::option::of(condition()),
        order in vec((path(), prop::sample::select(vec!["", " ASC", " DESC"])), 0..3),
    ) {
        let first = first.map_or_else(String::new, |first| format!("FIRST {first} "));
        let condition = condition.map_or_else(String::new, |text| format!(" WHERE {text}"));
        let order: Vec<String> = order.iter().map(|(path, way)| format!("{path}{way}")).collect();
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        let text = format!("SELECT {distinct}{first}{} FROM CIM_Job{alias}{condition}{order}", items.join(", "));
        let select = parser::select(&text, Language::Cql).unwrap_or_else(|error| panic!("{text}\n{error:?}"));
        let printed = select.to_string();
        let again = parser::select(&printed, Language::Cql).unwrap_or_else(|error| panic!("{printed}\n{error:?}"));
        prop_assert_eq!(again, select, "{}\nwas printed as\n{}", text, printed);
    }
}
