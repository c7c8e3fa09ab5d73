//! Values as the literals that MOF has for them, before they are laid out in lines.

use crate::model::{CimType, CimValue, Literal};

use super::declaration::Printer;

/// A value as MOF writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// One token.
    Token(String),
    /// A string, which may be written as several literals.
    Text(String),
    /// An array.
    List(Vec<Shape>),
}

impl Shape {
    pub(super) fn token(text: impl Into<String>) -> Self {
        Self::Token(text.into())
    }

    /// The shape of a literal. `ty` is the declared type, where one is known: character data means
    /// nothing without it. What MOF has no form for is NULL, and is told in `lost`.
    pub(super) fn of(literal: &Literal, ty: Option<CimType>, lost: &mut Vec<String>) -> Self {
        match literal {
            Literal::Null => Self::token("NULL"),
            Literal::Boolean(value) => Self::token(value.to_string()),
            Literal::Integer(number) => Self::token(number.to_string()),
            Literal::Real(number) => real(*number, lost),
            Literal::Char(unit) => Self::token(character(*unit)),
            Literal::Quoted(text) => string(text, lost),
            Literal::Text(text) => {
                match ty.map(|ty| literal.resolve(ty, false)) {
                    Some(Ok(value)) => Self::of_value(&value, lost),
                    // The text is no value of its type, or nobody knows the type.
                    Some(Err(_)) | None => string(text, lost),
                }
            }
            Literal::Reference(path) => string(&path.to_string(), lost),
            Literal::Instance(decl) => Self::embedded(|printer| printer.instance(decl), lost),
            Literal::Class(decl) => Self::embedded(|printer| printer.class(decl), lost),
            Literal::Array(entries) => {
                let entries = entries.iter().map(|entry| Self::of(entry, ty, lost));
                Self::List(entries.collect())
            }
        }
    }

    /// The shape of a typed value.
    pub(super) fn of_value(value: &CimValue, lost: &mut Vec<String>) -> Self {
        match value {
            CimValue::Null => Self::token("NULL"),
            CimValue::Boolean(value) => Self::token(value.to_string()),
            CimValue::String(text) => string(text, lost),
            CimValue::Char16(unit) => Self::token(character(*unit)),
            CimValue::Uint8(_)
            | CimValue::Sint8(_)
            | CimValue::Uint16(_)
            | CimValue::Sint16(_)
            | CimValue::Uint32(_)
            | CimValue::Sint32(_)
            | CimValue::Uint64(_)
            | CimValue::Sint64(_) => Self::token(value.to_string()),
            CimValue::Real32(number) => single(*number, lost),
            CimValue::Real64(number) => real(*number, lost),
            CimValue::DateTime(time) => string(time.as_str(), lost),
            CimValue::Reference(path) => string(&path.to_string(), lost),
            CimValue::Instance(instance) => {
                lost.push(format!("an instance of {}", instance.class.name));
                Self::token("NULL")
            }
            CimValue::Class(class) => {
                lost.push(format!("the class {}", class.name));
                Self::token("NULL")
            }
            CimValue::Array(entries) => {
                let entries = entries.iter().map(|entry| Self::of_value(entry, lost));
                Self::List(entries.collect())
            }
        }
    }

    /// An embedded object is a string that holds the MOF of the object.
    fn embedded(print: impl FnOnce(&mut Printer), lost: &mut Vec<String>) -> Self {
        let mut printer = Printer::new();
        print(&mut printer);
        let (text, losses) = printer.finish();
        lost.extend(losses.iter().map(ToString::to_string));
        Self::Text(text)
    }
}

/// A string; U+0000 is not a character of CIM strings and has no escape.
fn string(text: &str, lost: &mut Vec<String>) -> Shape {
    if text.contains('\0') {
        lost.push("the character U+0000 of a string".to_owned());
        return Shape::Text(text.replace('\0', ""));
    }
    Shape::Text(text.to_owned())
}

fn real(number: f64, lost: &mut Vec<String>) -> Shape {
    if !number.is_finite() {
        let shown = CimValue::Real64(number).to_string();
        let token = format!("NULL /* {shown} */");
        lost.push(format!("the real number {shown}"));
        return Shape::Token(token);
    }
    Shape::Token(with_point(format!("{number:?}")))
}

/// The shortest form that a compiler, which reads reals in double precision, rounds to `number`.
fn single(number: f32, lost: &mut Vec<String>) -> Shape {
    let short = with_point(format!("{number:?}"));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the compiler makes a real32 in the same way"
    )]
    let again = short.parse::<f64>().map(|double| double as f32);
    if number.is_finite() && again != Ok(number) {
        return real(f64::from(number), lost);
    }
    if number.is_finite() {
        return Shape::Token(short);
    }
    real(f64::from(number), lost)
}

/// `1e300` as `1.0e300`: MOF wants a digit behind a point.
fn with_point(shortest: String) -> String {
    match shortest.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        Some(_) | None => shortest,
    }
}

/// A char16 literal of one UCS-2 unit, which need not be a character.
fn character(unit: u16) -> String {
    let printable = char::from_u32(unit.into()).filter(|c| !c.is_control());
    match printable {
        Some(c @ ('\'' | '\\')) => format!("'\\{c}'"),
        Some(c) => format!("'{c}'"),
        None => format!("'\\x{unit:04X}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(literal: &Literal) -> (Shape, Vec<String>) {
        let mut lost = Vec::new();
        (Shape::of(literal, None, &mut lost), lost)
    }

    #[test]
    fn every_number_has_a_form_that_mof_reads() {
        let cases = [
            (Literal::Integer(i128::MIN), i128::MIN.to_string()),
            (Literal::Real(150.0), "150.0".to_owned()),
            (Literal::Real(-1e300), "-1.0e300".to_owned()),
            (Literal::Real(1.5e-9), "1.5e-9".to_owned()),
            (Literal::Char(0x27), r"'\''".to_owned()),
            (Literal::Char(0xd800), r"'\xD800'".to_owned()),
            (Literal::Char(0), r"'\x0000'".to_owned()),
        ];
        for (literal, want) in cases {
            assert_eq!(written(&literal), (Shape::Token(want), vec![]));
        }
    }

    #[test]
    fn what_mof_cannot_say_is_told() {
        let (shape, lost) = written(&Literal::Real(f64::NEG_INFINITY));
        assert_eq!(shape, Shape::token("NULL /* -INF */"));
        assert_eq!(lost, ["the real number -INF"]);
        let (shape, lost) = written(&Literal::Quoted("a\0b".into()));
        assert_eq!((shape, lost.len()), (Shape::Text("ab".into()), 1));
    }

    #[test]
    fn character_data_takes_the_form_of_its_type() {
        let text = Literal::Text("5".into());
        for (ty, want) in [
            (Some(CimType::Uint8), Shape::token("5")),
            (Some(CimType::Char16), Shape::token("'5'")),
            (Some(CimType::Real32), Shape::token("5.0")),
            (Some(CimType::String), Shape::Text("5".into())),
            (Some(CimType::Boolean), Shape::Text("5".into())),
            (None, Shape::Text("5".into())),
        ] {
            assert_eq!(Shape::of(&text, ty, &mut Vec::new()), want, "{ty:?}");
        }
    }
}
