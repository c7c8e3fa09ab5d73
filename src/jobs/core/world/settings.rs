//! Settings of jobs in the simulated world: what is durable of them, and what they must say of a job.

use super::*;

/// The id of one of few settings.
pub(super) fn id_of(settings: u8) -> String {
    format!("settings-{settings}")
}

impl World {
    pub(super) fn order_setting(&mut self, settings: u8, order: SettingOrder) {
        let (ticket, id) = (self.ticket(), id_of(settings));
        self.handle(Event::Setting { ticket, id, order });
    }

    pub(super) fn keep_setting(&mut self, settings: Arc<SettingRecord>) {
        self.settings.insert(settings.id.clone(), settings);
    }

    pub(super) fn drop_setting(&mut self, settings: &SettingRecord) {
        assert!(self.settings.remove(&settings.id).is_some());
    }

    /// What a new job says is what the nearest one said who said anything, or else the default.
    pub(super) fn check_settled(&self, job: &JobRecord) {
        let Some((_, given)) = self.given.as_ref().filter(|(id, _)| *id == job.id) else {
            return;
        };
        let fields = job.spec.fields();
        let of = |target: &Target| {
            let mut all = self.settings.values();
            all.find(|settings| settings.targets.contains(target))
        };
        let named = fields.setting_id.as_ref();
        let named = named.map(|id| self.settings.get(id).expect("only known ones are accepted"));
        let queue = of(&Target::Queue(job.spec.queue().to_owned()));
        let further = [named, queue, of(&Target::Service)];
        let further = further.into_iter().flatten().map(|known| &known.values);
        let said: Vec<&SettingValues> = std::iter::once(given).chain(further).collect();
        let delete = said.iter().find_map(|it| it.delete_on_completion);
        assert_eq!(fields.delete_on_completion, delete.or(Some(false)));
        let keep = said.iter().find_map(|it| it.time_before_removal);
        let five_minutes = CimDateTime::interval(TimeDelta::minutes(5));
        assert_eq!(fields.time_before_removal, keep.or(Some(five_minutes)));
        let retries = said.iter().find_map(|it| it.max_retries);
        assert_eq!(fields.max_retries, retries.or(Some(3)));
        // The hook belongs to the action that names it.
        let action = said.iter().find(|it| it.recovery_action.is_some());
        let hook = action.and_then(|it| it.other_recovery_action.as_ref());
        let action = action.and_then(|it| it.recovery_action);
        let found = (fields.recovery_action, &fields.other_recovery_action);
        assert_eq!(found, (action, &hook.cloned()), "{}", job.id);
    }

    /// Memory and disk agree, and no element has two settings or is gone.
    pub(super) fn check_settings(&self) {
        let memory = self.scheduler.settings().iter();
        let memory: BTreeMap<_, _> = memory.map(|(id, it)| (id.clone(), it.clone())).collect();
        assert_eq!(memory, self.settings, "settings agree");
        let mut taken = BTreeSet::new();
        for target in self.settings.values().flat_map(|it| &it.targets) {
            assert!(taken.insert(target), "{target:?} has two settings");
            if let Target::Queue(name) = target {
                assert!(self.queues.contains_key(name), "{name} is gone");
            }
        }
    }
}
