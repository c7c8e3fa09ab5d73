//! A simulated world around the scheduler: executor, disk, clocks and crashes.
//!
//! The oracle is the disk and the executor's own ledger; the scheduler's memory is not trusted.

mod amendments;
mod executor;
mod invariants;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::simulation::{Options, Step};
use super::*;
use crate::model::datetime::CimDateTime;

/// What a simulated supervisor knows of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    Prepared,
    Running,
    Stopped,
    /// Ended with this status, which nobody has acknowledged.
    Over(u8),
}

pub(super) struct World {
    pub(super) scheduler: Scheduler,
    now: Now,
    /// What is on the disk.
    disk: BTreeMap<JobId, Arc<JobRecord>>,
    pub(super) queues: BTreeMap<String, Arc<QueueRecord>>,
    request_ids: BTreeMap<(String, String), JobId>,
    /// Settings of jobs, on the disk too.
    settings: BTreeMap<String, Arc<SettingRecord>>,
    /// What the newest submission said itself of what settings may say.
    given: Option<(JobId, SettingValues)>,
    full: bool,
    /// Runs that exist, by job and number.
    processes: BTreeMap<(JobId, u32), Process>,
    /// Every run whose program was ever let run.
    ran: BTreeSet<(JobId, u32)>,
    /// What the executor was asked and has not done yet.
    asked: Vec<Action>,
    held: Vec<(JobId, u32, RunNews)>,
    /// Jobs whose submission was answered.
    acknowledged: BTreeSet<JobId>,
    removed: BTreeSet<JobId>,
    /// Every timetable that a job ever had.
    tables: BTreeMap<JobId, Vec<Timetable>>,
    /// Jobs that at some time were to begin once, without a timetable.
    once: BTreeSet<JobId>,
    /// Failed runs that somebody was to run for, and by whom.
    repairs: BTreeMap<(JobId, u32), JobId>,
    /// Those that somebody has run for.
    repaired: BTreeSet<(JobId, u32)>,
    /// How often somebody asked a job to start.
    by_hand: BTreeMap<JobId, usize>,
    /// The latest time that the wall clock ever showed.
    latest: DateTime<Utc>,
    tickets: u64,
    pub(super) waiting: BTreeSet<Ticket>,
    submitted: Vec<JobId>,
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).expect("in range")
}

fn hooks() -> Hooks {
    let hook = ("hook".to_owned(), vec!["/bin/hook".to_owned()]);
    Arc::new(BTreeMap::from([hook]))
}

impl World {
    pub(super) fn new() -> Self {
        let queue = Arc::new(QueueRecord::default_queue(2));
        let scheduler = Scheduler::new(Policy::default(), vec![queue.clone()], Vec::new());
        let scheduler = scheduler.with_hooks(hooks());
        let queues = BTreeMap::from([(queue.name.clone(), queue)]);
        Self {
            scheduler,
            now: Now {
                wall: start(),
                boot: Duration::from_secs(1000),
            },
            disk: BTreeMap::new(),
            queues,
            request_ids: BTreeMap::new(),
            settings: BTreeMap::new(),
            given: None,
            full: false,
            processes: BTreeMap::new(),
            ran: BTreeSet::new(),
            asked: Vec::new(),
            held: Vec::new(),
            acknowledged: BTreeSet::new(),
            removed: BTreeSet::new(),
            tables: BTreeMap::new(),
            once: BTreeSet::new(),
            repairs: BTreeMap::new(),
            repaired: BTreeSet::new(),
            by_hand: BTreeMap::new(),
            latest: start(),
            tickets: 0,
            waiting: BTreeSet::new(),
            submitted: Vec::new(),
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.waiting.insert(Ticket(self.tickets));
        Ticket(self.tickets)
    }

    fn job(&self, n: usize) -> JobId {
        let at = n % self.submitted.len().max(1);
        let none = JobId::new("none").expect("an id");
        self.submitted.get(at).cloned().unwrap_or(none)
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Submit { priority, options } => self.submit(priority, &options),
            Step::Priority { job, priority } => {
                self.modify(job, Setting::Priority(Some(priority)));
            }
            Step::Until { job, seconds } => {
                let until = CimDateTime::interval(TimeDelta::seconds(seconds));
                self.modify(job, Setting::UntilTime(Some(until)));
            }
            Step::Schedule {
                job,
                half_hour,
                remove,
            } => self.schedule(job, half_hour, remove),
            Step::Depend {
                job,
                other,
                condition,
                remove,
            } => self.depend(job, other, condition, remove),
            Step::Repair { job, by, remove } => self.repair(job, by, remove),
            Step::Control { job, requested } => self.control(job, requested),
            Step::Kill { job, delete } => {
                let (ticket, id) = (self.ticket(), self.job(job));
                self.handle(Event::Kill {
                    ticket,
                    id,
                    delete_on_kill: delete,
                });
            }
            Step::Delete { job } => {
                let (ticket, id) = (self.ticket(), self.job(job));
                self.handle(Event::Delete { ticket, id });
            }
            Step::Queue { other, order } => {
                let (ticket, name) = (self.ticket(), queue_name(other));
                self.handle(Event::Queue {
                    ticket,
                    name,
                    order,
                });
            }
            Step::Setting { settings, order } => self.order_setting(settings, order),
            Step::Work => self.work(),
            Step::End { run, status } => self.end(run, status),
            Step::Progress { run, percent } => self.progress(run, percent),
            Step::Wait { millis } => self.wait(millis),
            Step::Days { hours } => self.wait(hours * 3_600_000),
            Step::SetClock { seconds } => {
                self.now.wall += TimeDelta::seconds(seconds);
                self.handle(Event::Time);
            }
            Step::Crash => self.crash(),
            Step::Full => self.full = true,
        }
    }

    fn submit(&mut self, priority: u32, options: &Options) {
        let interval = |s: i64| CimDateTime::interval(TimeDelta::seconds(s));
        let at = |s| CimDateTime::timestamp(self.now.wall + TimeDelta::seconds(s));
        let wish = options.calendar.as_ref();
        let words = ["", ";succeeded", ";failed", ";ended"];
        let after = options
            .after
            .map(|(job, word)| format!("{}{}", self.job(job), words[word]));
        let fields = JobFields {
            name: Some("job".to_owned()),
            command: Some(vec!["true".to_owned()]),
            priority: Some(priority),
            hold: Some(options.hold),
            queue_name: Some(queue_name(options.queue != 0)),
            scheduled_start_time: options.in_seconds.filter(|_| wish.is_none()).map(at),
            run_start_interval: wish
                .map(|wish| interval(i64::try_from(wish.half_hour * 1800).expect("a day"))),
            job_run_times: wish.map(|wish| wish.times),
            missed_run_policy: wish.map(|wish| wish.missed),
            overlap_policy: wish.map(|wish| wish.overlap),
            recovery_action: options.recovery,
            // Two names, one of which is no hook.
            other_recovery_action: (options.recovery == Some(1))
                .then(|| if priority == 0 { "unknown" } else { "hook" }.to_owned()),
            max_retries: Some(2).filter(|_| !options.open),
            max_elapsed_time: options.max_elapsed.map(interval),
            delete_on_completion: Some(options.delete).filter(|_| !options.open),
            setting_id: options.setting.map(settings::id_of),
            depends_on: after.map(|entry| vec![entry]),
            ..JobFields::default()
        };
        let given = SettingValues::given(&fields);
        let spec = JobSpec::new(fields, self.now.wall).expect("a job");
        let id = JobId::new(&format!("job-{}", self.tickets)).expect("an id");
        let by = Submitter {
            name: "ann".to_owned(),
            uid: 1000,
        };
        let request_id = options.request_id.map(|n| n.to_string());
        let key = request_id
            .clone()
            .map(|request_id| (by.name.clone(), request_id));
        let prior = key
            .and_then(|key| self.request_ids.get(&key))
            .cloned()
            .map(Prior::Repeat);
        let submission = Submission {
            id,
            spec,
            given,
            by,
            request_id,
            call: None,
            prior,
        };
        self.given = Some((submission.id.clone(), submission.given.clone()));
        let ticket = self.ticket();
        self.handle(Event::Submit {
            ticket,
            submission: Box::new(submission),
        });
    }

    fn control(&mut self, job: usize, requested: u16) {
        let (ticket, id) = (self.ticket(), self.job(job));
        if requested == 2 {
            *self.by_hand.entry(id.clone()).or_default() += 1;
        }
        self.handle(Event::Change {
            ticket,
            id,
            requested,
            timeout: None,
        });
    }

    fn modify(&mut self, job: usize, setting: Setting) {
        let (ticket, id) = (self.ticket(), self.job(job));
        self.handle(Event::Modify {
            ticket,
            id,
            settings: vec![setting],
        });
    }

    /// The driver: handle, make durable, perform, answer.
    fn handle(&mut self, event: Event) {
        self.latest = self.latest.max(self.now.wall);
        self.scheduler.begin();
        let before: Vec<_> = self.scheduler.queue_views().collect();
        let mut actions = Vec::new();
        let held = std::mem::take(&mut self.held);
        for (id, run, news) in held.clone() {
            actions.extend(
                self.scheduler
                    .handle(Event::Run { id, run, news }, self.now),
            );
        }
        actions.extend(self.scheduler.handle(event.clone(), self.now));
        if std::mem::take(&mut self.full) && actions.iter().any(|a| matches!(a, Action::Persist(_)))
        {
            self.scheduler.rollback();
            assert_eq!(
                self.scheduler.queue_views().collect::<Vec<_>>(),
                before,
                "a rollback leaves no trace"
            );
            self.held = held;
            // The driver tells whoever asked that it failed.
            if let Some(ticket) = asked_by(&event) {
                assert!(self.waiting.remove(&ticket));
            }
            if let Event::Run { id, run, news } = event {
                self.held.push((id, run, news));
            }
            return;
        }
        let (changes, rest): (Vec<_>, Vec<_>) = actions
            .into_iter()
            .partition(|action| matches!(action, Action::Persist(_)));
        for change in changes {
            let Action::Persist(change) = change else {
                unreachable!()
            };
            self.persist(change);
        }
        for action in rest {
            self.perform(action);
        }
    }

    /// Remembers what reasons a job has to run.
    fn note_start(&mut self, job: &JobRecord) {
        match job.timetable(chrono_tz::Tz::UTC) {
            Some(table) => {
                let known = self.tables.entry(job.id.clone()).or_default();
                if known.last() != Some(&table) {
                    known.push(table);
                }
            }
            None => {
                self.once.insert(job.id.clone());
            }
        }
    }

    fn persist(&mut self, change: Change) {
        if let Change::Insert { job, .. } | Change::Update { after: job, .. } = &change {
            self.note_start(job);
            for failed in &job.recovery.open {
                let key = (failed.job.clone(), failed.run);
                let by = self.repairs.entry(key).or_insert_with(|| job.id.clone());
                assert_eq!(*by, job.id, "one job runs for a failed one");
            }
        }
        match change {
            Change::Insert { job, request_id } => {
                assert!(!self.removed.contains(&job.id), "an id is never used twice");
                if let Some(request_id) = request_id {
                    let key = (job.owner.name.clone(), request_id);
                    assert!(self.request_ids.insert(key, job.id.clone()).is_none());
                }
                self.check_settled(&job);
                self.submitted.push(job.id.clone());
                assert!(self.disk.insert(job.id.clone(), job).is_none());
            }
            Change::Update { before, after } => {
                if after.state == JobState::Starting && before.state != JobState::Starting {
                    self.turn_of(&before);
                }
                let stored = self.disk.insert(after.id.clone(), Arc::clone(&after));
                let stored = stored.expect("only stored jobs change");
                assert_eq!(
                    (stored.state, stored.revision),
                    (before.state, before.revision)
                );
                assert!(
                    stored.state == after.state || stored.state.may_become(after.state),
                    "{:?} became {:?}",
                    stored.state,
                    after.state
                );
                assert_eq!(after.state.is_final(), after.ended.is_some());
                // The clock of the world never goes back by a day.
                assert!(after.plan.done >= before.plan.done, "no time comes again");
                let ahead = after
                    .plan
                    .next
                    .is_none_or(|next| Some(next) > after.plan.done);
                assert!(ahead, "{} acts on one time twice", after.id);
            }
            Change::Remove(job) => {
                let stored = self
                    .disk
                    .remove(&job.id)
                    .expect("only stored jobs are removed");
                assert!(stored.state.is_final(), "only what has ended is removed");
                self.removed.insert(job.id.clone());
            }
            Change::Run(row) => assert!(self.disk.contains_key(&row.job)),
            Change::Setting(settings) => self.keep_setting(settings),
            Change::RemoveSetting(settings) => self.drop_setting(&settings),
            Change::Queue(queue) => {
                self.queues.insert(queue.name.clone(), queue);
            }
            Change::RemoveQueue(queue) => {
                let mut jobs = self.disk.values();
                let left = jobs.any(|job| job.spec.queue() == queue.name && !job.state.is_final());
                assert!(!left, "{} has jobs", queue.name);
                assert!(self.queues.remove(&queue.name).is_some());
            }
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Reply(ticket, answer) => {
                assert!(
                    self.waiting.remove(&ticket),
                    "each request is answered once"
                );
                if let Answer::Submitted(id, _) = answer {
                    assert!(self.disk.contains_key(&id) || self.removed.contains(&id));
                    self.acknowledged.insert(id);
                }
            }
            Action::Show(_) => {}
            Action::Acknowledge(id, run) => {
                self.processes.remove(&(id, run));
            }
            Action::Prepare(_) | Action::Release(..) | Action::Abandon(..) | Action::Signal(..) => {
                self.asked.push(action);
            }
            Action::Persist(_) => unreachable!(),
        }
    }

    /// Whoever is given a slot obeys the limit and the order of the queue.
    fn turn_of(&self, started: &JobRecord) {
        let of_queue = |job: &&Arc<JobRecord>| job.spec.queue() == started.spec.queue();
        let running = self.disk.values().filter(of_queue);
        let running = running.filter(|job| holds_slot(job)).count();
        let queue = &self.queues[started.spec.queue()];
        assert!(queue.state.starts(), "{} starts nothing", queue.name);
        let limit = queue.limits.max_running as usize;
        assert!(
            running < limit,
            "{} is one too many for {limit}",
            started.id
        );
        let place = |job: &JobRecord| (job.spec.priority(), job.ready, job.seq);
        let queue = self.disk.values().filter(of_queue);
        let queue = queue.filter(|job| job.ready.is_some());
        let first = queue.map(|job| place(job)).min();
        assert_eq!(
            first,
            Some(place(started)),
            "{} is not the first",
            started.id
        );
    }

    pub(super) fn wait(&mut self, millis: u64) {
        let until = self.now.boot + Duration::from_millis(millis);
        for _ in 0..1000 {
            let wake = self.scheduler.next_wake();
            let wall = wake
                .wall
                .map(|at| self.now.boot + (at - self.now.wall).to_std().unwrap_or_default());
            let next = [wall, wake.boot].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.pass(next.saturating_sub(self.now.boot));
            self.handle(Event::Time);
        }
        let wake = self.scheduler.next_wake();
        assert!(
            wake.boot.is_none_or(|at| at > self.now.boot),
            "time is handled to its end"
        );
        assert!(
            wake.wall.is_none_or(|at| at > self.now.wall),
            "on both clocks"
        );
        self.pass(until.saturating_sub(self.now.boot));
        self.handle(Event::Time);
    }

    fn pass(&mut self, time: Duration) {
        self.now.boot += time;
        self.now.wall += TimeDelta::from_std(time).expect("short");
    }

    /// Only the disk and the supervisors survive.
    fn crash(&mut self) {
        let jobs: Vec<_> = self.disk.values().cloned().collect();
        let stored = |job: &Arc<JobRecord>| {
            let text = serde_json::to_string(&**job).expect("encodes");
            let read: JobRecord = serde_json::from_str(&text).expect("decodes");
            assert_eq!(read, **job, "a stored record reads back");
        };
        jobs.iter().for_each(stored);
        let queues = self.queues.values().cloned().collect();
        let settings = self.settings.values();
        let settings = settings.map(|it| SettingRecord::clone(it)).collect();
        let scheduler = Scheduler::new(Policy::default(), queues, jobs.clone());
        self.scheduler = scheduler.with_hooks(hooks()).with_settings(settings);
        self.asked.clear();
        self.held.clear();
        self.waiting.clear();
        // A supervisor that waits for leave sees its pipe close, and ends without running.
        self.processes
            .retain(|_, process| *process != Process::Prepared);
        for job in jobs.iter().filter(|job| job.has_process()) {
            let run = job.run.as_ref().expect("has a process");
            let known = self.processes.get(&(job.id.clone(), run.number)).copied();
            let news = match known {
                Some(Process::Over(status)) => ended(Exit::Code(status)),
                Some(_) => RunNews::Adopted,
                None => RunNews::NeverRan,
            };
            self.news(job.id.clone(), run.number, news);
        }
    }

    /// Lets everything that was begun come to its end.
    pub(super) fn settle(&mut self) {
        for _ in 0..2000 {
            let idle = self.asked.is_empty() && self.held.is_empty();
            let running = self.processes.values().any(|p| *p == Process::Running);
            if idle && !running {
                return;
            }
            self.work();
            self.end(0, 0);
            self.handle(Event::Time);
        }
        panic!("the world does not come to rest");
    }
}

fn queue_name(other: bool) -> String {
    if other { "other" } else { DEFAULT_QUEUE }.to_owned()
}

pub(super) fn holds_slot(job: &JobRecord) -> bool {
    matches!(
        job.state,
        JobState::Starting | JobState::Running | JobState::ShuttingDown
    )
}

fn asked_by(event: &Event) -> Option<Ticket> {
    match event {
        Event::Submit { ticket, .. }
        | Event::Modify { ticket, .. }
        | Event::Change { ticket, .. }
        | Event::Kill { ticket, .. }
        | Event::Delete { ticket, .. }
        | Event::Amend { ticket, .. }
        | Event::Queue { ticket, .. }
        | Event::Setting { ticket, .. } => Some(*ticket),
        Event::Run { .. } | Event::Time => None,
    }
}

fn ended(exit: Exit) -> RunNews {
    RunNews::Ended(exit.into())
}
