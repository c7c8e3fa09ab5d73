//! What the functions of CQL give: NULL for NULL, and for what they cannot make anything of.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{CimDateTime, CimType, CimValue, Literal, ObjectPath};

use super::compare;
use super::eval::{Frame, Held};
use super::function::Function;
use super::limits::RESULT_LIMIT_BYTES;

/// The value of `function` for `arguments`, whose number the resolver has checked.
pub(super) fn call(function: Function, arguments: &[Held<'_>], frame: &Frame<'_>) -> CimValue {
    let given = match arguments.first() {
        Some(Held::Value(value)) => &**value,
        Some(Held::Object(_)) | None => &CimValue::Null,
    };
    let value = match function {
        Function::CurrentDateTime => Some(CimValue::DateTime(CimDateTime::timestamp(
            frame.circumstances.now,
        ))),
        Function::DateTime => given.as_str().and_then(compare::datetime),
        Function::MicrosecondToTimestamp => length(given).and_then(timestamp),
        Function::MicrosecondToInterval => {
            length(given).map(|length| CimValue::DateTime(CimDateTime::interval(length)))
        }
        Function::DateTimeToMicrosecond => given.as_datetime().and_then(microseconds),
        Function::StringToUint => parsed(given, CimType::Uint64),
        Function::StringToSint => parsed(given, CimType::Sint64),
        Function::StringToReal => parsed(given, CimType::Real64),
        Function::StringToNumeric => [CimType::Uint64, CimType::Sint64, CimType::Real64]
            .into_iter()
            .find_map(|ty| parsed(given, ty)),
        Function::NumericToString => {
            (!given.is_null()).then(|| CimValue::string(given.to_string()))
        }
        Function::ReferenceToString => given
            .as_reference()
            .map(|path| CimValue::string(path.to_string())),
        Function::UpperCase => given
            .as_str()
            .filter(|text| text.len() <= RESULT_LIMIT_BYTES)
            .map(|text| CimValue::string(text.to_uppercase())),
        Function::ClassName => path(arguments, frame).map(|p| CimValue::string(p.class.as_str())),
        Function::NamespaceName => path(arguments, frame)
            .and_then(|p| p.namespace)
            .map(|namespace| CimValue::string(namespace.as_str())),
        Function::ModelPath => path(arguments, frame).map(|p| {
            let model = ObjectPath { host: None, ..p };
            CimValue::string(model.to_string())
        }),
        Function::ClassPath => path(arguments, frame).map(|p| {
            let class = ObjectPath { keys: None, ..p };
            CimValue::string(class.to_string())
        }),
        Function::ObjectPath => path(arguments, frame).map(|p| CimValue::string(p.to_string())),
        Function::InstanceToReference => {
            path(arguments, frame).map(|p| CimValue::Reference(Box::new(p)))
        }
    };
    value.unwrap_or(CimValue::Null)
}

/// The path of the only argument, or of the instance when there is none.
fn path(arguments: &[Held<'_>], frame: &Frame<'_>) -> Option<ObjectPath> {
    let namespace = frame.circumstances.namespace;
    let object = match arguments.first() {
        None => Some(frame.instance),
        Some(held) => held.as_object(),
    };
    if let Some(instance) = object {
        return Some(instance.path(namespace).into());
    }
    let Some(Held::Value(value)) = arguments.first() else {
        return None;
    };
    let path = value.as_reference()?.clone();
    Some(ObjectPath {
        namespace: path.namespace.or_else(|| Some(namespace.clone())),
        ..path
    })
}

fn parsed(given: &CimValue, ty: CimType) -> Option<CimValue> {
    let text = Literal::Text(given.as_str()?.into());
    text.resolve(ty, false).ok()
}

fn length(microseconds: &CimValue) -> Option<TimeDelta> {
    let microseconds = i64::try_from(microseconds.as_integer()?).ok()?;
    (microseconds >= 0).then(|| TimeDelta::microseconds(microseconds))
}

/// CIM's timestamps begin with year 0 (DSP0004 2.8 §5.2.4).
fn beginning() -> Option<DateTime<Utc>> {
    let first = chrono::NaiveDate::from_ymd_opt(0, 1, 1)?;
    first
        .and_hms_opt(0, 0, 0)
        .map(|midnight| midnight.and_utc())
}

fn timestamp(since: TimeDelta) -> Option<CimValue> {
    let instant = beginning()?.checked_add_signed(since)?;
    Some(CimValue::DateTime(CimDateTime::timestamp(instant)))
}

fn microseconds(datetime: CimDateTime) -> Option<CimValue> {
    let length = match (datetime.as_instant(), datetime.as_length()) {
        (Some(instant), _) => instant - beginning()?,
        (None, length) => length?,
    };
    let microseconds = u64::try_from(length.num_microseconds()?).ok()?;
    (!datetime.has_wildcards()).then_some(CimValue::Uint64(microseconds))
}
