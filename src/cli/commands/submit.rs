//! `job submit`: a command or a script becomes a JW_Job.

#![expect(
    clippy::disallowed_methods,
    reason = "a script is read from the file that the user names"
)]

use std::io::Read;
use std::process::ExitCode;

use crate::client::Client;
use crate::model::{CimName, CimType, InstanceDecl, Literal, PropertyValue};

use super::super::args::{Submit, Watch};
use super::super::{CliError, target, times};
use super::{follow, job, pair};

/// `job submit`.
pub async fn run(arguments: Submit) -> Result<ExitCode, CliError> {
    let client = target::connect(&arguments.target)?;
    let id = create(&client, &arguments).await?;
    if !arguments.watch || arguments.quiet {
        println!("{id}");
    }
    if !arguments.watch {
        return Ok(ExitCode::SUCCESS);
    }
    let watch = Watch {
        id,
        until: "ended".to_owned(),
        quiet: arguments.quiet,
        target: arguments.target,
    };
    follow::watch(watch).await
}

/// Creates the job and gives its `InstanceID`.
pub async fn create(client: &Client, arguments: &Submit) -> Result<String, CliError> {
    let instance = InstanceDecl {
        class: CimName::of("JW_Job"),
        properties: given(arguments)?,
    };
    let path = client
        .create_instance(&target::namespace(), instance)
        .await?;
    let id = path.keys.as_ref().and_then(|keys| keys.get("InstanceID"));
    Ok(id.map(ToString::to_string).unwrap_or_default())
}

fn given(arguments: &Submit) -> Result<Vec<PropertyValue>, CliError> {
    let script = arguments.script.as_deref().map(read_script).transpose()?;
    if arguments.command.is_empty() && script.is_none() {
        let text = "give a command after --, or --script FILE";
        return Err(CliError::Usage(text.to_owned()));
    }
    let name = arguments
        .name
        .clone()
        .unwrap_or_else(|| match &arguments.script {
            Some(file) => file.display().to_string(),
            None => arguments.command.join(" ").chars().take(100).collect(),
        });
    let mut properties = vec![text("Name", CimType::String, &name)];
    if !arguments.command.is_empty() {
        properties.push(list("Command", &arguments.command));
    }
    properties.extend(script.map(|script| text("Script", CimType::String, &script)));
    properties.extend(
        arguments
            .priority
            .map(|p| text("Priority", CimType::Uint32, &p.to_string())),
    );
    properties.extend(
        arguments
            .hold
            .then(|| text("Hold", CimType::Boolean, "TRUE")),
    );
    properties.extend(
        arguments
            .dir
            .as_ref()
            .map(|dir| text("WorkingDirectory", CimType::String, dir)),
    );
    if !arguments.environment.is_empty() {
        properties.push(list("Environment", &arguments.environment));
    }
    if let Some(when) = &arguments.at {
        let malformed = || {
            CliError::Usage(format!(
                "\"{when}\" is neither a CIM datetime nor 90s, 5m, 2h or 1d"
            ))
        };
        let when = times::parse_when(when).ok_or_else(malformed)?;
        properties.push(text("ScheduledStartTime", CimType::DateTime, when.as_str()));
    }
    for property in &arguments.properties {
        properties.push(untyped(pair(property)?)?);
    }
    Ok(properties)
}

pub(super) fn text(name: &'static str, ty: CimType, value: &str) -> PropertyValue {
    job::value(CimName::of(name), Some(ty), value)
}

pub(super) fn list(name: &'static str, entries: &[String]) -> PropertyValue {
    PropertyValue {
        name: CimName::of(name),
        ty: Some(CimType::String),
        is_array: true,
        value: Literal::Array(
            entries
                .iter()
                .map(|e| Literal::Text(e.as_str().into()))
                .collect(),
        ),
    }
}

/// A property whose type this program does not know: `CIM-XML` needs one in `TYPE`.
fn untyped((name, value): (&str, &str)) -> Result<PropertyValue, CliError> {
    let name = CimName::new(name).map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(job::value(name, None, value))
}

fn read_script(file: &std::path::Path) -> Result<String, CliError> {
    let failed = |source| CliError::Io {
        doing: format!("read {}", file.display()),
        source,
    };
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file).map_err(failed);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
