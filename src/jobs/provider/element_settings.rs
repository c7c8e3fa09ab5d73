//! CIM_ElementSettingData: the settings that an element goes by.

use super::super::core::JobRecord;
use super::elements::{Element, Scope};
use super::link::{Link, Pair};

/// The schedules of jobs.
pub(super) struct ElementSettingData;

impl Link for ElementSettingData {
    fn class(&self) -> &'static str {
        "CIM_ElementSettingData"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["ManagedElement", "SettingData"]
    }

    fn of_job(&self, _scope: &Scope, job: &JobRecord) -> Vec<Pair> {
        let pair = |(number, _): &(u32, _)| Pair {
            ends: [
                Element::Job(job.id.clone()),
                Element::Schedule(job.id.clone(), *number),
            ],
            // Is Not Default, Is Current, Is Next.
            values: vec![
                ("IsDefault", 2_u16.into()),
                ("IsCurrent", 1_u16.into()),
                ("IsNext", 1_u16.into()),
            ],
        };
        job.schedules.iter().map(pair).collect()
    }
}
