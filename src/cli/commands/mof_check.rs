//! `mof check`: what is wrong with MOF files, for people or for programs.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::mof::{Note, Severity, SourceMap, Span};
use crate::server::{Finding, Ground, check};

use super::super::CliError;
use super::super::args::MofCheck;
use super::super::output;

/// Runs `mof check`.
pub fn run(arguments: &MofCheck) -> Result<ExitCode, CliError> {
    let ground = if arguments.alone {
        Ground::Nothing
    } else {
        Ground::Embedded
    };
    let findings = check(&arguments.paths, ground).map_err(CliError::Mof)?;
    for finding in &findings {
        if arguments.format == "json" {
            output::line(as_json(finding))?;
        } else {
            output::line(format_args!("{finding}\n"))?;
        }
    }
    Ok(if findings.iter().any(Finding::is_error) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn as_json(finding: &Finding) -> Value {
    let diagnostic = &finding.diagnostic;
    let own = diagnostic
        .note
        .as_ref()
        .map(|note| (note, &*finding.sources));
    let other = finding
        .elsewhere
        .as_ref()
        .map(|(note, sources)| (note, &**sources));
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "severity": severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "place": place(diagnostic.span, &finding.sources),
        "hint": diagnostic.hint,
        "note": own.or(other).map(|(note, sources)| note_json(note, sources)),
    })
}

fn note_json(note: &Note, sources: &SourceMap) -> Value {
    json!({ "message": note.message, "place": place(note.span, sources) })
}

/// Lines and columns count from 1; the end is behind the last character.
fn place(span: Span, sources: &SourceMap) -> Value {
    let file = sources.file(span);
    let (start, end) = (file.position(span.start), file.position(span.end));
    json!({
        "file": file.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}
