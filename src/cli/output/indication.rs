//! An indication as the command line prints it: a line of text, a JSON object, or MOF.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::ValueEnum;

use crate::json;
use crate::model::{InstanceDecl, Literal};
use crate::mof::Printer;

/// How indications are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Form {
    /// One line: the time, the class of the indication, its source and what changed.
    #[default]
    Text,
    /// One JSON object on a line.
    Json,
    /// An instance as MOF declares it.
    Mof,
}

/// The indication in that form, with a line feed at its end.
pub fn shown(indication: &InstanceDecl, arrived: DateTime<Utc>, form: Form) -> String {
    match form {
        Form::Text => line(indication, arrived),
        Form::Json => format!("{}\n", json::instance(indication)),
        Form::Mof => mof(indication),
    }
}

fn line(indication: &InstanceDecl, arrived: DateTime<Utc>) -> String {
    let time = arrived.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut line = format!("{time} {}", indication.class);
    let text = |name: &str| indication.get(name).map(|property| plain(&property.value));
    for (label, name) in [
        ("", "SourceInstanceModelPath"),
        ("", "AlertingManagedElement"),
        ("method=", "MethodName"),
        ("message=", "Message"),
    ] {
        if let Some(text) = text(name).filter(|text| !text.is_empty()) {
            write!(line, " {label}{text}").expect("a String grows as it is written");
        }
    }
    for (name, before, after) in changes(indication) {
        write!(line, " {name}: {before} -> {after}").expect("a String grows as it is written");
    }
    // What a stranger wrote must not look like a line of ours.
    line = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.push('\n');
    line
}

/// The properties that `ChangedPropertyNames` lists, with their values before and after.
fn changes(indication: &InstanceDecl) -> Vec<(String, String, String)> {
    let embedded = |name: &str| match indication.get(name).map(|property| &property.value) {
        Some(Literal::Instance(instance)) => Some(instance),
        Some(_) | None => None,
    };
    let (Some(before), Some(after)) = (embedded("PreviousInstance"), embedded("SourceInstance"))
    else {
        return Vec::new();
    };
    let names = match indication
        .get("ChangedPropertyNames")
        .map(|names| &names.value)
    {
        Some(Literal::Array(names)) => names.iter().map(plain).collect(),
        Some(_) | None => Vec::new(),
    };
    let value = |instance: &InstanceDecl, name: &str| {
        instance
            .get(name)
            .map_or("NULL".to_owned(), |property| plain(&property.value))
    };
    let change = |name: String| (value(before, &name), value(after, &name), name);
    let changes = names.into_iter().map(change);
    changes
        .map(|(before, after, name)| (name, before, after))
        .collect()
}

fn plain(literal: &Literal) -> String {
    match literal {
        Literal::Null => "NULL".to_owned(),
        Literal::Text(text) | Literal::Quoted(text) => text.to_string(),
        Literal::Char(unit) => unit.to_string(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(number) => number.to_string(),
        Literal::Real(number) => number.to_string(),
        Literal::Reference(path) => path.to_string(),
        Literal::Instance(instance) => format!("instance of {}", instance.class),
        Literal::Class(class) => format!("class {}", class.name),
        Literal::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(plain).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

/// The indication as MOF; what that has no form for is NULL with a comment.
fn mof(instance: &InstanceDecl) -> String {
    let mut printer = Printer::new();
    printer.instance(instance);
    printer.finish().0
}
