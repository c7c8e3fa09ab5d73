//! `mof compile`: MOF into the schema of a running server, all of it or nothing.

use std::process::ExitCode;

use crate::client::Client;
use crate::model::{CimName, CimType, CimValue, Literal, ObjectPath, PropertyValue};
use crate::mof::{Severity, render};
use crate::server::{Text, texts};

use super::super::args::MofCompile;
use super::super::{CliError, output, target};

/// The class that compiles, and its method.
const CLASS: &str = "JW_SchemaService";
const METHOD: &str = "CompileMOF";
/// What the method returns when everything was taken.
const COMPLETED: u32 = 0;

/// Runs `mof compile`. What is no MOF is told without asking the server.
pub async fn run(arguments: MofCompile) -> Result<ExitCode, CliError> {
    let (texts, findings) = texts(&arguments.paths).map_err(CliError::Mof)?;
    let mut is_wrong = false;
    for finding in &findings {
        is_wrong |= finding.diagnostic.severity == Severity::Error;
        let text = render(&finding.diagnostic, &finding.sources);
        output::line(format_args!("{text}\n"))?;
    }
    if is_wrong {
        return Ok(ExitCode::FAILURE);
    }
    let client = target::connect(&arguments.target)?;
    send(&client, &arguments, &texts).await
}

async fn send(
    client: &Client,
    arguments: &MofCompile,
    texts: &[Text],
) -> Result<ExitCode, CliError> {
    let list = |name, entry: fn(&Text) -> &str| PropertyValue {
        name: CimName::of(name),
        ty: Some(CimType::String),
        is_array: true,
        value: Literal::Array(
            texts
                .iter()
                .map(|text| Literal::Text(entry(text).into()))
                .collect(),
        ),
    };
    let mut parameters = vec![
        list("Names", |text| &text.name),
        list("Texts", |text| &text.text),
    ];
    if let Some(namespace) = &arguments.namespace {
        parameters.push(PropertyValue {
            name: CimName::of("Namespace"),
            ty: Some(CimType::String),
            is_array: false,
            value: Literal::Text(namespace.as_str().into()),
        });
    }
    let service = ObjectPath {
        host: None,
        namespace: None,
        class: CimName::of(CLASS),
        keys: None,
    };
    let method = CimName::of(METHOD);
    let answer = client
        .invoke(&target::namespace(), service, method, parameters)
        .await?;
    let told = answer.output("Diagnostics", CimType::String);
    let told = told.as_ref().and_then(CimValue::as_array);
    for diagnostic in told.unwrap_or_default() {
        output::line(format_args!("{diagnostic}\n"))?;
    }
    Ok(if answer.return_code() == Some(COMPLETED) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
