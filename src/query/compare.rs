//! Comparison of values: numbers by exact value whatever their width, datetimes by what their text
//! may stand for, references by the object they lead to.

use std::cmp::Ordering;

use crate::model::{CimDateTime, CimValue, Keys, ObjectPath};

use super::ast::Comparator;
use super::truth::Truth;

/// Whether `left` stands in relation `op` to `right`; unknown with NULL and between values that do
/// not compare. Arrays are equal or not; in a bag the order of entries does not matter.
pub(super) fn compare(left: &CimValue, op: Comparator, right: &CimValue, bag: bool) -> Truth {
    let relation = match (left, right) {
        (CimValue::Array(left), CimValue::Array(right)) => {
            Relation::Equality(Some(same_entries(left, right, bag)))
        }
        (left, right) => relation(left, right),
    };
    match relation {
        Relation::Order(order) => Truth::known(order.map(|order| accepts(op, order))),
        Relation::Equality(same) => match op {
            Comparator::Equal => Truth::known(same),
            Comparator::NotEqual => !Truth::known(same),
            Comparator::Less
            | Comparator::LessOrEqual
            | Comparator::Greater
            | Comparator::GreaterOrEqual => Truth::Unknown,
        },
    }
}

/// A total order of values for ORDER BY: NULL first, then by value; what has no order of its own
/// goes by its text.
pub(super) fn sorted(left: &CimValue, right: &CimValue) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    match relation(left, right) {
        Relation::Order(Some(order)) => order,
        Relation::Order(None) | Relation::Equality(_) => left.to_string().cmp(&right.to_string()),
    }
}

/// What two values are to each other; `None` where nobody can say.
enum Relation {
    Order(Option<Ordering>),
    Equality(Option<bool>),
}

fn accepts(op: Comparator, order: Ordering) -> bool {
    match op {
        Comparator::Equal => order.is_eq(),
        Comparator::NotEqual => order.is_ne(),
        Comparator::Less => order.is_lt(),
        Comparator::LessOrEqual => order.is_le(),
        Comparator::Greater => order.is_gt(),
        Comparator::GreaterOrEqual => order.is_ge(),
    }
}

fn relation(left: &CimValue, right: &CimValue) -> Relation {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Relation::Order(left.compared(right));
    }
    match (left, right) {
        (CimValue::String(left), CimValue::String(right)) => Relation::Order(Some(left.cmp(right))),
        (CimValue::Char16(left), CimValue::Char16(right)) => Relation::Order(Some(left.cmp(right))),
        (CimValue::DateTime(left), CimValue::DateTime(right)) => {
            Relation::Order(left.partial_cmp(right))
        }
        (CimValue::Boolean(left), CimValue::Boolean(right)) => {
            Relation::Equality(Some(left == right))
        }
        (CimValue::Reference(left), CimValue::Reference(right)) => {
            Relation::Equality(Some(same_object(left, right)))
        }
        (CimValue::Instance(left), CimValue::Instance(right)) => {
            Relation::Equality(Some(left == right))
        }
        (CimValue::Class(left), CimValue::Class(right)) => Relation::Equality(Some(left == right)),
        (CimValue::String(text), typed) => written(text, typed, |text| relation(&text, typed)),
        (typed, CimValue::String(text)) => written(text, typed, |text| relation(typed, &text)),
        (_, _) => Relation::Equality(None),
    }
}

/// A text beside a value of a type that is written in quotes too.
fn written(text: &str, typed: &CimValue, compare: impl FnOnce(CimValue) -> Relation) -> Relation {
    match text_like(text, typed) {
        Some(value) => compare(value),
        None => Relation::Equality(None),
    }
}

fn text_like(text: &str, typed: &CimValue) -> Option<CimValue> {
    match typed {
        CimValue::DateTime(_) => datetime(text),
        CimValue::Reference(_) => reference(text),
        CimValue::Char16(_) => char16(text),
        _ => None,
    }
}

/// The datetime that `text` writes.
pub(super) fn datetime(text: &str) -> Option<CimValue> {
    text.parse::<CimDateTime>().ok().map(CimValue::DateTime)
}

/// The reference that `text` writes.
pub(super) fn reference(text: &str) -> Option<CimValue> {
    let path = text.parse::<ObjectPath>().ok()?;
    Some(CimValue::Reference(Box::new(path)))
}

/// The one UCS-2 unit that `text` is.
pub(super) fn char16(text: &str) -> Option<CimValue> {
    let mut units = text.encode_utf16();
    match (units.next(), units.next()) {
        (Some(unit), None) => Some(CimValue::Char16(unit)),
        (_, _) => None,
    }
}

/// Two paths lead to one object when class and keys are equal and neither host nor namespace
/// contradict each other: a path may leave them out.
fn same_object(left: &ObjectPath, right: &ObjectPath) -> bool {
    fn agree<T: PartialEq>(left: Option<&T>, right: Option<&T>) -> bool {
        left.zip(right).is_none_or(|(left, right)| left == right)
    }
    left.class == right.class
        && agree(left.namespace.as_ref(), right.namespace.as_ref())
        && agree(left.host.as_ref(), right.host.as_ref())
        && match (&left.keys, &right.keys) {
            (Some(left), Some(right)) => same_keys(left, right),
            (left, right) => left.is_none() && right.is_none(),
        }
}

/// Keys of a path that was written as text do not know their types: their texts decide then.
fn same_keys(left: &Keys, right: &Keys) -> bool {
    let same = |left: &CimValue, right: &CimValue| match relation(left, right) {
        Relation::Order(Some(order)) => order.is_eq(),
        Relation::Equality(Some(same)) => same,
        Relation::Order(None) | Relation::Equality(None) => left.to_string() == right.to_string(),
    };
    let alone = left.len() == 1 && right.len() == 1;
    left.len() == right.len()
        && left
            .iter()
            .all(|(name, value)| match right.get(name.as_str()) {
                Some(other) => same(value, other),
                // `Class="x"` leaves out the name of its only key.
                None => {
                    alone
                        && right.iter().all(|(other, theirs)| {
                            (name.is_unnamed() || other.is_unnamed()) && same(value, theirs)
                        })
                }
            })
}

fn same_entries(left: &[CimValue], right: &[CimValue], bag: bool) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let equal = |(left, right): (&CimValue, &CimValue)| {
        (left.is_null() && right.is_null())
            || compare(left, Comparator::Equal, right, false).holds()
    };
    if !bag {
        return left.iter().zip(right).all(equal);
    }
    let in_order = |entries: &[CimValue]| {
        let mut entries = entries.to_vec();
        entries.sort_by(sorted);
        entries
    };
    let (left, right) = (in_order(left), in_order(right));
    left.iter().zip(&right).all(equal)
}

/// A number of any width.
#[derive(Clone, Copy)]
enum Number {
    Integer(i128),
    Real(f64),
}

impl Number {
    fn of(value: &CimValue) -> Option<Self> {
        match value {
            CimValue::Real32(value) => Some(Self::Real((*value).into())),
            CimValue::Real64(value) => Some(Self::Real(*value)),
            other => other.as_integer().map(Self::Integer),
        }
    }

    fn compared(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (Self::Real(left), Self::Real(right)) => left.partial_cmp(&right),
            (Self::Integer(left), Self::Real(right)) => exactly(left, right),
            (Self::Real(left), Self::Integer(right)) => exactly(right, left).map(Ordering::reverse),
        }
    }
}

/// An integer of at most 64 bits against a real, without rounding either.
fn exactly(integer: i128, real: f64) -> Option<Ordering> {
    if !real.is_finite() {
        return 0.0.partial_cmp(&real);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, far beyond every integer of CIM"
    )]
    let whole = real.trunc() as i128;
    let rest = real.fract().partial_cmp(&0.0)?.reverse();
    Some(integer.cmp(&whole).then(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &CimValue, op: Comparator, right: &CimValue, expected: Truth) {
        let found = compare(left, op, right, false);
        assert_eq!(found, expected, "{left} {} {right}", op.as_str());
    }

    fn at(text: &str) -> CimValue {
        datetime(text).unwrap_or_else(|| panic!("{text} is no datetime"))
    }

    fn path(text: &str) -> CimValue {
        reference(text).unwrap_or_else(|| panic!("{text} is no path"))
    }

    #[test]
    fn numbers_compare_by_exact_value_across_their_types() {
        use Comparator::{Equal, Greater, Less};
        let cases = [
            (CimValue::Uint8(5), Equal, CimValue::Sint64(5), true),
            (
                CimValue::Uint64(u64::MAX),
                Greater,
                CimValue::Sint64(-1),
                true,
            ),
            (CimValue::Uint16(5), Less, CimValue::Real64(5.5), true),
            (CimValue::Sint16(-5), Greater, CimValue::Real64(-5.5), true),
            (CimValue::Real32(0.5), Equal, CimValue::Real64(0.5), true),
            // The nearest double of this number is the next power of two.
            (
                CimValue::Uint64(u64::MAX),
                Equal,
                CimValue::Real64(18_446_744_073_709_551_616.0),
                false,
            ),
            (
                CimValue::Uint64(9_007_199_254_740_993),
                Greater,
                CimValue::Real64(9_007_199_254_740_992.0),
                true,
            ),
            (
                CimValue::Uint8(0),
                Less,
                CimValue::Real64(f64::INFINITY),
                true,
            ),
            (
                CimValue::Uint8(0),
                Greater,
                CimValue::Real64(f64::NEG_INFINITY),
                true,
            ),
            (CimValue::Uint8(0), Equal, CimValue::Real64(-0.0), true),
        ];
        for (left, op, right, expected) in cases {
            check(&left, op, &right, expected.into());
        }
        check(
            &CimValue::Uint8(0),
            Equal,
            &CimValue::Real64(f64::NAN),
            Truth::Unknown,
        );
    }

    #[test]
    fn null_and_values_of_different_kinds_are_unknown() {
        for op in Comparator::ALL {
            check(&CimValue::Null, op, &CimValue::Null, Truth::Unknown);
            check(&CimValue::Uint8(1), op, &CimValue::Null, Truth::Unknown);
            check(
                &CimValue::Uint8(1),
                op,
                &CimValue::string("1"),
                Truth::Unknown,
            );
        }
        let yes = CimValue::Boolean(true);
        check(&yes, Comparator::Less, &yes, Truth::Unknown);
        check(&yes, Comparator::Equal, &yes, Truth::True);
    }

    #[test]
    fn datetimes_compare_by_what_they_may_stand_for() {
        use Comparator::{Equal, Less, NotEqual};
        let noon = at("20260110120000.000000+000");
        let day = at("20260110******.******+000");
        let hour = at("00000000010000.000000:000");
        check(&noon, Equal, &at("20260110130000.000000+060"), Truth::True);
        check(&noon, Equal, &day, Truth::Unknown);
        check(&day, Equal, &day, Truth::True);
        check(&day, Less, &at("20260111000000.000000+000"), Truth::True);
        check(&noon, Less, &hour, Truth::Unknown);
        check(&noon, NotEqual, &hour, Truth::Unknown);
        check(
            &noon,
            Equal,
            &CimValue::string("20260110120000.000000+000"),
            Truth::True,
        );
        check(&noon, Equal, &CimValue::string("noon"), Truth::Unknown);
    }

    #[test]
    fn references_are_equal_when_they_lead_to_one_object() {
        use Comparator::Equal;
        let full = path("//h/root/cimv2:A.k=\"1\",l=2");
        for (text, expected) in [
            ("a.L=2,k=\"1\"", true),
            ("root/cimv2:A.k=\"1\",l=\"2\"", true),
            ("interop:A.k=\"1\",l=2", false),
            ("//other/root/cimv2:A.k=\"1\",l=2", false),
            ("A.k=\"1\"", false),
            ("A.k=\"1\",m=2", false),
            ("B.k=\"1\",l=2", false),
            ("A", false),
        ] {
            check(&full, Equal, &path(text), expected.into());
        }
        check(&path("A.k=5"), Equal, &path("A=5"), Truth::True);
        check(&path("A.k=5"), Equal, &path("A.l=5"), Truth::False);
        check(&path("A"), Equal, &path("a"), Truth::True);
    }

    #[test]
    fn arrays_are_equal_entry_by_entry_and_bags_in_any_order() {
        let numbers = |entries: &[u16]| {
            CimValue::Array(entries.iter().map(|n| CimValue::Uint16(*n)).collect())
        };
        let (a, b) = (numbers(&[2, 17]), numbers(&[17, 2]));
        assert_eq!(compare(&a, Comparator::Equal, &b, true), Truth::True);
        assert_eq!(compare(&a, Comparator::Equal, &b, false), Truth::False);
        assert_eq!(compare(&a, Comparator::NotEqual, &b, false), Truth::True);
        let twice = (numbers(&[2, 2, 17]), numbers(&[2, 17, 17]));
        assert_eq!(
            compare(&twice.0, Comparator::Equal, &twice.1, true),
            Truth::False
        );
        let null = CimValue::Array(vec![CimValue::Null]);
        assert_eq!(compare(&null, Comparator::Equal, &null, true), Truth::True);
        assert_eq!(compare(&a, Comparator::Less, &b, true), Truth::Unknown);
    }
}
