//! What of a change of the ledger others are told: the objects, and what comes and goes with them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::model::{Instance, Result};
use crate::provider::{Change, ChangeKind, Observer, Occurrence, StreamId};
use crate::store::StreamRow;

use super::ledger::{Edit, Held, Ledger};
use super::links::{Home, LINKS};
use super::service::{Service, failed};
use super::statistics;

/// What others may be told of `edits` of the ledger as it is before them; new destinations begin with
/// the sequence `context`.
///
/// # Errors
/// When numbers that somebody wants to hear of cannot be read.
pub async fn occurrences(
    service: &Service,
    (before, edits): (&Ledger, &[Edit]),
    context: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Occurrence>> {
    let scene = Scene {
        service,
        home: service.home(),
        rows: rows(service, before, edits).await?,
        context,
        now,
    };
    let mut all = Vec::new();
    for edit in edits {
        scene.tell(before, edit, &mut all)?;
    }
    Ok(all)
}

/// The numbers of the destinations that go, where somebody wants to hear of them.
async fn rows(
    service: &Service,
    before: &Ledger,
    edits: &[Edit],
) -> Result<HashMap<StreamId, StreamRow>> {
    let is_destination = |edit: &Edit| match edit {
        Edit::Remove(key) => before.get(key).is_some_and(|held| held.stream().is_some()),
        Edit::Put(_) => false,
    };
    let home = &service.workshop.home.name;
    if !edits.iter().any(is_destination) || service.interest(home, statistics::CLASS).is_none() {
        return Ok(HashMap::new());
    }
    let rows = service.writer.run(|store| store.streams()).await;
    let rows = rows.map_err(|error| failed(&error))?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

struct Scene<'a> {
    service: &'a Service,
    home: Home<'a>,
    rows: HashMap<StreamId, StreamRow>,
    context: &'a str,
    now: DateTime<Utc>,
}

impl Scene<'_> {
    fn tell(&self, before: &Ledger, edit: &Edit, all: &mut Vec<Occurrence>) -> Result<()> {
        let (key, after) = match edit {
            Edit::Put(held) => (&held.key, Some(held)),
            Edit::Remove(key) => (key, None),
        };
        let before = before.get(key).map(|held| &**held);
        let owner = after.or(before).and_then(|held| held.owner.as_ref());
        let owner = owner.map(|owner| owner.name.clone());
        let occurrence = |change| Occurrence {
            change,
            owner: owner.clone(),
        };
        match (before, after) {
            (None, Some(after)) => {
                all.push(occurrence(Change::Created(without_secrets(after))));
                let more = self.companions(after, ChangeKind::Creation)?;
                all.extend(more.into_iter().map(Change::Created).map(occurrence));
            }
            (Some(before), Some(after)) => all.push(occurrence(Change::Modified {
                before: without_secrets(before),
                after: without_secrets(after),
            })),
            (Some(before), None) => {
                let more = self.companions(before, ChangeKind::Deletion)?;
                all.extend(more.into_iter().rev().map(Change::Deleted).map(occurrence));
                all.push(occurrence(Change::Deleted(without_secrets(before))));
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// What comes and goes with an object, as far as somebody wants to hear of it.
    fn companions(&self, held: &Held, kind: ChangeKind) -> Result<Vec<Instance>> {
        let wanted = |class| {
            let interest = self.service.interest(self.home.namespace, class)?;
            interest.kinds.has(kind).then_some(interest.class)
        };
        let mut all = Vec::new();
        if let Some(stream) = held.stream()
            && let Some(class) = wanted(statistics::CLASS)
        {
            let new = StreamRow {
                id: stream,
                destination: held.key.as_str().to_owned(),
                context: self.context.to_owned(),
                queued: 0,
                bytes: 0,
                delivered: 0,
                dropped: 0,
            };
            // Of a new one there is no row yet.
            let row = self.rows.get(&stream).unwrap_or(&new);
            let trouble = self.service.couriers.trouble(stream);
            let trouble = trouble.as_ref().map(|text| text.as_str());
            all.push(statistics::numbers(&class, held, (row, trouble), self.now)?);
        }
        for link in &LINKS {
            let made = wanted(link.class).and_then(|class| link.instance(&class, &self.home, held));
            all.extend(made.transpose()?);
        }
        Ok(all)
    }
}

/// The instance without what is never shown.
pub fn without_secrets(held: &Held) -> Instance {
    let mut instance = held.instance.clone();
    for slot in 0..instance.class.properties.len() {
        let property = instance.class.properties.at(slot);
        if property.is_some_and(|property| !property.read) {
            instance.clear(slot);
        }
    }
    instance
}
