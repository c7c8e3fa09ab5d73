//! Queues: what clients ask of them, who is let on, whose turn it is, and who waited too long.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Action, Answer, Change, Refusal, Ticket};
use super::id::JobId;
use super::queue::{
    QUEUE_LIMIT, QUEUE_NAME_LIMIT, QueueLimits, QueueOrder, QueueRecord, QueueRefusal, QueueState,
};
use super::record::{JobError, JobRecord, Now, error_code};
use super::rules::{Rule, SpecError};
use super::scheduler::Scheduler;
use super::setting::Target;
use super::spec::{DEFAULT_QUEUE, JobSpec, StartRule};
use super::state::{JobState, code};

/// The numbers of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueView {
    /// What it is.
    pub record: Arc<QueueRecord>,
    /// Jobs that are ready and wait for a slot.
    pub waiting: u32,
    /// Jobs that hold a slot.
    pub running: u32,
    /// Jobs that have not ended.
    pub jobs: u32,
}

impl QueueView {
    /// Whether no job can be added until one has ended.
    pub fn is_full(&self) -> bool {
        let limit = self.record.limits.max_jobs;
        limit != 0 && self.jobs >= limit
    }
}

impl Scheduler {
    /// The queues with their numbers, by name.
    pub fn queue_views(&self) -> impl Iterator<Item = QueueView> {
        self.queues.values().map(|record| {
            let line = self.index.line(&record.name);
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            QueueView {
                record: Arc::clone(record),
                waiting: line.map_or(0, |line| count(line.waiting.len())),
                running: line.map_or(0, |line| line.slots),
                jobs: line.map_or(0, |line| count(line.jobs)),
            }
        })
    }

    pub(super) fn order_queue(&mut self, ticket: Ticket, name: &str, order: QueueOrder) {
        let answer = match order {
            QueueOrder::Create(limits) => self.create_queue(name, limits),
            QueueOrder::Limit(limits) => self.limit_queue(name, limits),
            QueueOrder::Request(requested) => self.request_queue(name, requested),
            QueueOrder::Delete => self.delete_queue(name),
        };
        let answer = answer.unwrap_or_else(|refusal| Answer::Refused(refusal.into()));
        self.reply(ticket, answer);
    }

    fn create_queue(&mut self, name: &str, limits: QueueLimits) -> Result<Answer, QueueRefusal> {
        let length = name.chars().count();
        if length == 0 || length > QUEUE_NAME_LIMIT || name.chars().any(char::is_control) {
            return Err(QueueRefusal::Name);
        }
        if self.queues.contains_key(name) {
            return Err(QueueRefusal::Exists(name.to_owned()));
        }
        if self.queues.len() >= QUEUE_LIMIT {
            return Err(QueueRefusal::TooMany);
        }
        self.put_queue(QueueRecord::new(name, limits))
    }

    fn limit_queue(&mut self, name: &str, limits: QueueLimits) -> Result<Answer, QueueRefusal> {
        let queue = self.queue(name)?;
        self.put_queue(QueueRecord {
            limits,
            ..QueueRecord::clone(&queue)
        })
    }

    fn request_queue(&mut self, name: &str, requested: u16) -> Result<Answer, QueueRefusal> {
        let queue = self.queue(name)?;
        let Some(state) = QueueState::requested(requested) else {
            return Ok(Answer::Code(code::NOT_SUPPORTED));
        };
        if state != queue.state {
            self.put_queue(QueueRecord {
                state,
                ..QueueRecord::clone(&queue)
            })?;
        }
        Ok(Answer::Code(code::DONE))
    }

    fn delete_queue(&mut self, name: &str) -> Result<Answer, QueueRefusal> {
        let queue = self.queue(name)?;
        if name == DEFAULT_QUEUE {
            return Err(QueueRefusal::Default);
        }
        let jobs = self.index.line(name).map_or(0, |line| line.jobs);
        if jobs > 0 {
            return Err(QueueRefusal::Busy(name.to_owned(), jobs));
        }
        self.queues.remove(name);
        self.actions
            .push(Action::Persist(Change::RemoveQueue(queue)));
        self.forget_target(&Target::Queue(name.to_owned()));
        Ok(Answer::Done)
    }

    fn put_queue(&mut self, queue: QueueRecord) -> Result<Answer, QueueRefusal> {
        if queue.limits.max_running == 0 {
            return Err(QueueRefusal::MaxRunning);
        }
        let queue = Arc::new(queue);
        self.index.touch(&queue.name);
        self.queues.insert(queue.name.clone(), Arc::clone(&queue));
        self.actions.push(Action::Persist(Change::Queue(queue)));
        Ok(Answer::Done)
    }

    fn queue(&self, name: &str) -> Result<Arc<QueueRecord>, QueueRefusal> {
        let queue = self.queues.get(name).cloned();
        queue.ok_or_else(|| QueueRefusal::Missing(name.to_owned()))
    }

    /// The job with the defaults of its queue, where that takes one more.
    pub(super) fn let_on(&self, spec: JobSpec) -> Result<JobSpec, Refusal> {
        let name = spec.queue();
        let unknown = || SpecError::new("QueueName", Rule::UnknownQueue(name.to_owned()));
        let queue = self.queues.get(name).ok_or_else(unknown)?;
        if !queue.state.accepts() {
            let label = queue.state.label();
            return Err(QueueRefusal::Closed(name.to_owned(), label).into());
        }
        let (jobs, most) = (
            self.index.line(name).map_or(0, |line| line.jobs),
            queue.limits.max_jobs,
        );
        if most != 0 && jobs >= most as usize {
            return Err(QueueRefusal::Full(name.to_owned(), most).into());
        }
        let priority = queue.limits.default_priority;
        Ok(spec.with_default_priority(priority))
    }

    /// A changed job with the defaults of its queue.
    pub(super) fn with_defaults(&self, spec: JobSpec) -> JobSpec {
        match self.queues.get(spec.queue()) {
            Some(queue) => {
                let priority = queue.limits.default_priority;
                spec.with_default_priority(priority)
            }
            None => spec,
        }
    }

    /// Gives free slots to the jobs at the head of each queue in which something changed.
    pub(super) fn dispatch(&mut self, now: Now) {
        while let Some(name) = self.index.next_touched() {
            while let Some(id) = self.next_of(&name) {
                let state = self.jobs.get(&id).map(|job| job.state);
                if state == Some(JobState::Suspended) {
                    self.continue_run(&id, now);
                } else {
                    self.start_run(&id, now);
                }
            }
        }
    }

    /// The job whose turn it is, where its queue has a slot for it.
    fn next_of(&self, name: &str) -> Option<JobId> {
        let (queue, line) = (self.queues.get(name)?, self.index.line(name)?);
        let free = queue.state.starts() && line.slots < queue.limits.max_running;
        let (_, _, _, first) = line.waiting.first().filter(|_| free)?;
        Some(first.clone())
    }

    /// When the first job will have waited for too long.
    pub(super) fn next_overdue(&self) -> Option<DateTime<Utc>> {
        let of_queue = |queue: &Arc<QueueRecord>| {
            let limit = TimeDelta::from_std(queue.time_limit()?).ok()?;
            let (since, _) = self.index.line(&queue.name)?.since.first()?;
            since.checked_add_signed(limit)
        };
        self.queues.values().filter_map(of_queue).min()
    }

    /// Takes those off their queues that waited for longer than `MaxTimeOnQueue`.
    pub(super) fn drop_overdue(&mut self, most: usize, now: Now) {
        let mut overdue = Vec::new();
        for queue in self.queues.values() {
            let limit = queue
                .time_limit()
                .and_then(|time| TimeDelta::from_std(time).ok());
            let before = limit.and_then(|limit| now.wall.checked_sub_signed(limit));
            let (Some(before), Some(line)) = (before, self.index.line(&queue.name)) else {
                continue;
            };
            let waited = line.since.iter().take_while(|(since, _)| *since <= before);
            overdue.extend(waited.take(most).map(|(_, id)| id.clone()));
        }
        for id in overdue {
            self.drop_from_queue(&id, now);
        }
    }

    /// A job that recurs loses this run, any other ends.
    fn drop_from_queue(&mut self, id: &JobId, now: Now) {
        let repairs = self.jobs.get(id).is_some_and(|job| {
            let open = &job.recovery.open;
            !open.is_empty() && !job.recovery.hook
        });
        self.update(id, now, |job| {
            job.error = Some(JobError {
                code: error_code::WAITED,
                description: "not started: it waited longer than MaxTimeOnQueue".to_owned(),
            });
            (job.ready, job.started_by_hand) = (None, false);
            job.plan.retries = 0;
            if repairs {
                // A recovery job is there for later failures too.
                if job.returns() {
                    job.take_pending(now);
                } else {
                    job.state = JobState::Suspended;
                }
            } else if job.start() == StartRule::Calendar && job.has_more_runs() {
                let lost = 1 + std::mem::take(&mut job.plan.pending);
                job.plan.missed = job.plan.missed.saturating_add(lost);
            } else {
                job.state = JobState::Terminated;
            }
        });
        if repairs {
            self.give_up_repairs(id, now);
        }
    }
}

/// Since when a job waits for a slot to begin a run.
pub(super) fn waiting_since(job: &JobRecord) -> Option<DateTime<Utc>> {
    job.ready.filter(|_| job.state == JobState::New)
}

#[cfg(test)]
mod tests;
