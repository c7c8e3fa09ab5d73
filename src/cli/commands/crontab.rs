//! `job import-crontab`: the lines of a crontab become jobs, all of them or none.

#![expect(
    clippy::disallowed_methods,
    reason = "the crontab is read from the file that the user names"
)]

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use crate::client::{Client, ClientError};
use crate::model::{CimName, CimType, InstanceDecl, ObjectPath, PropertyValue, Status};

use super::super::args::ImportCrontab;
use super::super::crontab::{Calendar, Entry, Fault, Form, read};
use super::super::{CliError, output, target};
use super::submit::{list, text};

/// Longest crontab, in bytes.
const CRONTAB_LIMIT_BYTES: u64 = 16 << 20;
/// Longest name of a job, in characters.
const NAME_LIMIT: usize = 100;

/// Reads, judges, and imports unless only a look was wanted.
pub async fn run(arguments: ImportCrontab) -> Result<ExitCode, CliError> {
    let form = if arguments.system {
        Form::System(own_name()?)
    } else {
        Form::User
    };
    let file = arguments.file.display().to_string();
    let (good, bad): (Vec<_>, Vec<_>) = read(&content(&arguments.file)?, &form)
        .into_iter()
        .partition(Result::is_ok);
    let entries: Vec<Entry> = good.into_iter().filter_map(Result::ok).collect();
    let faults: Vec<Fault> = bad.into_iter().filter_map(Result::err).collect();
    for fault in &faults {
        eprintln!("{file}:{fault}");
    }
    for entry in entries
        .iter()
        .filter(|entry| entry.settings.mail_to.is_some())
    {
        let line = entry.line;
        eprintln!(
            "{file}:{line}: note: what it writes is kept and not mailed; MAILTO becomes Notify"
        );
    }
    if !faults.is_empty() && !arguments.skip {
        eprintln!("jobwright: nothing was imported; --skip imports the other lines");
        return Ok(ExitCode::FAILURE);
    }
    if arguments.dry_run {
        for entry in &entries {
            output::print(&shown(entry))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let client = target::connect(&arguments.target)?;
    let mut made = Vec::new();
    for entry in &entries {
        if let Err(error) = import(&client, entry, &mut made).await {
            eprintln!("{file}:{}: {}", entry.line, error.shown());
            return take_back(&client, &made).await;
        }
    }
    for (path, entry) in made.iter().zip(&entries) {
        output::line(format!("{}\t{}", id(path), entry.text.trim()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn content(file: &Path) -> Result<String, CliError> {
    let failed = |source| CliError::Io {
        doing: format!("read {}", file.display()),
        source,
    };
    let mut text = String::new();
    let source: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(failed)?)
    };
    let mut source = source.take(CRONTAB_LIMIT_BYTES + 1);
    source.read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > CRONTAB_LIMIT_BYTES {
        let text = format!("a crontab may have {CRONTAB_LIMIT_BYTES} bytes, and this one has more");
        return Err(CliError::Usage(text));
    }
    Ok(text)
}

/// The name of the present user, as the system knows it.
fn own_name() -> Result<String, CliError> {
    let uid = rustix::process::geteuid().as_raw();
    let failed = |source| CliError::Io {
        doing: "read /etc/passwd".to_owned(),
        source,
    };
    let accounts = std::fs::read_to_string("/etc/passwd").map_err(failed)?;
    let own = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    own.ok_or_else(|| CliError::Usage(format!("the present user, {uid}, has no name")))
}

/// What a dry run says of an entry.
fn shown(entry: &Entry) -> String {
    let calendars: Vec<Calendar> = entry.times.calendars().collect();
    let zone = entry.settings.zone.as_deref();
    let zone = zone.unwrap_or("the server's zone");
    let count = calendars.len();
    let word = if count == 1 { "calendar" } else { "calendars" };
    let head = format!(
        "{}: {}\n    runs {:?} by {count} {word} in {zone}\n",
        entry.line,
        entry.text.trim(),
        command(entry)
    );
    let number = |name: &str, value: Option<i16>| {
        value.map_or(String::new(), |value| format!("{name}={value} "))
    };
    let row = |calendar: &Calendar| {
        let month = number("RunMonth", calendar.month.map(i16::from));
        let day = number("RunDay", calendar.day.map(i16::from));
        let weekday = number("RunDayOfWeek", calendar.weekday.map(i16::from));
        let (hour, minute) = (calendar.minute / 60, calendar.minute % 60);
        format!("    {month}{day}{weekday}at {hour:02}:{minute:02}\n")
    };
    let rows = calendars.iter().map(row);
    std::iter::once(head).chain(rows).collect()
}

fn command(entry: &Entry) -> Vec<String> {
    let shell = entry.settings.shell.as_deref().unwrap_or("/bin/sh");
    [shell, "-c", &entry.command].map(str::to_owned).to_vec()
}

/// Makes the job of an entry with all its calendars. What was made stands in `made` even when the
/// rest fails.
async fn import(
    client: &Client,
    entry: &Entry,
    made: &mut Vec<ObjectPath>,
) -> Result<(), CliError> {
    let mut calendars = entry.times.calendars();
    let Some(first) = calendars.next() else {
        return Ok(());
    };
    let mut properties = described(entry);
    properties.extend(calendar(&first, entry));
    let job = instance("JW_Job", properties);
    let path = client.create_instance(&target::namespace(), job).await?;
    let id = id(&path);
    made.push(path);
    for further in calendars {
        let mut properties = vec![text("JobID", CimType::String, &id)];
        properties.extend(calendar(&further, entry));
        let schedule = instance("JW_JobSchedule", properties);
        client
            .create_instance(&target::namespace(), schedule)
            .await?;
    }
    Ok(())
}

fn instance(class: &'static str, properties: Vec<PropertyValue>) -> InstanceDecl {
    InstanceDecl {
        class: CimName::of(class),
        properties,
    }
}

/// The job but for its calendars. As with cron it recurs without end, and a time that nobody could
/// start it at is passed over.
fn described(entry: &Entry) -> Vec<PropertyValue> {
    let settings = &entry.settings;
    let name: String = entry.command.chars().take(NAME_LIMIT).collect();
    let mut properties = vec![
        text("Name", CimType::String, name.trim()),
        text("Description", CimType::String, entry.text.trim()),
        list("Command", &command(entry)),
        text("JobRunTimes", CimType::Uint32, "0"),
        text("MissedRunPolicy", CimType::Uint16, "2"),
    ];
    let home = settings.home.as_ref();
    properties.extend(home.map(|home| text("WorkingDirectory", CimType::String, home)));
    let mail_to = settings.mail_to.as_ref();
    properties.extend(mail_to.map(|name| text("Notify", CimType::String, name)));
    let mut environment: Vec<String> = Vec::new();
    let entry_of = |(name, value): &(String, String)| format!("{name}={value}");
    environment.extend(settings.others.iter().map(entry_of));
    environment.extend(home.map(|home| format!("HOME={home}")));
    environment.extend(settings.shell.iter().map(|shell| format!("SHELL={shell}")));
    if !environment.is_empty() {
        properties.push(list("Environment", &environment));
    }
    properties
}

fn calendar(calendar: &Calendar, entry: &Entry) -> Vec<PropertyValue> {
    let (hour, minute) = (calendar.minute / 60, calendar.minute % 60);
    let time = format!("00000000{hour:02}{minute:02}00.000000:000");
    let mut properties = vec![
        text("RunStartInterval", CimType::DateTime, &time),
        text("LocalOrUtcTime", CimType::Uint16, "1"),
    ];
    let number =
        |name, ty, value: Option<i16>| value.map(|value| text(name, ty, &value.to_string()));
    properties.extend(number(
        "RunMonth",
        CimType::Uint8,
        calendar.month.map(i16::from),
    ));
    properties.extend(number(
        "RunDay",
        CimType::Sint8,
        calendar.day.map(i16::from),
    ));
    let weekday = calendar.weekday.map(i16::from);
    properties.extend(number("RunDayOfWeek", CimType::Sint8, weekday));
    let zone = entry.settings.zone.as_ref();
    properties.extend(zone.map(|zone| text("TimeZone", CimType::String, zone)));
    properties
}

/// Something failed: the jobs that were made already go again, those too that have begun. One that
/// does not go keeps no other from going, and is named.
async fn take_back(client: &Client, made: &[ObjectPath]) -> Result<ExitCode, CliError> {
    let mut left = 0_usize;
    for path in made {
        if let Err(error) = remove(client, path).await {
            eprintln!("jobwright: {} stays: {}", id(path), error.shown());
            left += 1;
        }
    }
    if left == 0 {
        eprintln!("jobwright: nothing was imported");
    } else {
        eprintln!("jobwright: {left} of the jobs made could not be taken back");
    }
    Ok(ExitCode::FAILURE)
}

/// Kills the job at `path` with whatever it runs, and has it removed.
async fn remove(client: &Client, path: &ObjectPath) -> Result<(), CliError> {
    let namespace = target::namespace();
    let delete = text("DeleteOnKill", CimType::Boolean, "TRUE");
    let method = CimName::of("KillJob");
    let killed = client
        .invoke(&namespace, path.clone(), method, vec![delete])
        .await;
    let done = match killed {
        // When the kill takes long (3), the job is removed all the same as soon as it is dead.
        Ok(result) if matches!(result.return_code(), Some(0 | 3)) => Ok(()),
        // It has ended by itself.
        Ok(_) => client.delete_instance(&namespace, path.clone()).await,
        Err(error) => Err(error),
    };
    match done {
        Err(ClientError::Cim(error)) if error.status == Status::NotFound => Ok(()),
        done => Ok(done?),
    }
}

fn id(path: &ObjectPath) -> String {
    let id = path.keys.as_ref().and_then(|keys| keys.get("InstanceID"));
    id.map(ToString::to_string).unwrap_or_default()
}
