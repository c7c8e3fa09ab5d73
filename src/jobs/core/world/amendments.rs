//! What a random program changes of a job beside its properties.

use super::*;

impl World {
    pub(super) fn schedule(&mut self, job: usize, half_hour: u64, remove: bool) {
        let time = TimeDelta::minutes(i64::try_from(half_hour * 30).expect("a day"));
        let fields = ScheduleFields {
            run_start_interval: Some(CimDateTime::interval(time)),
            ..ScheduleFields::default()
        };
        let amendment = if remove {
            Amendment::RemoveSchedule(1)
        } else {
            Amendment::AddSchedule(fields.try_into().expect("a schedule"))
        };
        self.amend(job, amendment);
    }

    pub(super) fn depend(&mut self, job: usize, other: usize, condition: u16, remove: bool) {
        let other = self.job(other);
        let amendment = if remove {
            Amendment::RemoveDependency(other)
        } else {
            Amendment::AddDependency(Dependency {
                job: other,
                condition: Condition::from_number(condition).expect("2 to 4"),
            })
        };
        self.amend(job, amendment);
    }

    pub(super) fn repair(&mut self, job: usize, by: usize, remove: bool) {
        let by = self.job(by);
        let amendment = if remove {
            Amendment::RemoveRecoveryJob(by)
        } else {
            Amendment::SetRecoveryJob(by)
        };
        self.amend(job, amendment);
    }

    fn amend(&mut self, job: usize, amendment: Amendment) {
        let (ticket, id) = (self.ticket(), self.job(job));
        self.handle(Event::Amend {
            ticket,
            id,
            amendment,
        });
    }
}
