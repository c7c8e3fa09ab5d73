//! What of the engine's changes others are told: instances of before and after, for the notices that
//! are committed with the change.
//!
//! What a job runs may hold secrets, so it is left out. Numbers that no change of a record stands for,
//! such as how many jobs wait in a queue, are not told.

mod associations;

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Instance, Namespace, Result};
use crate::provider::{
    Change as Told, ChangeKind, ChangeKinds, Interest, Notices, Observer, Occurrence, Unobserved,
};

use super::super::core::{
    Change, JobId, JobRecord, Now, QueueRecord, QueueView, RunRow, SettingRecord,
};
use super::super::engine::Snapshot;
use super::link::Link;
use super::shown::View;
use super::{Host, alert, job, method_result, queue, run, schedule, setting_data, shown};
use crate::store::Gone;
use associations::Associations;

/// Whoever is told, and where the engine's instances live.
#[derive(Clone)]
pub struct Teller {
    observer: Arc<dyn Observer>,
    host: Host,
    namespaces: Vec<Namespace>,
    links: Arc<[Arc<dyn Link>]>,
}

impl Default for Teller {
    /// Nobody is told anything.
    fn default() -> Self {
        let host = Host { name: "".into() };
        Self::new(Arc::new(Unobserved), host, Vec::new())
    }
}

impl Teller {
    /// Tells `observer` of what changes in `namespaces`.
    pub fn new(observer: Arc<dyn Observer>, host: Host, namespaces: Vec<Namespace>) -> Self {
        Self {
            observer,
            host,
            namespaces,
            links: super::links().into(),
        }
    }

    /// The notices that `changes` lead to, and then the newer progress of the jobs in `progress`;
    /// `before` is what readers see until these are committed.
    pub fn notices(
        &self,
        changes: &[Change],
        progress: &[Arc<JobRecord>],
        before: &Arc<Snapshot>,
        now: Now,
    ) -> Notices {
        let mut notices = Notices::default();
        for namespace in &self.namespaces {
            let Some(mut account) = Account::of(self, namespace, before, now) else {
                continue;
            };
            for change in changes {
                account.add(change);
            }
            for job in progress {
                account.progress(job);
            }
            let told = account.occurrences;
            notices.append(self.observer.notices(namespace, &told, now.wall));
        }
        notices
    }

    /// The notices of the history that is `gone`; `before` is what readers saw until then.
    pub fn gone(&self, gone: &Gone, before: &Snapshot, now: Now) -> Notices {
        let mut notices = Notices::default();
        for namespace in &self.namespaces {
            let mut occurrences = Vec::new();
            if let Some(Interest { class, kinds, .. }) =
                self.observer.interest(namespace, run::CLASS)
            {
                let told = gone.runs.iter().filter_map(|row| {
                    let gone = Some(|| run::shown(&class, row));
                    told(kinds, gone, NOTHING, Some(row.owner.as_str().into()))
                });
                occurrences.extend(told);
            }
            occurrences.extend(self.parted(gone, before, namespace));
            notices.append(self.observer.notices(namespace, &occurrences, now.wall));
        }
        notices
    }

    /// `notices` were committed.
    pub fn committed(&self, notices: Notices) {
        self.observer.committed(notices);
    }
}

/// The classes that anybody is interested in.
struct Classes {
    job: Option<Interest>,
    schedule: Option<Interest>,
    run: Option<Interest>,
    queue: Option<Interest>,
    settings: Option<Interest>,
    alert: Option<Interest>,
    /// With what makes them.
    call: Option<(Interest, method_result::Maker)>,
}

/// What is told of one step in one namespace.
struct Account<'a> {
    classes: Classes,
    host: &'a Host,
    namespace: Namespace,
    view: View,
    before: &'a Snapshot,
    associations: Associations,
    /// What this step has changed, as it left it; `None` is gone.
    jobs: HashMap<JobId, Option<Arc<JobRecord>>>,
    runs: HashMap<(JobId, u32), RunRow>,
    queues: HashMap<String, Option<QueueView>>,
    settings: HashMap<String, Option<Arc<SettingRecord>>>,
    /// How many jobs that have not ended this step added to a queue, less those it ended.
    lengths: HashMap<String, i64>,
    occurrences: Vec<Occurrence>,
}

impl<'a> Account<'a> {
    /// An empty account, or none where nobody is interested.
    fn of(
        teller: &'a Teller,
        namespace: &Namespace,
        before: &'a Arc<Snapshot>,
        now: Now,
    ) -> Option<Self> {
        let interest = |class| teller.observer.interest(namespace, class);
        let call = interest(method_result::CLASS).and_then(|interest| {
            // What the call gave is what the job runs.
            let maker =
                method_result::Maker::of((namespace, &interest.schema), &teller.host, false);
            Some((interest, maker?))
        });
        let classes = Classes {
            job: interest(job::CLASS),
            schedule: interest(schedule::CLASS),
            run: interest(run::CLASS),
            queue: interest(queue::CLASS),
            settings: interest(setting_data::CLASS),
            alert: interest(alert::CLASS),
            call,
        };
        let associations = Associations::of(teller, namespace, before);
        let Classes {
            job,
            schedule,
            run,
            queue,
            settings,
            alert,
            call,
        } = &classes;
        let plain = [job, schedule, run, queue, settings, alert];
        let is_any = plain.iter().any(|class| class.is_some()) || call.is_some();
        (is_any || !associations.is_empty()).then(|| Self {
            classes,
            host: &teller.host,
            namespace: namespace.clone(),
            view: View {
                now,
                snapshot: before.clone(),
                commands: false,
                // What the call gave is what the job runs.
                call: None,
            },
            before,
            associations,
            jobs: HashMap::new(),
            runs: HashMap::new(),
            queues: HashMap::new(),
            settings: HashMap::new(),
            lengths: HashMap::new(),
            occurrences: Vec::new(),
        })
    }

    fn add(&mut self, change: &Change) {
        match change {
            Change::Insert { job, .. } => self.job(None, Some(job)),
            Change::Update { before, after } => {
                let before = self.known(&before.id).unwrap_or_else(|| before.clone());
                self.job(Some(&before), Some(after));
            }
            Change::Remove(job) => {
                let before = self.known(&job.id).unwrap_or_else(|| job.clone());
                self.job(Some(&before), None);
            }
            Change::Run(row) => self.run(row),
            Change::Queue(queue) => self.queue(queue, true),
            Change::RemoveQueue(queue) => self.queue(queue, false),
            Change::Setting(settings) => self.settings(settings, true),
            Change::RemoveSetting(settings) => self.settings(settings, false),
        }
        self.associations.apply(change);
    }

    /// The job as this step has left it.
    fn known(&self, id: &JobId) -> Option<Arc<JobRecord>> {
        let unchanged = || self.before.jobs.get(id).cloned();
        self.jobs.get(id).cloned().unwrap_or_else(unchanged)
    }

    /// The same of settings.
    fn known_settings(&self, id: &str) -> Option<Arc<SettingRecord>> {
        let unchanged = || self.before.settings.get(id).cloned();
        self.settings.get(id).cloned().unwrap_or_else(unchanged)
    }

    /// The same of a queue.
    fn known_queue(&self, name: &str) -> Option<QueueView> {
        let unchanged = || self.before.queues.get(name).cloned();
        self.queues.get(name).cloned().unwrap_or_else(unchanged)
    }

    fn progress(&mut self, job: &Arc<JobRecord>) {
        let Some(before) = self.known(&job.id) else {
            return;
        };
        if before.revision <= job.revision {
            self.job(Some(&before), Some(job));
        }
    }

    fn job(&mut self, before: Option<&Arc<JobRecord>>, after: Option<&Arc<JobRecord>>) {
        let Some(either) = after.or(before) else {
            return;
        };
        let owner: Arc<str> = either.owner.name.as_str().into();
        if let Some(Interest { class, kinds, .. }) = &self.classes.job {
            let view = &self.view;
            let made = |job| move || shown::job(class, job, view);
            let before = before.map(|job| &**job).map(made);
            let after = after.map(|job| &**job).map(made);
            let told = told(*kinds, before, after, Some(owner.clone()));
            self.occurrences.extend(told);
        }
        self.schedules(before, after, &owner);
        self.call(before, after, &owner);
        self.alerts(before, after, &owner);
        self.links_of_job(before, after);
        self.jobs.insert(either.id.clone(), after.cloned());
    }

    /// The record of the call that made a job: it comes and goes with the job, and changes with its end.
    fn call(
        &mut self,
        before: Option<&Arc<JobRecord>>,
        after: Option<&Arc<JobRecord>>,
        owner: &Arc<str>,
    ) {
        let Some((Interest { kinds, .. }, maker)) = &self.classes.call else {
            return;
        };
        let end = |job: &Arc<JobRecord>| job.ended;
        if before.map(end) == after.map(end) {
            return;
        }
        let called = |job: &&Arc<JobRecord>| job.call.is_some();
        let made = |job: &'_ Arc<JobRecord>| {
            let (maker, job) = (maker, job.clone());
            move || maker.record(&job).expect("a call made it")
        };
        let before = before.filter(called).map(made);
        let after = after.filter(called).map(made);
        let told = told(*kinds, before, after, Some(owner.clone()));
        self.occurrences.extend(told);
    }

    /// What of a change of a job somebody should know of.
    fn alerts(
        &mut self,
        before: Option<&Arc<JobRecord>>,
        after: Option<&Arc<JobRecord>>,
        owner: &Arc<str>,
    ) {
        let Some(Interest { class, .. }) = self.classes.alert.clone() else {
            return;
        };
        let full = self.filled(before, after);
        let source = alert::Source {
            class: &class,
            host: self.host,
            namespace: &self.namespace,
        };
        let mut alerts = Vec::new();
        if let (Some(before), Some(after)) = (before, after) {
            alerts = source.of_job(before, after);
        }
        let full = full.map(|view| source.of_full(view));
        for (alert, owner) in alerts
            .into_iter()
            .map(|alert| (alert, Some(owner.clone())))
            .chain(full.map(|alert| (alert, None)))
        {
            match alert {
                Ok(alert) => self.occurrences.push(Occurrence {
                    change: Told::Alert(alert),
                    owner,
                }),
                Err(error) => tracing::error!(%error, "an alert cannot be made"),
            }
        }
    }

    /// The queue that takes no more jobs because of this change.
    fn filled(
        &mut self,
        before: Option<&Arc<JobRecord>>,
        after: Option<&Arc<JobRecord>>,
    ) -> Option<&'a QueueView> {
        let queue = |job: &Arc<JobRecord>| job.spec.queue().to_owned();
        let lives = |job: &&Arc<JobRecord>| !job.state.is_final();
        let (left, joined) = (before.filter(lives), after.filter(lives));
        if left.map(queue) == joined.map(queue) {
            return None;
        }
        if let Some(left) = left {
            *self.lengths.entry(queue(left)).or_default() -= 1;
        }
        let joined = queue(joined?);
        let change = self.lengths.entry(joined.clone()).or_default();
        *change += 1;
        let view = self.before.queues.get(&joined)?;
        let limit = i64::from(view.record.limits.max_jobs);
        (limit != 0 && i64::from(view.jobs) + *change == limit).then_some(view)
    }

    fn schedules<'b>(
        &mut self,
        before: Option<&'b Arc<JobRecord>>,
        after: Option<&'b Arc<JobRecord>>,
        owner: &Arc<str>,
    ) {
        let Some(Interest { class, kinds, .. }) = &self.classes.schedule else {
            return;
        };
        let of = |job: Option<&'b Arc<JobRecord>>, number: u32| {
            let job = job?;
            let schedule = job.schedules.get(number)?;
            Some(move || schedule::shown(class, job, number, schedule))
        };
        let numbers = [before, after].into_iter().flatten();
        let numbers = numbers.flat_map(|job| job.schedules.iter().map(|(number, _)| *number));
        let numbers: std::collections::BTreeSet<u32> = numbers.collect();
        for number in numbers {
            let owner = Some(owner.clone());
            let told = told(*kinds, of(before, number), of(after, number), owner);
            self.occurrences.extend(told);
        }
    }

    fn run(&mut self, row: &RunRow) {
        let key = (row.job.clone(), row.number);
        let recorded = self.before.jobs.get(&row.job).and_then(|job| job.run_row());
        let recorded = recorded.filter(|recorded| recorded.number == row.number);
        let before = self.runs.get(&key).cloned().or(recorded);
        let begins = before.is_none();
        self.runs.insert(key, row.clone());
        if let Some(Interest { class, kinds, .. }) = &self.classes.run {
            let before = before.map(|before| move || run::shown(class, &before));
            let after = Some(|| run::shown(class, row));
            let told = told(*kinds, before, after, Some(row.owner.as_str().into()));
            self.occurrences.extend(told);
        }
        if begins {
            self.joined(row);
        }
    }

    fn queue(&mut self, record: &Arc<QueueRecord>, stays: bool) {
        let before = self.known_queue(&record.name);
        let after = stays.then(|| QueueView {
            record: record.clone(),
            waiting: before.as_ref().map_or(0, |before| before.waiting),
            running: before.as_ref().map_or(0, |before| before.running),
            jobs: before.as_ref().map_or(0, |before| before.jobs),
        });
        if let Some(Interest { class, kinds, .. }) = &self.classes.queue {
            let host = self.host;
            let made = |view| move || queue::shown(host, class, view);
            let (old, new) = (before.as_ref().map(made), after.as_ref().map(made));
            self.occurrences.extend(told(*kinds, old, new, None));
        }
        self.links_of_queue(&record.name, before.is_some(), stays);
        self.queues.insert(record.name.clone(), after);
    }

    fn settings(&mut self, record: &Arc<SettingRecord>, stays: bool) {
        let before = self.known_settings(&record.id);
        let after = stays.then(|| record.clone());
        if let Some(Interest { class, kinds, .. }) = &self.classes.settings {
            let made = |settings| move || setting_data::shown(class, settings);
            let old = before.as_deref().map(made);
            let new = after.as_deref().map(made);
            self.occurrences.extend(told(*kinds, old, new, None));
        }
        self.links_of_settings(before.as_deref(), after.as_deref());
        self.settings.insert(record.id.clone(), after);
    }
}

/// No instance.
const NOTHING: Option<fn() -> Result<Instance>> = None;

/// What changed, where it is of one of `kinds`: nothing is made for others. What looks the same before
/// and after did not change.
fn told(
    kinds: ChangeKinds,
    before: Option<impl FnOnce() -> Result<Instance>>,
    after: Option<impl FnOnce() -> Result<Instance>>,
    owner: Option<Arc<str>>,
) -> Option<Occurrence> {
    let kind = match (&before, &after) {
        (None, None) => return None,
        (None, Some(_)) => ChangeKind::Creation,
        (Some(_), Some(_)) => ChangeKind::Modification,
        (Some(_), None) => ChangeKind::Deletion,
    };
    if !kinds.has(kind) {
        return None;
    }
    let before = before.map(|make| make()).transpose();
    let after = after.map(|make| make()).transpose();
    let change = match (before, after) {
        (Ok(None), Ok(Some(after))) => Told::Created(after),
        (Ok(Some(before)), Ok(None)) => Told::Deleted(before),
        (Ok(Some(before)), Ok(Some(after))) if before != after => Told::Modified { before, after },
        (Ok(Some(_)), Ok(Some(_))) | (Ok(None), Ok(None)) => return None,
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "a change cannot be told");
            return None;
        }
    };
    Some(Occurrence { change, owner })
}

#[cfg(test)]
mod tests;
