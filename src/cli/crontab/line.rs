//! The lines of a crontab: comments, settings, and entries with their times and commands.

use std::fmt;

use super::field;
use super::plan::Times;

/// Which crontab it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A user's.
    User,
    /// The system's: a user stands before each command, and it must be this one.
    System(String),
}

/// Why a line cannot be imported: its number and the column, both from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.reason)
    }
}

/// An entry that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of its line, from 1.
    pub line: usize,
    /// The line as it was written.
    pub text: String,
    /// When it runs.
    pub times: Times,
    /// What it runs, as one argument of the shell.
    pub command: String,
    /// What was set before it.
    pub settings: Settings,
}

/// What the lines before an entry set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `SHELL`.
    pub shell: Option<String>,
    /// `HOME`.
    pub home: Option<String>,
    /// `MAILTO`, when it names somebody.
    pub mail_to: Option<String>,
    /// `CRON_TZ`.
    pub zone: Option<String>,
    /// All others, by name, the newest value of each.
    pub others: Vec<(String, String)>,
}

/// The entries of a crontab, each good or with its fault.
pub fn read(text: &str, form: &Form) -> Vec<Result<Entry, Fault>> {
    let mut settings = Settings::default();
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim_start_matches([' ', '\t']);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some((name, value)) = setting(trimmed) {
            settings.set(name, value);
            continue;
        }
        let read = Line {
            rest: line,
            whole: line,
        }
        .entry(form);
        let read = read.map(|(times, command)| Entry {
            line: at + 1,
            text: line.to_owned(),
            times,
            command,
            settings: settings.clone(),
        });
        entries.push(read.map_err(|(offset, reason)| Fault {
            line: at + 1,
            column: line[..offset].chars().count() + 1,
            reason,
        }));
    }
    entries
}

impl Settings {
    fn set(&mut self, name: String, value: String) {
        let some = Some(value.clone()).filter(|value| !value.is_empty());
        match name.as_str() {
            "SHELL" => self.shell = some,
            "HOME" => self.home = some,
            "MAILTO" => self.mail_to = some,
            "CRON_TZ" => self.zone = some,
            // cron itself sets them and lets nobody else.
            "LOGNAME" | "USER" => {}
            _ => {
                self.others.retain(|(known, _)| *known != name);
                self.others.push((name, value));
            }
        }
    }
}

/// `NAME = value`, either of which may stand in quotes.
fn setting(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = unquoted(name.trim());
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with(|c: char| c.is_ascii_digit());
    is_name.then(|| (name.to_owned(), unquoted(value.trim()).to_owned()))
}

fn unquoted(text: &str) -> &str {
    let within = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

/// What is left of a line; a fault is an offset into the whole of it.
struct Line<'a> {
    rest: &'a str,
    whole: &'a str,
}

type Wrong = (usize, String);

impl<'a> Line<'a> {
    /// The next word with its offset.
    fn word(&mut self, what: &str) -> Result<(usize, &'a str), Wrong> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        let end = self.rest.find([' ', '\t']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let at = self.at();
        self.rest = rest;
        if word.is_empty() {
            return Err((at, format!("the {what} is missing")));
        }
        Ok((at, word))
    }

    fn at(&self) -> usize {
        self.whole.len() - self.rest.len()
    }

    fn entry(mut self, form: &Form) -> Result<(Times, String), Wrong> {
        let times = self.times()?;
        if let Form::System(own) = form {
            let (at, user) = self.word("user")?;
            if user != own {
                return Err((at, format!("it runs as {user}, and jobs run as {own}")));
            }
        }
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        if self.rest.is_empty() {
            return Err((self.at(), "the command is missing".to_owned()));
        }
        let command = command(self.rest).map_err(|at| {
            let reason = "a % makes what follows standard input, which a job does not have; \
                          write \\% for the sign itself";
            (self.at() + at, reason.to_owned())
        })?;
        Ok((times, command))
    }

    fn times(&mut self) -> Result<Times, Wrong> {
        let (at, first) = self.word("minute")?;
        if first.starts_with('@') {
            let fields = named(first).map_err(|reason| (at, reason))?;
            let mut line = Line {
                rest: fields,
                whole: fields,
            };
            return line.times().map_err(|(_, reason)| (at, reason));
        }
        let mut field = |kind: field::Kind, word: Option<(usize, &'a str)>| {
            let (at, text) = word.map_or_else(|| self.word(kind.name), Ok)?;
            field::read(kind, text).map_err(|(offset, reason)| (at + offset, reason))
        };
        let minutes = field(field::MINUTE, Some((at, first)))?;
        let hours = field(field::HOUR, None)?;
        let days = field(field::DAY, None)?;
        let months = field(field::MONTH, None)?;
        let weekdays = field(field::WEEKDAY, None)?;
        Times::new([minutes, hours, days, months, weekdays]).map_err(|reason| (at, reason))
    }
}

/// The five fields that a name with `@` stands for.
fn named(name: &str) -> Result<&'static str, String> {
    match name.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        "@reboot" => Err("no calendar says when the machine starts".to_owned()),
        _ => Err(format!("\"{name}\" is no name of times")),
    }
}

/// The command with `\%` as `%`; the offset of a `%` without a backslash is an error.
fn command(text: &str) -> Result<String, usize> {
    let (mut command, mut escaped) = (String::with_capacity(text.len()), false);
    for (at, c) in text.char_indices() {
        match c {
            '%' if escaped => {
                command.pop();
            }
            '%' => return Err(at),
            _ => {}
        }
        command.push(c);
        escaped = c == '\\' && !escaped;
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str, form: &Form) -> Vec<String> {
        let read = read(text, form).into_iter();
        read.filter_map(Result::err)
            .map(|fault| fault.to_string())
            .collect()
    }

    #[test]
    fn settings_hold_for_the_lines_after_them() {
        let text = "# nightly\n0 1 * * * first\nSHELL=/bin/bash\n MAILTO = \"ann\"\nA='x y'\nHOME=/tmp\n\
                    CRON_TZ=Europe/Berlin\n\t0 2 * * *\tsecond  --all \nMAILTO=\"\"\nA=z\n0 3 * * * third\n";
        let entries = read(text, &Form::User);
        let entries: Vec<_> = entries
            .into_iter()
            .map(|entry| entry.expect("good"))
            .collect();
        let [first, second, third] = entries.as_slice() else {
            panic!("three entries are expected: {entries:?}")
        };
        assert_eq!((first.line, &*first.command), (2, "first"));
        assert_eq!(first.settings, Settings::default());
        assert_eq!((second.line, &*second.command), (8, "second  --all "));
        let expected = Settings {
            shell: Some("/bin/bash".to_owned()),
            home: Some("/tmp".to_owned()),
            mail_to: Some("ann".to_owned()),
            zone: Some("Europe/Berlin".to_owned()),
            others: vec![("A".to_owned(), "x y".to_owned())],
        };
        assert_eq!(second.settings, expected);
        assert_eq!(third.settings.mail_to, None);
        assert_eq!(third.settings.others, [("A".to_owned(), "z".to_owned())]);
    }

    #[test]
    fn faults_have_line_and_column() {
        let check = |text: &str, expected: &str| {
            let found = faults(text, &Form::User);
            assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{text}: expected {expected}, got {found:?}"
            );
        };
        check("\n@reboot x", "2:1: no calendar says");
        check("@often x", "1:1: \"@often\" is no name");
        check("61 * * * * x", "1:1: \"61\" is no minute");
        check("  0 1,25 * * * x", "1:7: \"25\" is no hour");
        check("0 1 * * mondy x", "1:9: \"mondy\" is no day of the week");
        check("0 1 * *", "1:8: the day of the week is missing");
        check("0 1 * * *  ", "1:12: the command is missing");
        check("0 1 * * * m\u{fc}ll %x", "1:16: a % makes");
        check("* * * * * x", "1:1: it needs 1440 schedules");
        check("0 0 30 2 * x", "1:1: no year has such a day");
    }

    #[test]
    fn a_percent_sign_is_written_with_a_backslash() {
        let entry = &read("@daily date +\\%F \\\\x", &Form::User)[0];
        let command = entry.as_ref().map(|entry| entry.command.as_str());
        assert_eq!(command, Ok("date +%F \\\\x"));
    }

    #[test]
    fn the_system_form_names_the_user() {
        let form = Form::System("ann".to_owned());
        let good = read("0 1 * * * ann /bin/true", &form);
        assert!(
            good[0]
                .as_ref()
                .is_ok_and(|entry| entry.command == "/bin/true")
        );
        assert_eq!(
            faults("@daily root /bin/true", &form),
            ["1:8: it runs as root, and jobs run as ann"]
        );
    }
}
