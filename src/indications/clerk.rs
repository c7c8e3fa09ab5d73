//! What becomes of subscriptions by themselves: they end, and failing destinations cost them what
//! their policy says.

#![expect(
    clippy::disallowed_methods,
    reason = "subscriptions end by the wall clock"
)]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::model::{CimDateTime, CimValue, Result};

use super::core::{Judgement, Removal};
use super::courier::Fault;
use super::ledger::{Edit, Held, Ledger, Made};
use super::service::Service;
use super::terms::DISABLED;

/// The clock may be set while one waits: it is looked at again at least so often.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Does this for as long as the server runs.
pub async fn serve(service: Arc<Service>, mut faults: mpsc::Receiver<Fault>) {
    loop {
        let end = service.ledger().first_end();
        tokio::select! {
            fault = faults.recv() => match fault {
                Some(fault) => judge(&service, fault).await,
                None => return,
            },
            () = wait(end), if end.is_some() => expire(&service).await,
            () = service.changed.notified() => {}
        }
    }
}

/// The wall clock.
pub(super) fn now() -> DateTime<Utc> {
    Utc::now()
}

async fn wait(end: Option<DateTime<Utc>>) {
    let left = end.map_or(LONGEST_WAIT, |end| {
        (end - Utc::now()).to_std().unwrap_or_default()
    });
    tokio::time::sleep(left.min(LONGEST_WAIT)).await;
}

/// Deletes the subscriptions that have ended.
async fn expire(service: &Arc<Service>) {
    let now = Utc::now();
    let plan = move |ledger: &Ledger| {
        let ended = ledger.ended(now).into_iter();
        Ok((ended.map(Edit::Remove).collect(), ()))
    };
    tell(service.change(now, plan).await).await;
}

/// Applies the policy of every subscription whose destination fails.
async fn judge(service: &Arc<Service>, fault: Fault) {
    let now = Utc::now();
    let plan = move |ledger: &Ledger| {
        let subscriptions = ledger.subscriptions_of(fault.stream);
        let removal = ledger.settings().removal;
        let mut edits = Vec::new();
        for held in &subscriptions {
            edits.extend(judged(held, removal, fault.failing, now)?);
        }
        Ok((edits, ()))
    };
    tell(service.change(now, plan).await).await;
}

fn judged(
    held: &Held,
    removal: Removal,
    failing: Duration,
    now: DateTime<Utc>,
) -> Result<Option<Edit>> {
    let Made::Subscription { terms, .. } = &held.made else {
        return Ok(None);
    };
    match Judgement::of(terms.fault, terms.trigger, removal, failing) {
        Judgement::Keep => Ok(None),
        Judgement::Disable if !terms.enabled => Ok(None),
        Judgement::Disable => {
            let mut held = held.clone();
            let state = CimValue::Uint16(DISABLED);
            held.instance.set("SubscriptionState", state)?;
            let now = CimValue::DateTime(CimDateTime::timestamp(now));
            held.instance.set("TimeOfLastStateChange", now)?;
            if let Made::Subscription { terms, .. } = &mut held.made {
                terms.enabled = false;
            }
            Ok(Some(Edit::Put(held)))
        }
        Judgement::Remove => Ok(Some(Edit::Remove(held.key.clone()))),
    }
}

/// The store takes nothing for now: the pause keeps a failing one from being asked all the time.
async fn tell(done: Result<()>) {
    if let Err(error) = done {
        tracing::error!(%error, "a subscription could not be changed");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
