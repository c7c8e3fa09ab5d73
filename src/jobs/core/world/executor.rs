//! The simulated executor: runs that come and go, and the ledger of what was ever let run.

use std::collections::BTreeSet;

use super::*;

impl World {
    pub(super) fn news(&mut self, id: JobId, run: u32, news: RunNews) {
        self.handle(Event::Run { id, run, news });
    }

    pub(super) fn work(&mut self) {
        if self.asked.is_empty() {
            return;
        }
        match self.asked.remove(0) {
            Action::Prepare(job) => {
                let run = job.run.as_ref().expect("a run is prepared").number;
                let key = (job.id.clone(), run);
                assert!(self.processes.insert(key, Process::Prepared).is_none());
                self.news(
                    job.id.clone(),
                    run,
                    RunNews::Prepared("identity".to_owned()),
                );
            }
            Action::Release(id, run) => {
                let key = (id.clone(), run);
                assert_eq!(self.processes.get(&key), Some(&Process::Prepared));
                self.let_run(key);
                self.news(id, run, RunNews::Running(Some(run)));
            }
            Action::Abandon(id, run) => {
                let process = self.processes.remove(&(id, run));
                assert_ne!(
                    process,
                    Some(Process::Running),
                    "a running run is not abandoned"
                );
            }
            Action::Signal(id, run, signal) => self.signal(&id, run, signal),
            Action::Persist(_) | Action::Show(_) | Action::Acknowledge(..) | Action::Reply(..) => {
                unreachable!()
            }
        }
    }

    pub(super) fn let_run(&mut self, key: (JobId, u32)) {
        let stored = self.disk.get(&key.0).expect("what runs is on the disk");
        let run = stored.run.as_ref().expect("with its run");
        assert_eq!(
            (run.number, run.phase),
            (key.1, Phase::Released),
            "recorded before it runs"
        );
        let alive = self.processes.iter().filter(|((id, _), process)| {
            *id == key.0 && matches!(process, Process::Running | Process::Stopped)
        });
        assert_eq!(alive.count(), 0, "{} runs twice at a time", key.0);
        assert!(
            self.ran.insert(key.clone()),
            "{} runs twice under one number",
            key.0
        );
        if let Some(failed) = stored.repairs() {
            let key = (failed.job.clone(), failed.run);
            assert!(self.repaired.insert(key), "{failed:?} is run for twice");
        }
        let runs = self.ran.iter().filter(|(id, _)| *id == key.0).count();
        let most = self.most_runs(stored);
        assert!(runs <= most, "{} was to run at most {most} times", key.0);
        self.processes.insert(key, Process::Running);
    }

    /// How many runs of a job there can be reason for.
    pub(super) fn most_runs(&self, job: &JobRecord) -> usize {
        let tables = self.tables.get(&job.id).into_iter().flatten();
        let times = tables.flat_map(|table| {
            let times = table.after(job.submitted);
            times.take_while(|time| *time <= self.latest)
        });
        let times = times.collect::<BTreeSet<_>>().len();
        let by_hand = self.by_hand.get(&job.id).copied().unwrap_or_default();
        let once = usize::from(self.once.contains(&job.id));
        let recurs = self.tables.contains_key(&job.id);
        let limit = job.spec.run_limit().filter(|_| recurs);
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        let reasons = if recurs {
            (times + by_hand + once).min(limit)
        } else {
            once
        };
        let each = if job.spec.recovery_action() == 4 {
            3
        } else {
            1
        };
        let repairs = self.repairs.values().filter(|by| **by == job.id).count();
        reasons * each + repairs
    }

    pub(super) fn signal(&mut self, id: &JobId, run: u32, signal: Signal) {
        let key = (id.clone(), run);
        let process = self.processes.get(&key).copied();
        let alive = matches!(process, Some(Process::Running | Process::Stopped));
        let next = match signal {
            _ if !alive => None,
            Signal::Suspend => Some(Process::Stopped),
            Signal::Continue => Some(Process::Running),
            Signal::Terminate => None,
            Signal::Kill => Some(Process::Over(137)),
        };
        if let Some(next) = next {
            self.processes.insert(key.clone(), next);
        }
        self.news(
            id.clone(),
            run,
            RunNews::Signalled {
                signal,
                delivered: alive,
            },
        );
        if alive && signal == Signal::Kill {
            self.news(id.clone(), run, ended(Exit::Signal(9)));
        }
    }

    pub(super) fn end(&mut self, n: usize, status: u8) {
        let running: Vec<_> = self
            .processes
            .iter()
            .filter(|(_, p)| **p == Process::Running)
            .collect();
        let Some(key) = running
            .get(n % running.len().max(1))
            .map(|(key, _)| (*key).clone())
        else {
            return;
        };
        self.processes.insert(key.clone(), Process::Over(status));
        self.news(key.0, key.1, ended(Exit::Code(status)));
    }

    pub(super) fn progress(&mut self, n: usize, percent: u8) {
        let running: Vec<_> = self.processes.keys().cloned().collect();
        if let Some((id, run)) = running.get(n % running.len().max(1)).cloned() {
            self.news(
                id,
                run,
                RunNews::Progress {
                    percent: Some(percent),
                    text: None,
                },
            );
        }
    }
}
