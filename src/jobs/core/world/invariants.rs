//! What must hold after every step of a program, judged by what is on the disk.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

impl World {
    pub(in super::super) fn check(&self) {
        for id in &self.acknowledged {
            assert!(
                self.disk.contains_key(id) || self.removed.contains(id),
                "{id} was accepted and is lost"
            );
        }
        let memory: BTreeMap<_, _> = self
            .scheduler
            .jobs()
            .map(|job| (job.id.clone(), job.revision))
            .collect();
        let disk: BTreeMap<_, _> = self
            .disk
            .values()
            .map(|job| (job.id.clone(), job.revision))
            .collect();
        assert_eq!(memory, disk, "memory and disk agree");
        self.check_dependencies();
        self.check_settings();
        for job in self.disk.values() {
            let (open, begun) = (&job.recovery.open, job.repairs().is_some());
            let ended = job.state.is_final() && (begun || !open.is_empty());
            assert!(
                !ended,
                "{} has ended and has failed runs to run for",
                job.id
            );
            assert!(
                job.has_process() || !begun,
                "{} runs for one without a run",
                job.id
            );
            let action = job.spec.recovery_action();
            let told = job.recovery.trouble.is_none() || matches!(action, 1 | 5);
            assert!(told, "{} is not to be recovered", job.id);
        }
        for view in self.scheduler.queue_views() {
            let name = &view.record.name;
            assert_eq!(self.queues.get(name), Some(&view.record), "queues agree");
            let on_it = self.scheduler.jobs();
            let on_it = on_it.filter(|job| job.spec.queue() == *name && !job.state.is_final());
            let (mut jobs, mut running, mut waiting) = (0, 0, 0);
            for job in on_it {
                jobs += 1;
                running += u32::from(holds_slot(job));
                waiting += u32::from(job.ready.is_some());
            }
            let counted = (view.jobs, view.running, view.waiting);
            assert_eq!(counted, (jobs, running, waiting), "the numbers of {name}");
        }
    }

    /// Jobs that wait for each other would wait for ever, and so would those that wait for one
    /// that is gone.
    fn check_dependencies(&self) {
        let waits = |job: &&Arc<JobRecord>| !job.awaited.is_empty();
        let mut open: BTreeMap<&JobId, BTreeSet<&JobId>> = BTreeMap::new();
        for job in self.disk.values().filter(waits) {
            assert!(!job.state.is_final(), "{} has ended and waits", job.id);
            assert_eq!(job.ready, None, "{} waits and is ready", job.id);
            let awaited: BTreeSet<_> = job.awaited.iter().map(|entry| &entry.job).collect();
            for other in &awaited {
                let other = self.disk.get(*other).expect("what is awaited is there");
                assert!(!other.state.is_final(), "{} is over", other.id);
            }
            open.insert(&job.id, awaited);
        }
        while !open.is_empty() {
            let blocked =
                |awaited: &BTreeSet<&JobId>| awaited.iter().any(|other| open.contains_key(other));
            let next = open.iter().find(|(_, awaited)| !blocked(awaited));
            let next = next.map(|(id, _)| *id);
            let next = next.expect("no jobs wait for each other in a circle");
            open.remove(next);
        }
    }
}
