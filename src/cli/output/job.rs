//! A job as the command line shows it: a row, a page, a line of progress.

use chrono::TimeDelta;
use comfy_table::{Table, presets};

use crate::model::{CimDateTime, CimType, CimValue, InstanceDecl};

use super::super::times::show_length;

/// The states of `CIM_ConcreteJob.JobState`; numbers of other servers stay what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(pub u16);

impl State {
    /// The work is under way.
    pub const RUNNING: Self = Self(4);
    /// Held or stopped.
    pub const SUSPENDED: Self = Self(5);
    /// Ended by itself without fault.
    pub const COMPLETED: Self = Self(7);

    /// The state's name in the schema, or its number.
    pub fn name(self) -> String {
        let name = match self.0 {
            2 => "New",
            3 => "Starting",
            4 => "Running",
            5 => "Suspended",
            6 => "Shutting Down",
            7 => "Completed",
            8 => "Terminated",
            9 => "Killed",
            10 => "Exception",
            11 => "Service",
            12 => "Query Pending",
            other => return format!("state {other}"),
        };
        name.to_owned()
    }

    /// Whether a job in this state has ended for good.
    pub fn is_final(self) -> bool {
        (7..=10).contains(&self.0)
    }
}

/// What an instance of `CIM_ConcreteJob` says of a job; what it leaves out is `None`.
#[derive(Debug, Clone)]
pub struct JobView<'a>(pub &'a InstanceDecl);

impl JobView<'_> {
    fn value(&self, name: &str) -> CimValue {
        self.0.get(name).map_or(CimValue::Null, |property| {
            let ty = property.ty.unwrap_or(CimType::String);
            property
                .value
                .resolve(ty, property.is_array)
                .unwrap_or(CimValue::Null)
        })
    }

    /// The text of a string property.
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name).as_str().map(str::to_owned)
    }

    /// The number of an integer property.
    pub fn number(&self, name: &str) -> Option<i128> {
        self.value(name).as_integer()
    }

    fn length(&self, name: &str) -> Option<TimeDelta> {
        self.value(name)
            .as_datetime()
            .and_then(|value: CimDateTime| value.as_length())
    }

    /// The job's state.
    pub fn state(&self) -> State {
        State(
            self.number("JobState")
                .and_then(|n| u16::try_from(n).ok())
                .unwrap_or(0),
        )
    }

    /// How much of the job is done, 0 to 100.
    pub fn percent(&self) -> u64 {
        self.number("PercentComplete")
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0)
            .min(100)
    }

    /// How long it has run, as text.
    pub fn elapsed(&self) -> String {
        self.length("ElapsedTime")
            .map_or_else(|| "-".to_owned(), show_length)
    }

    /// What the job says of itself: its status, or why it failed.
    pub fn remark(&self) -> String {
        let reason = self
            .text("WaitReason")
            .or_else(|| self.text("ErrorDescription"));
        reason
            .or_else(|| self.text("JobStatus"))
            .map_or_else(String::new, |text| printable(&text))
    }
}

/// Text of a job's own making may hold control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The jobs as a table, one row each.
pub fn list(jobs: &[InstanceDecl]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "ID", "NAME", "STATE", "DONE", "ELAPSED", "PRIORITY", "OWNER", "REMARK",
    ]);
    for job in jobs {
        let view = JobView(job);
        let text = |name| {
            view.text(name)
                .map_or_else(|| "-".to_owned(), |text| printable(&text))
        };
        let priority = view
            .number("Priority")
            .map_or_else(|| "-".to_owned(), |n| n.to_string());
        table.add_row([
            text("InstanceID"),
            text("Name"),
            view.state().name(),
            format!("{}%", view.percent()),
            view.elapsed(),
            priority,
            text("Owner"),
            view.remark(),
        ]);
    }
    table.trim_fmt()
}

/// Every property of a job that has a value, one on a line, the state also by its name.
pub fn show(job: &InstanceDecl) -> String {
    let view = JobView(job);
    let mut lines = Vec::new();
    for property in &job.properties {
        let value = view.value(property.name.as_str());
        if value.is_null() {
            continue;
        }
        let name = property.name.as_str();
        let note = match name {
            "JobState" => format!(" ({})", view.state().name()),
            _ => value
                .as_datetime()
                .and_then(|v| v.as_length())
                .map_or_else(String::new, |length| format!(" ({})", show_length(length))),
        };
        lines.push(format!("{name:24} {}{note}", printable(&value.to_string())));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CimName, Literal, PropertyValue};

    fn job() -> InstanceDecl {
        let property = |name, ty, text: &str| PropertyValue {
            name: CimName::of(name),
            ty: Some(ty),
            is_array: false,
            value: Literal::Text(text.into()),
        };
        InstanceDecl {
            class: CimName::of("JW_Job"),
            properties: vec![
                property("InstanceID", CimType::String, "JW:1"),
                property("JobState", CimType::Uint16, "10"),
                property("PercentComplete", CimType::Uint16, "42"),
                property(
                    "ElapsedTime",
                    CimType::DateTime,
                    "00000000000003.200000:000",
                ),
                property("ErrorDescription", CimType::String, "bad\u{1b}[2J\nend"),
            ],
        }
    }

    #[test]
    fn a_page_names_the_state_and_the_length() {
        let page = show(&job());
        assert!(page.contains("10 (Exception)"), "{page}");
        assert!(page.contains("(3.2s)"), "{page}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let text = format!("{}{}", list(&[job()]), show(&job()));
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.contains("42%"), "{text}");
    }
}
