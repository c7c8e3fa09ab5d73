//! What clients change of what belongs to a job beside its properties: its schedules, whom it waits for, who repairs what it broke.

use std::sync::Arc;

use super::event::{Amendment, Answer, Refusal, Ticket};
use super::id::JobId;
use super::record::{JobRecord, Now};
use super::schedule::{SCHEDULE_LIMIT, ScheduleSpec};
use super::scheduler::Scheduler;
use super::spec::StartRule;
use super::state::JobState;

impl Scheduler {
    pub(super) fn amend(&mut self, ticket: Ticket, id: &JobId, amendment: Amendment, now: Now) {
        let answer = self.amended(id, amendment, now);
        self.reply(ticket, answer.unwrap_or_else(Answer::Refused));
    }

    fn amended(&mut self, id: &JobId, amendment: Amendment, now: Now) -> Result<Answer, Refusal> {
        let job = self.find(id)?;
        if job.state.is_final() {
            return Err(Refusal::Over);
        }
        match amendment {
            Amendment::AddSchedule(schedule) => self.add_schedule(&job, schedule, now),
            Amendment::RemoveSchedule(number) => self.remove_schedule(&job, number, now),
            Amendment::AddDependency(entry) => self.add_dependency(&job, entry, now),
            Amendment::RemoveDependency(other) => self.remove_dependency(&job, &other, now),
            Amendment::SetRecoveryJob(by) => self.set_recovery_job(&job, by, now),
            Amendment::RemoveRecoveryJob(by) => self.remove_recovery_job(&job, &by, now),
        }
    }

    fn add_schedule(
        &mut self,
        job: &Arc<JobRecord>,
        schedule: ScheduleSpec,
        now: Now,
    ) -> Result<Answer, Refusal> {
        if job.spec.is_one_shot() {
            return Err(Refusal::OneShot);
        }
        if job.schedules.len() >= SCHEDULE_LIMIT {
            return Err(Refusal::Schedules);
        }
        let mut number = 0;
        self.update(&job.id, now, |job| {
            let before = job.start();
            number = job.schedules.add(schedule);
            job.reschedule(before, now);
        });
        Ok(Answer::Schedule(number))
    }

    fn remove_schedule(
        &mut self,
        job: &Arc<JobRecord>,
        number: u32,
        now: Now,
    ) -> Result<Answer, Refusal> {
        if job.schedules.get(number).is_none() {
            return Err(Refusal::NoSchedule(job.id.clone(), number));
        }
        let last = job.schedules.len() == 1 && job.spec.start() == StartRule::Immediately;
        if last && job.state == JobState::New {
            return Err(Refusal::LastSchedule);
        }
        self.update(&job.id, now, |job| job.schedules.remove(number));
        Ok(Answer::Done)
    }
}
