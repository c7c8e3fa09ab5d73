//! Commands on one job and the list of all: requests of a state, deletion, changes.

use std::process::ExitCode;

use crate::client::Client;
use crate::model::{
    CimName, CimType, CimValue, InstanceDecl, Keys, Literal, ObjectPath, PropertyValue,
};
use crate::ops::Select;

use super::super::args::{List, Set};
use super::super::{CliError, output, target};
use super::{One, pair};

/// `RequestedState` values of `CIM_ConcreteJob.RequestStateChange`.
pub const START: u16 = 2;
/// Stop, to be continued.
pub const SUSPEND: u16 = 3;
/// End in order.
pub const TERMINATE: u16 = 4;
/// End at once.
pub const KILL: u16 = 5;

/// The path of the job with this `InstanceID`.
pub fn path_of(id: &str) -> ObjectPath {
    let key = (CimName::of("InstanceID"), CimValue::string(id));
    ObjectPath {
        host: None,
        namespace: None,
        class: CimName::of("JW_Job"),
        keys: Some(Keys::from_iter([key])),
    }
}

/// A value as text, for the server to read by its declaration.
pub fn value(name: CimName, ty: Option<CimType>, text: &str) -> PropertyValue {
    PropertyValue {
        name,
        ty,
        is_array: false,
        value: Literal::Text(text.into()),
    }
}

/// The job with this id, with every property.
pub async fn read(client: &Client, id: &str) -> Result<InstanceDecl, CliError> {
    Ok(client
        .get_instance(&target::namespace(), path_of(id), Select::default())
        .await?)
}

/// `job list`.
pub async fn list(arguments: List) -> Result<ExitCode, CliError> {
    let client = target::connect(&arguments.target)?;
    let class = CimName::of("CIM_ConcreteJob");
    let jobs = client
        .enumerate_instances(&target::namespace(), class, Select::default())
        .await?;
    let mut jobs: Vec<InstanceDecl> = jobs.into_iter().map(|(_, job)| job).collect();
    if arguments.active {
        jobs.retain(|job| !output::JobView(job).state().is_final());
    }
    output::line(output::list(&jobs))?;
    Ok(ExitCode::SUCCESS)
}

/// `job show`.
pub async fn show(one: One) -> Result<ExitCode, CliError> {
    let client = target::connect(&one.target)?;
    output::line(output::show(&read(&client, &one.id).await?))?;
    Ok(ExitCode::SUCCESS)
}

/// `job start`, `suspend`, `resume`, `terminate` and `kill`.
pub async fn request(one: One, state: u16) -> Result<ExitCode, CliError> {
    let client = target::connect(&one.target)?;
    let parameter = value(
        CimName::of("RequestedState"),
        Some(CimType::Uint16),
        &state.to_string(),
    );
    let method = CimName::of("RequestStateChange");
    let answer = client
        .invoke(
            &target::namespace(),
            path_of(&one.id),
            method,
            vec![parameter],
        )
        .await?;
    let code = answer.return_code();
    match code {
        Some(0) => println!("{}: done", one.id),
        Some(4096) => println!("{}: under way", one.id),
        _ => {
            eprintln!("jobwright: {}: {}", one.id, refusal(code));
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The return codes of `RequestStateChange` in words.
fn refusal(code: Option<u32>) -> String {
    match code {
        Some(1) => "this state is not supported".to_owned(),
        Some(4) => "the request failed".to_owned(),
        Some(5) => "a parameter is not valid".to_owned(),
        Some(4097) => "the job's present state does not allow this".to_owned(),
        Some(4099) => "the job is busy with another request".to_owned(),
        Some(code) => format!("the request was answered {code}"),
        None => "the request was answered without a return value".to_owned(),
    }
}

/// `job delete`.
pub async fn delete(one: One) -> Result<ExitCode, CliError> {
    let client = target::connect(&one.target)?;
    client
        .delete_instance(&target::namespace(), path_of(&one.id))
        .await?;
    println!("{}: deleted", one.id);
    Ok(ExitCode::SUCCESS)
}

/// `job set`: types come from the instance as the server shows it.
pub async fn set(arguments: Set) -> Result<ExitCode, CliError> {
    let client = target::connect(&arguments.target)?;
    let current = read(&client, &arguments.id).await?;
    let mut properties = Vec::new();
    for text in &arguments.properties {
        let (name, text) = pair(text)?;
        properties.push(typed(&current, name, text)?);
    }
    let names = properties
        .iter()
        .map(|property| property.name.clone())
        .collect();
    let instance = InstanceDecl {
        class: current.class,
        properties,
    };
    let path = path_of(&arguments.id);
    client
        .modify_instance(&target::namespace(), path, instance, Some(names))
        .await?;
    println!("{}: changed", arguments.id);
    Ok(ExitCode::SUCCESS)
}

fn typed(current: &InstanceDecl, name: &str, text: &str) -> Result<PropertyValue, CliError> {
    let unknown = || CliError::Usage(format!("the job has no property \"{name}\""));
    let mut property = current.get(name).ok_or_else(unknown)?.clone();
    property.value = match text {
        "" => Literal::Null,
        text if property.is_array => Literal::Array(
            text.split(',')
                .map(|entry| Literal::Text(entry.into()))
                .collect(),
        ),
        text => Literal::Text(text.into()),
    };
    Ok(property)
}
