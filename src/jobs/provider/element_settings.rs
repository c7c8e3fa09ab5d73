//! CIM_ElementSettingData: the settings that an element goes by.

use crate::model::{CimError, Instance, Result};
use crate::ops::BoxFuture;
use crate::provider::Context;

use super::super::core::{JobRecord, SettingOrder, SettingRecord, Target};
use super::super::engine::Engine;
use super::elements::Element;
use super::failure;
use super::link::{Leads, Link, Pair};
use super::queue::administrators_only;

/// The schedules of jobs, the settings that jobs name, and those of queues and of the service.
pub(super) struct ElementSettingData;

/// `IsDefault`, `IsCurrent` and `IsNext` have 1 for yes and 2 for no.
fn pair(element: Element, settings: Element, is_default: bool) -> Pair {
    let is_default = if is_default { 1_u16 } else { 2 };
    Pair {
        ends: [element, settings],
        values: vec![
            ("IsDefault", is_default.into()),
            ("IsCurrent", 1_u16.into()),
            ("IsNext", 1_u16.into()),
        ],
    }
}

impl Link for ElementSettingData {
    fn class(&self) -> &'static str {
        "CIM_ElementSettingData"
    }

    fn roles(&self) -> [&'static str; 2] {
        ["ManagedElement", "SettingData"]
    }

    fn of_job(&self, job: &JobRecord) -> Vec<Pair> {
        let own = || Element::Job(job.id.clone());
        let schedules = job.schedules.iter();
        let schedules = schedules.map(|(number, _)| Element::Schedule(job.id.clone(), *number));
        let named = job.spec.setting_id().map(str::to_owned);
        let named = named.map(Element::Setting);
        let settings = schedules.chain(named);
        settings
            .map(|settings| pair(own(), settings, false))
            .collect()
    }

    fn leading_to<'a>(&self, end: &'a Element) -> Option<Leads<'a>> {
        let Element::Setting(id) = end else {
            return None;
        };
        Some(Box::new(move |job| job.spec.setting_id() == Some(id)))
    }

    fn of_settings(&self, settings: &SettingRecord) -> Vec<Pair> {
        let element = |target: &Target| match target {
            Target::Service => Element::Service,
            Target::Queue(name) => Element::Queue(name.clone()),
        };
        let own = || Element::Setting(settings.id.clone());
        let targets = settings.targets.iter();
        targets
            .map(|target| pair(element(target), own(), true))
            .collect()
    }

    fn permit(&self, cx: &Context) -> Result<()> {
        administrators_only(cx)
    }

    fn create<'a>(
        &'a self,
        (_, engine): (&'a Context, &'a Engine),
        ends: [Element; 2],
        _instance: &'a Instance,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(order(engine, ends, SettingOrder::Attach))
    }

    fn delete<'a>(
        &'a self,
        (_, engine): (&'a Context, &'a Engine),
        ends: [Element; 2],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(order(engine, ends, SettingOrder::Detach))
    }
}

async fn order(
    engine: &Engine,
    ends: [Element; 2],
    order: fn(Target) -> SettingOrder,
) -> Result<()> {
    let (target, id) = match ends {
        [Element::Service, Element::Setting(id)] => (Target::Service, id),
        [Element::Queue(name), Element::Setting(id)] => (Target::Queue(name), id),
        _ => {
            let text = "a job takes its settings when it is submitted (JW_Job.SettingID), and its \
                        schedules with JW_JobSchedule";
            return Err(CimError::not_supported(text));
        }
    };
    let done = engine.order_setting(&id, order(target)).await;
    done.map_err(|error| failure::cim(&error))
}
