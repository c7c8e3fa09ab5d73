//! A scheduler with its clock in the test's hand, for the tests of the core.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::model::datetime::CimDateTime;

/// A scheduler, its clock, and what it asked for last.
pub(super) struct Bench {
    pub(super) scheduler: Scheduler,
    pub(super) now: Now,
    pub(super) actions: Vec<Action>,
    tickets: u64,
}

pub(super) fn seconds(n: i64) -> CimDateTime {
    CimDateTime::interval(TimeDelta::seconds(n))
}

pub(super) fn fields() -> JobFields {
    JobFields {
        name: Some("job".to_owned()),
        command: Some(vec!["true".to_owned()]),
        ..JobFields::default()
    }
}

impl Bench {
    pub(super) fn new(max_running: u32) -> Self {
        let wall: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().expect("an instant");
        let queue = Arc::new(QueueRecord::default_queue(max_running));
        Self {
            scheduler: Scheduler::new(Policy::default(), vec![queue], Vec::new()),
            now: Now {
                wall,
                boot: Duration::from_secs(50),
            },
            actions: Vec::new(),
            tickets: 0,
        }
    }

    /// The configuration has one more hook.
    pub(super) fn hook(&mut self, name: &str, command: &[&str]) {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        Arc::make_mut(&mut self.scheduler.hooks).insert(name.to_owned(), command);
    }

    pub(super) fn handle(&mut self, event: Event) {
        self.scheduler.begin();
        self.actions = self.scheduler.handle(event, self.now);
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    pub(super) fn try_submit(&mut self, name: &str, fields: JobFields) -> Answer {
        let submission = Submission {
            id: id(name),
            given: SettingValues::given(&fields),
            spec: JobSpec::new(fields, self.now.wall).expect("a job"),
            by: Submitter {
                name: "ann".to_owned(),
                uid: 1000,
            },
            request_id: None,
            call: None,
            prior: None,
        };
        let ticket = self.ticket();
        self.handle(Event::Submit {
            ticket,
            submission: Box::new(submission),
        });
        self.answer(ticket)
            .expect("a submission is answered at once")
    }

    pub(super) fn submit(&mut self, name: &str, change: impl FnOnce(&mut JobFields)) {
        let mut fields = fields();
        change(&mut fields);
        let answer = self.try_submit(name, fields);
        assert_eq!(answer, Answer::Submitted(id(name), Repeated::No));
    }

    pub(super) fn answer(&self, ticket: Ticket) -> Option<Answer> {
        self.actions.iter().find_map(|action| match action {
            Action::Reply(to, answer) if *to == ticket => Some(answer.clone()),
            _ => None,
        })
    }

    /// `RequestStateChange`; `None` when the answer has to wait.
    pub(super) fn request(&mut self, name: &str, requested: u16) -> Option<u32> {
        self.request_within(name, requested, None)
    }

    pub(super) fn request_within(
        &mut self,
        name: &str,
        requested: u16,
        timeout: Option<u64>,
    ) -> Option<u32> {
        let ticket = self.ticket();
        let timeout = timeout.map(Duration::from_secs);
        self.handle(Event::Change {
            ticket,
            id: id(name),
            requested,
            timeout,
        });
        self.answer(ticket).as_ref().map(code_of)
    }

    pub(super) fn kill(
        &mut self,
        name: &str,
        delete_on_kill: Option<bool>,
    ) -> (Ticket, Option<u32>) {
        let ticket = self.ticket();
        self.handle(Event::Kill {
            ticket,
            id: id(name),
            delete_on_kill,
        });
        (ticket, self.answer(ticket).as_ref().map(code_of))
    }

    pub(super) fn modify(&mut self, name: &str, setting: Setting) -> Answer {
        let ticket = self.ticket();
        self.handle(Event::Modify {
            ticket,
            id: id(name),
            settings: vec![setting],
        });
        self.answer(ticket)
            .expect("a modification is answered at once")
    }

    pub(super) fn amend(&mut self, name: &str, amendment: Amendment) -> Answer {
        let ticket = self.ticket();
        self.handle(Event::Amend {
            ticket,
            id: id(name),
            amendment,
        });
        self.answer(ticket).expect("a change is answered at once")
    }

    /// One more schedule; returns its number.
    pub(super) fn add_schedule(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut ScheduleFields),
    ) -> u32 {
        let mut fields = ScheduleFields::default();
        change(&mut fields);
        let schedule = fields.try_into().expect("a schedule");
        match self.amend(name, Amendment::AddSchedule(schedule)) {
            Answer::Schedule(number) => number,
            other => panic!("{other:?} is no number"),
        }
    }

    pub(super) fn order(&mut self, queue: &str, order: QueueOrder) -> Answer {
        let ticket = self.ticket();
        self.handle(Event::Queue {
            ticket,
            name: queue.to_owned(),
            order,
        });
        self.answer(ticket).expect("an order is answered at once")
    }

    /// The numbers of a queue.
    pub(super) fn queue(&self, name: &str) -> QueueView {
        let mut views = self.scheduler.queue_views();
        views
            .find(|view| view.record.name == name)
            .expect("the queue is there")
    }

    pub(super) fn delete(&mut self, name: &str) -> Answer {
        let ticket = self.ticket();
        self.handle(Event::Delete {
            ticket,
            id: id(name),
        });
        self.answer(ticket).expect("a deletion is answered at once")
    }

    pub(super) fn news(&mut self, name: &str, news: RunNews) {
        let run = self.job(name).run.as_ref().expect("has a run").number;
        self.handle(Event::Run {
            id: id(name),
            run,
            news,
        });
    }

    /// The executor brings the job's new run up.
    pub(super) fn bring_up(&mut self, name: &str) {
        self.news(name, RunNews::Prepared("identity".to_owned()));
        self.news(name, RunNews::Running(Some(4711)));
        assert_eq!(self.state(name), JobState::Running);
    }

    pub(super) fn end(&mut self, name: &str, exit: Exit) {
        self.news(name, RunNews::Ended(exit.into()));
    }

    pub(super) fn obeyed(&mut self, name: &str, signal: Signal) {
        self.news(
            name,
            RunNews::Signalled {
                signal,
                delivered: true,
            },
        );
    }

    pub(super) fn pass(&mut self, time: u64) {
        self.pass_unseen(time);
        self.handle(Event::Time);
    }

    /// Time passes, and nobody tells the scheduler.
    pub(super) fn pass_unseen(&mut self, time: u64) {
        self.now.wall += TimeDelta::seconds(i64::try_from(time).expect("short"));
        self.now.boot += Duration::from_secs(time);
    }

    /// The server starts again from what is durable.
    pub(super) fn restart(&mut self) {
        let policy = self.scheduler.policy;
        let again = |job: &Arc<JobRecord>| {
            let mut job = JobRecord::clone(job);
            job.look_ahead_again(policy.zone, self.now);
            Arc::new(job)
        };
        let jobs = self.scheduler.jobs().map(again).collect();
        let queues = self
            .scheduler
            .queue_views()
            .map(|view| view.record)
            .collect();
        let hooks = self.scheduler.hooks.clone();
        let settings = self.scheduler.settings().values();
        let settings = settings.map(|it| SettingRecord::clone(it)).collect();
        let scheduler = Scheduler::new(policy, queues, jobs);
        self.scheduler = scheduler.with_hooks(hooks).with_settings(settings);
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<JobRecord>> {
        self.scheduler
            .jobs()
            .find(|job| job.id == id(name))
            .cloned()
    }

    pub(super) fn job(&self, name: &str) -> Arc<JobRecord> {
        self.find(name).expect("the job is there")
    }

    pub(super) fn state(&self, name: &str) -> JobState {
        self.job(name).state
    }

    pub(super) fn signals(&self) -> Vec<Signal> {
        let signal = |action: &Action| match action {
            Action::Signal(_, _, signal) => Some(*signal),
            _ => None,
        };
        self.actions.iter().filter_map(signal).collect()
    }
}

pub(super) fn id(name: &str) -> JobId {
    JobId::new(name).expect("an id")
}

pub(super) fn code_of(answer: &Answer) -> u32 {
    let Answer::Code(code) = *answer else {
        panic!("{answer:?} is no code")
    };
    code
}
