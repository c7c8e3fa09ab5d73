//! The associations of the engine that come and go with what they link.
//!
//! A pair is there while what it comes with is there and both its ends are. So it may go with either end:
//! a dependency goes with the job that waits, and with the job that it waits for.

use std::sync::Arc;

use crate::model::Namespace;
use crate::provider::{Interest, Occurrence};
use crate::store::Gone;

use super::super::super::core::{Change, JobId, JobRecord, RunRow, SettingRecord};
use super::super::super::engine::Snapshot;
use super::super::super::links::Links;
use super::super::elements::{Element, Ground};
use super::super::link::{Link, Pair};
use super::super::statistics;
use super::{Account, NOTHING, Teller, told};

/// Owns nothing, and no account has this name: what links things of two owners only those hear of who may
/// see everything, as only they see it.
const NOBODY: &str = "";

/// The associations that anybody wants to hear of.
pub(super) struct Associations {
    watched: Vec<(Arc<dyn Link>, Interest)>,
    statistics: Option<Interest>,
    /// Which jobs name which, as this step has left it.
    links: Links,
}

impl Associations {
    pub(super) fn of(teller: &Teller, namespace: &Namespace, before: &Snapshot) -> Self {
        let interest = |class| teller.observer.interest(namespace, class);
        let watched = |link: &Arc<dyn Link>| Some((link.clone(), interest(link.class())?));
        Self {
            watched: teller.links.iter().filter_map(watched).collect(),
            statistics: interest(statistics::CLASS),
            links: before.links.clone(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watched.is_empty() && self.statistics.is_none()
    }

    pub(super) fn apply(&mut self, change: &Change) {
        if !self.watched.is_empty() {
            self.links.apply(change);
        }
    }
}

impl Teller {
    /// The runs that are no longer linked with a job: either of them is gone.
    pub(super) fn parted(
        &self,
        gone: &Gone,
        before: &Snapshot,
        namespace: &Namespace,
    ) -> Vec<Occurrence> {
        let interest = self.observer.interest(namespace, statistics::CLASS);
        let Some(interest) = interest else {
            return Vec::new();
        };
        let runs = gone.runs.iter().chain(&gone.orphans);
        let runs = runs.filter(|row| before.jobs.contains_key(&row.job));
        let told = runs.filter_map(|row| {
            let linked = || statistics::linked((namespace, &interest).into(), row);
            let owner = Some(row.owner.as_str().into());
            told(interest.kinds, Some(linked), NOTHING, owner)
        });
        told.collect()
    }
}

impl<'a> From<(&'a Namespace, &'a Interest)> for Ground<'a> {
    fn from((namespace, interest): (&'a Namespace, &'a Interest)) -> Self {
        Self {
            namespace,
            schema: &interest.schema,
        }
    }
}

impl Account<'_> {
    /// A run is linked with its job from its start.
    pub(super) fn joined(&mut self, row: &RunRow) {
        let Some(interest) = &self.associations.statistics else {
            return;
        };
        let linked = || statistics::linked((&self.namespace, interest).into(), row);
        let owner = Some(row.owner.as_str().into());
        let told = told(interest.kinds, NOTHING, Some(linked), owner);
        self.occurrences.extend(told);
    }

    /// What links a job with other things.
    pub(super) fn links_of_job(
        &mut self,
        before: Option<&Arc<JobRecord>>,
        after: Option<&Arc<JobRecord>>,
    ) {
        let Some(either) = after.or(before) else {
            return;
        };
        let mut found = Vec::new();
        for (link, interest) in &self.associations.watched {
            let pairs = |job: &Arc<JobRecord>| {
                let mut pairs = link.of_job(job);
                pairs.retain(|pair| self.has_others(pair, &job.id));
                pairs
            };
            let (old, new) = (before.map(pairs), after.map(pairs));
            self.compare((&**link, interest), old, new, (either, &mut found));
            if before.is_some() == after.is_some() {
                continue;
            }
            let own = Element::Job(either.id.clone());
            for other in link.pointing_to(&self.associations.links, &either.id) {
                let Some(job) = self.known(&other).filter(|_| other != either.id) else {
                    continue;
                };
                let mut pairs = link.of_job(&job);
                pairs.retain(|pair| pair.ends.contains(&own));
                let old = before.map(|_| pairs.clone());
                let new = after.map(|_| pairs);
                self.compare((&**link, interest), old, new, (either, &mut found));
            }
        }
        self.occurrences.extend(found);
    }

    /// What links a queue with other things.
    pub(super) fn links_of_queue(&mut self, name: &str, was: bool, stays: bool) {
        let mut found = Vec::new();
        for (link, interest) in &self.associations.watched {
            let watched = (&**link, interest);
            let pairs = || link.of_queue(name);
            let (old, new) = (was.then(pairs), stays.then(pairs));
            self.differ(watched, old, new, |_| None, &mut found);
            if was != stays {
                let own = Element::Queue(name.to_owned());
                self.links_with_jobs(watched, &own, stays, &mut found);
            }
        }
        self.occurrences.extend(found);
    }

    /// What links settings with what goes by them.
    pub(super) fn links_of_settings(
        &mut self,
        before: Option<&SettingRecord>,
        after: Option<&SettingRecord>,
    ) {
        let Some(either) = after.or(before) else {
            return;
        };
        let mut found = Vec::new();
        for (link, interest) in &self.associations.watched {
            let watched = (&**link, interest);
            let pairs = |settings| link.of_settings(settings);
            let (old, new) = (before.map(pairs), after.map(pairs));
            self.differ(watched, old, new, |_| None, &mut found);
            if before.is_some() != after.is_some() {
                let own = Element::Setting(either.id.clone());
                self.links_with_jobs(watched, &own, after.is_some(), &mut found);
            }
        }
        self.occurrences.extend(found);
    }

    /// The pairs that come with jobs and have `end`, which comes or goes.
    fn links_with_jobs(
        &self,
        watched: (&dyn Link, &Interest),
        end: &Element,
        comes: bool,
        found: &mut Vec<Occurrence>,
    ) {
        let (link, _) = watched;
        let Some(leads) = link.leading_to(end) else {
            return;
        };
        let unchanged = self.before.jobs.iter();
        let unchanged = unchanged.filter(|(id, _)| !self.jobs.contains_key(*id));
        let changed = self.jobs.values().flatten();
        let jobs = unchanged.map(|(_, job)| job).chain(changed);
        for job in jobs.filter(|job| leads(job)) {
            let mut pairs = link.of_job(job);
            pairs.retain(|pair| pair.ends.contains(end));
            let (old, new) = if comes {
                (None, Some(pairs))
            } else {
                (Some(pairs), None)
            };
            self.compare(watched, old, new, (job, found));
        }
    }

    /// Whether the ends of a pair that are not the job `own`, or a part of it, are there.
    fn has_others(&self, pair: &Pair, own: &JobId) -> bool {
        pair.ends.iter().all(|end| match end {
            Element::Job(id) | Element::Call(id) => id == own || self.known(id).is_some(),
            Element::Setting(id) => self.known_settings(id).is_some(),
            Element::Queue(name) => self.known_queue(name).is_some(),
            Element::Run(..)
            | Element::Schedule(..)
            | Element::Service
            | Element::System
            | Element::Capabilities => true,
        })
    }

    /// Tells how the pairs that come with `job`, or have it as an end, differ.
    fn compare(
        &self,
        watched: (&dyn Link, &Interest),
        before: Option<Vec<Pair>>,
        after: Option<Vec<Pair>>,
        (job, found): (&JobRecord, &mut Vec<Occurrence>),
    ) {
        let owner = |pair: &Pair| Some(self.owner_of(pair, job));
        self.differ(watched, before, after, owner, found);
    }

    /// Whose a pair is, one of whose ends is `job` or a part of it.
    fn owner_of(&self, pair: &Pair, job: &JobRecord) -> Arc<str> {
        let others = pair.ends.iter().filter_map(Element::job);
        let mut others = others.filter(|id| **id != job.id);
        let is_other = |id: &JobId| {
            let other = self.known(id);
            other.is_none_or(|other| other.owner.name != job.owner.name)
        };
        if others.any(is_other) {
            NOBODY.into()
        } else {
            job.owner.name.as_str().into()
        }
    }

    /// Tells how the pairs of a link differ.
    fn differ(
        &self,
        (link, interest): (&dyn Link, &Interest),
        before: Option<Vec<Pair>>,
        after: Option<Vec<Pair>>,
        owner: impl Fn(&Pair) -> Option<Arc<str>>,
        found: &mut Vec<Occurrence>,
    ) {
        let (before, mut after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let made = |pair: &Pair| {
            let pair = pair.clone();
            let ground = (&self.namespace, interest).into();
            move || pair.instance(link, &interest.class, ground, self.host)
        };
        for old in &before {
            let place = after.iter().position(|new| new.ends == old.ends);
            let new = place.map(|place| after.swap_remove(place));
            if new.as_ref() == Some(old) {
                continue;
            }
            let new = new.as_ref().map(made);
            found.extend(told(interest.kinds, Some(made(old)), new, owner(old)));
        }
        for new in &after {
            found.extend(told(interest.kinds, NOTHING, Some(made(new)), owner(new)));
        }
    }
}
