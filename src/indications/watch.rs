//! What is watched: filters with their subscriptions, found by the kind of a change and by the class of
//! what changes.
//!
//! The class after `FROM` says of which kinds of changes a filter wants to hear, and its condition of which
//! classes (`SourceInstance ISA …`): only filters on the kind of a change, and on its class or one of its
//! superclasses, are asked about it. One filter is asked once, however many subscriptions it has.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::cimxml::encode_indication;
use crate::model::{CimName, CimValue, Class, Instance, Namespace, Result};
use crate::provider::{
    Change, ChangeKind, ChangeKinds, Notice, Notices, Occurrence, Pledge, StreamId,
};
use crate::query::{Circumstances, Query};
use crate::schema::Schema;

use super::core::{Repeat, RepeatPolicy, Step};

/// One subscription, as far as producing indications goes.
#[derive(Debug)]
pub struct Subscriber {
    /// The queue of its destination.
    pub stream: StreamId,
    /// When `SubscriptionDuration` is over.
    pub until: Option<DateTime<Utc>>,
    /// Whose it is, so that it hears what that principal may see; `None` when it is the server's.
    hearer: Option<Hearer>,
    /// Changes are judged one after the other, and each judgement takes moments.
    repeat: Arc<Mutex<Repeat>>,
    produced: Arc<Mutex<Option<Produced>>>,
}

/// Whether the account of that name may hear of everything, at this moment.
pub type Rights = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// On whose behalf a subscription hears. What the account may is asked each time: it may have less than
/// when the subscription was made.
#[derive(Clone)]
pub struct Hearer {
    /// The name of the account.
    pub name: Arc<str>,
    /// What it may.
    pub rights: Rights,
}

impl fmt::Debug for Hearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hearer").field(&self.name).finish()
    }
}

impl Hearer {
    fn may_hear_of(&self, owner: &str) -> bool {
        *self.name == *owner || (self.rights)(&self.name)
    }
}

/// The newest indication made for a subscription, delivered or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Produced {
    /// `IndicationIdentifier`.
    pub identifier: Arc<str>,
    /// When.
    pub time: DateTime<Utc>,
}

impl Subscriber {
    /// A subscription that has seen nothing yet, and hears what `hearer` may hear.
    pub fn new(
        stream: StreamId,
        until: Option<DateTime<Utc>>,
        policy: RepeatPolicy,
        hearer: Option<Hearer>,
    ) -> Self {
        Self {
            stream,
            until,
            hearer,
            repeat: Arc::new(Mutex::new(Repeat::new(policy))),
            produced: Arc::default(),
        }
    }

    /// This one in the place of `before`, which it was before a client changed it: what was produced is
    /// one memory, and so is what repeats while their policy is the same.
    #[must_use]
    pub fn following(&self, before: &Self) -> Self {
        let is_same = self.policy() == before.policy();
        Self {
            stream: self.stream,
            until: self.until,
            hearer: self.hearer.clone(),
            repeat: if is_same {
                &before.repeat
            } else {
                &self.repeat
            }
            .clone(),
            produced: before.produced.clone(),
        }
    }

    fn policy(&self) -> RepeatPolicy {
        let repeat = self.repeat.lock().unwrap_or_else(PoisonError::into_inner);
        repeat.policy()
    }

    /// The newest indication that was made for it since the server started.
    pub fn produced(&self) -> Option<Produced> {
        let produced = self.produced.lock();
        produced.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it gets an indication of `event`, and what it remembers of having been asked.
    fn takes(&self, owner: Option<&str>, event: u64, now: DateTime<Utc>) -> (bool, Option<Step>) {
        let foreign = match (&self.hearer, owner) {
            (Some(hearer), Some(owner)) => !hearer.may_hear_of(owner),
            (None, _) | (_, None) => false,
        };
        if foreign || self.until.is_some_and(|until| until <= now) {
            return (false, None);
        }
        let since = Duration::from_micros(now.timestamp_micros().unsigned_abs());
        let mut repeat = self.repeat.lock().unwrap_or_else(PoisonError::into_inner);
        repeat.judge(event, since)
    }

    fn remember(&self, produced: Produced) {
        let mut last = self.produced.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(produced);
    }

    fn undo(&self, step: Step) {
        let mut repeat = self.repeat.lock().unwrap_or_else(PoisonError::into_inner);
        repeat.undo(step);
    }
}

/// What a subscription remembers of an indication until it is known whether its change happened.
struct Remembered {
    subscriber: Arc<Subscriber>,
    step: Option<Step>,
    produced: Option<Produced>,
}

impl Pledge for Remembered {
    fn settle(self: Box<Self>, committed: bool) {
        match (committed, self.produced, self.step) {
            (true, Some(produced), _) => self.subscriber.remember(produced),
            (false, _, Some(step)) => self.subscriber.undo(step),
            (true, None, _) | (false, _, None) => {}
        }
    }
}

/// A query as it is asked in one namespace.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The namespace.
    pub namespace: Namespace,
    /// The query, compiled for that namespace.
    pub query: Arc<Query>,
    /// The kinds of changes that its class is about.
    pub kinds: ChangeKinds,
}

/// The kinds of changes whose indications may be of `class`, which stands after `FROM`.
pub fn selected(class: &Class, schema: &Schema) -> ChangeKinds {
    let is_selected = |kind: &ChangeKind| {
        let Some(own) = schema.class(kind.class_name()) else {
            return false;
        };
        // An alert is of whatever class its source gave it.
        let is_below = *kind == ChangeKind::Alert && class.is_a(own.name.as_str());
        is_below || own.is_a(class.name.as_str())
    };
    ChangeKind::ALL.into_iter().filter(is_selected).collect()
}

/// A filter with who subscribed to it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// `Name` of the filter.
    pub name: Arc<str>,
    /// What it asks in one of its namespaces.
    pub asked: Asked,
    /// Who gets what it selects.
    pub subscribers: Vec<Arc<Subscriber>>,
}

/// What is watched in one namespace.
#[derive(Debug, Default)]
struct Shelf {
    filters: Vec<Watched>,
    /// The filters on each kind of change.
    kinds: [Index; ChangeKind::ALL.len()],
}

/// The filters on one kind of change, by their numbers.
#[derive(Debug, Default)]
struct Index {
    /// By the classes that their conditions name, or for alerts by the class after `FROM`.
    by_class: HashMap<CimName, Vec<usize>>,
    /// Those that may be about any class.
    others: Vec<usize>,
}

impl Index {
    fn add(&mut self, filter: usize, classes: Option<&[CimName]>) {
        match classes {
            None => self.others.push(filter),
            Some(classes) => {
                for class in classes {
                    let filters = self.by_class.entry(class.clone()).or_default();
                    filters.push(filter);
                }
            }
        }
    }

    fn has_any(&self, class: &Class) -> bool {
        !self.others.is_empty() || line(class).any(|name| self.by_class.contains_key(name))
    }

    /// The filters that a change of something of `class` may concern, each once.
    fn about(&self, class: &Class) -> Vec<usize> {
        let named = line(class).filter_map(|name| self.by_class.get(name));
        let mut found: Vec<usize> = named.chain([&self.others]).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Shelf {
    fn add(&mut self, filter: Watched) {
        let number = self.filters.len();
        let Asked { query, kinds, .. } = &filter.asked;
        for kind in ChangeKind::ALL.into_iter().filter(|kind| kinds.has(*kind)) {
            let classes = match kind {
                ChangeKind::Creation
                | ChangeKind::Modification
                | ChangeKind::Deletion
                | ChangeKind::MethodCall => query.sources.as_deref(),
                ChangeKind::ClassCreation
                | ChangeKind::ClassModification
                | ChangeKind::ClassDeletion => None,
                ChangeKind::Alert => Some(std::slice::from_ref(&query.class.name)),
            };
            self.kinds[kind as usize].add(number, classes);
        }
        self.filters.push(filter);
    }
}

/// Everything that is watched.
#[derive(Debug, Default)]
pub struct Watch {
    namespaces: HashMap<Namespace, Shelf>,
    /// Tells events apart; what it makes of one event differs from run to run.
    hasher: RandomState,
}

impl Watch {
    /// The filters.
    pub fn new(filters: impl IntoIterator<Item = Watched>) -> Self {
        let mut watch = Self::default();
        for watched in filters {
            let namespace = watched.asked.namespace.clone();
            watch.namespaces.entry(namespace).or_default().add(watched);
        }
        watch
    }

    /// This one in the place of `before`: events are told apart alike, so that what subscriptions remember
    /// of them holds on.
    #[must_use]
    pub fn following(mut self, before: &Self) -> Self {
        self.hasher = before.hasher.clone();
        self
    }

    /// The kinds of changes of instances of `class` that any filter may select.
    pub fn interest(&self, namespace: &Namespace, class: &Class) -> ChangeKinds {
        let Some(shelf) = self.namespaces.get(namespace) else {
            return ChangeKinds::default();
        };
        let of_interest = |kind: &ChangeKind| shelf.kinds[*kind as usize].has_any(class);
        ChangeKind::ALL.into_iter().filter(of_interest).collect()
    }

    /// Whether nothing is watched at all.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
    }

    /// The notices of `occurrence`, whose indication `make` gives when it is needed.
    ///
    /// # Errors
    /// When the indication cannot be made, or not be encoded; there are no notices of it then.
    pub fn notices(
        &self,
        namespace: &Namespace,
        occurrence: &Occurrence,
        now: DateTime<Utc>,
        make: impl FnOnce() -> Option<Result<Instance>>,
    ) -> Result<Notices> {
        let Some(shelf) = self.namespaces.get(namespace) else {
            return Ok(Notices::default());
        };
        let Occurrence { change, owner } = occurrence;
        let candidates = shelf.kinds[change.kind() as usize].about(change.class());
        if candidates.is_empty() {
            return Ok(Notices::default());
        }
        let Some(indication) = make().transpose()? else {
            return Ok(Notices::default());
        };
        let circumstances = Circumstances { now, namespace };
        let event = self.hasher.hash_one(identity(&indication, change));
        let produced = Produced {
            identifier: indication.value("IndicationIdentifier").to_string().into(),
            time: now,
        };
        let mut notices = Notices::default();
        for filter in candidates
            .into_iter()
            .filter_map(|at| shelf.filters.get(at))
        {
            if !filter.asked.query.selects(&indication, circumstances) {
                continue;
            }
            let mut encoding: Option<Arc<[u8]>> = None;
            for subscriber in &filter.subscribers {
                let (takes, step) = subscriber.takes(owner.as_deref(), event, now);
                if !takes && step.is_none() {
                    continue;
                }
                let remembered = Remembered {
                    subscriber: subscriber.clone(),
                    step,
                    produced: takes.then(|| produced.clone()),
                };
                // It is undone when the indication cannot be encoded.
                let mut told = Notices::new(Vec::new(), vec![Box::new(remembered)]);
                if takes {
                    let encoded = match &encoding {
                        Some(encoded) => encoded.clone(),
                        None => encoding
                            .insert(encoded(&indication, filter)?.into())
                            .clone(),
                    };
                    let notice = Notice {
                        stream: subscriber.stream,
                        indication: encoded,
                    };
                    told.append(Notices::new(vec![notice], Vec::new()));
                }
                notices.append(told);
            }
        }
        Ok(notices)
    }
}

/// The class and its superclasses.
fn line(class: &Class) -> impl Iterator<Item = &CimName> {
    std::iter::once(&class.name).chain(&class.ancestors)
}

fn encoded(indication: &Instance, filter: &Watched) -> Result<Vec<u8>> {
    let mut shown = filter.asked.query.projection.of(indication.clone());
    shown.set("IndicationFilterName", CimValue::string(&*filter.name))?;
    encode_indication(&shown)
}

/// What makes two indications tell of the same event: the same instance, or for alerts the same
/// EventID of the same provider, else the same element.
fn identity(indication: &Instance, change: &Change) -> String {
    let text = |name: &str| indication.value(name).to_string();
    match change {
        Change::Created(_)
        | Change::Modified { .. }
        | Change::Deleted(_)
        | Change::Called { .. } => text("SourceInstanceModelPath"),
        Change::ClassCreated(class)
        | Change::ClassModified { after: class, .. }
        | Change::ClassDeleted(class) => class.name.folded(),
        Change::Alert(_) if indication.value("EventID").is_null() => text("AlertingManagedElement"),
        Change::Alert(_) => [text("EventID"), text("SystemName"), text("ProviderName")].join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cimxml::{Limits, decode_indication};
    use crate::indications::made::Maker;
    use crate::indications::tests::{job, schema};

    const CQL: &str = "DMTF:CQL";
    const STATE_CHANGED: &str = "SELECT * FROM CIM_InstModification WHERE \
        SourceInstance ISA CIM_ConcreteJob AND SourceInstance.CIM_ConcreteJob::JobState <> \
        PreviousInstance.CIM_ConcreteJob::JobState";

    fn namespace() -> Namespace {
        Namespace::of("root/cimv2")
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a time")
    }

    fn watched(query: &str, subscribers: Vec<Subscriber>) -> Watched {
        let query = Query::given(CQL, query, &*schema()).expect("a sound query");
        Watched {
            name: "JW:filter".into(),
            asked: Asked {
                namespace: namespace(),
                kinds: selected(&query.class, &schema()),
                query: Arc::new(query),
            },
            subscribers: subscribers.into_iter().map(Arc::new).collect(),
        }
    }

    fn plain(stream: i64) -> Subscriber {
        Subscriber::new(StreamId(stream), None, RepeatPolicy::None, None)
    }

    fn streams(watch: &Watch, change: &Change, now: DateTime<Utc>) -> Vec<i64> {
        let owner = Some("ann".into());
        let change = change.clone();
        let occurrence = Occurrence { change, owner };
        let maker = Maker::new("host", "1");
        let make = || maker.indication(&schema(), &namespace(), &occurrence.change, now);
        let notices = watch.notices(&namespace(), &occurrence, now, make);
        let notices = notices.expect("indications that can be made");
        notices
            .keep()
            .iter()
            .map(|notice| notice.stream.0)
            .collect()
    }

    #[test]
    fn a_change_that_was_rolled_back_uses_nothing_up() {
        let policy = RepeatPolicy::Suppress {
            count: 1,
            interval: Duration::from_mins(1),
        };
        let subscriber = Subscriber::new(StreamId(1), None, policy, None);
        let watch = Watch::new([watched(STATE_CHANGED, vec![subscriber])]);
        let maker = Maker::new("host", "1");
        let occurrence = Occurrence {
            change: modified(2, 4),
            owner: None,
        };
        let make = || maker.indication(&schema(), &namespace(), &occurrence.change, at(0));
        let lost = watch.notices(&namespace(), &occurrence, at(0), make);
        assert_eq!(lost.expect("an indication").len(), 1, "it would be told");
        let shelf = &watch.namespaces[&namespace()];
        let produced = || shelf.filters[0].subscribers[0].produced();
        assert_eq!(produced(), None, "nothing was produced");
        assert_eq!(streams(&watch, &modified(2, 4), at(1)), [1]);
        assert_eq!(
            streams(&watch, &modified(4, 5), at(2)),
            [0; 0],
            "that counted"
        );
        assert_eq!(produced().map(|produced| produced.time), Some(at(1)));
    }

    fn modified(before: u16, after: u16) -> Change {
        Change::Modified {
            before: job("a:1", before),
            after: job("a:1", after),
        }
    }

    #[test]
    fn filters_select_what_they_say() {
        let succeeded = format!(
            "{STATE_CHANGED} AND ANY SourceInstance.CIM_ConcreteJob::OperationalStatus[*] = 17"
        );
        let created = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_Job";
        let queues = "SELECT * FROM CIM_InstIndication WHERE SourceInstance ISA CIM_JobQueue";
        let everything = "SELECT * FROM CIM_InstIndication";
        let watch = Watch::new([
            watched(STATE_CHANGED, vec![plain(1), plain(2)]),
            watched(&succeeded, vec![plain(3)]),
            watched(created, vec![plain(4)]),
            watched(queues, vec![plain(5)]),
            watched(everything, vec![plain(6)]),
        ]);
        let check = |change: Change, expected: &[i64]| {
            assert_eq!(streams(&watch, &change, at(0)), expected);
        };
        check(modified(4, 7), &[1, 2, 6]);
        check(modified(4, 4), &[6]);
        check(Change::Created(job("a:1", 2)), &[4, 6]);
        check(Change::Deleted(job("a:1", 7)), &[6]);
        let mut done = job("a:1", 7);
        let status = CimValue::Array(vec![CimValue::Uint16(2), CimValue::Uint16(17)]);
        done.set("OperationalStatus", status).expect("two statuses");
        let before = job("a:1", 4);
        check(
            Change::Modified {
                before,
                after: done,
            },
            &[1, 2, 3, 6],
        );
    }

    #[test]
    fn nobody_is_asked_about_what_nobody_watches() {
        let (job_class, queue) = {
            let schema = schema();
            let class = |name: &str| schema.class(name).expect("ours").clone();
            (class("JW_Job"), class("JW_JobQueue"))
        };
        let watch = Watch::new([watched(STATE_CHANGED, vec![plain(1)])]);
        let interest = |class| watch.interest(&namespace(), class);
        assert_eq!(interest(&job_class), kinds(&[ChangeKind::Modification]));
        assert!(interest(&queue).is_empty());
        let elsewhere = Namespace::of("root/other");
        assert!(watch.interest(&elsewhere, &job_class).is_empty());
        let change = Change::Created(Instance::empty(queue));
        let never = || panic!("the indication is not needed");
        let occurrence = Occurrence {
            change,
            owner: None,
        };
        let notices = watch.notices(&namespace(), &occurrence, at(0), never);
        assert!(notices.expect("nothing to make").is_empty());
    }

    fn kinds(kinds: &[ChangeKind]) -> ChangeKinds {
        kinds.iter().copied().collect()
    }

    #[test]
    fn the_class_after_from_and_the_classes_of_the_condition_say_what_is_made() {
        use ChangeKind::{
            Alert, ClassCreation, ClassDeletion, ClassModification, Creation, Deletion, MethodCall,
            Modification,
        };
        let life = [Creation, Modification, Deletion, MethodCall];
        let classes = [ClassCreation, ClassModification, ClassDeletion];
        let either = "CIM_Job";
        let either =
            format!("WHERE SourceInstance ISA {either} OR SourceInstance ISA CIM_ComputerSystem");
        let check = |query: &str, class: &str, expected: &[ChangeKind]| {
            let watch = Watch::new([watched(query, vec![plain(1)])]);
            let class = schema().class(class).expect("a class").clone();
            let found = watch.interest(&namespace(), &class);
            assert_eq!(found, kinds(expected), "{query} about {}", class.name);
        };
        let any = "SELECT * FROM CIM_Indication";
        check(any, "JW_Job", &[&life[..], &classes].concat());
        check(any, "CIM_AlertIndication", &ChangeKind::ALL);
        check("SELECT * FROM CIM_ClassIndication", "JW_Job", &classes);
        check(
            "SELECT * FROM CIM_ClassDeletion",
            "JW_Job",
            &[ClassDeletion],
        );
        let calls = "SELECT * FROM CIM_InstMethodCall WHERE SourceInstance ISA JW_Job";
        check(calls, "JW_Job", &[MethodCall]);
        check(calls, "JW_JobQueue", &[]);
        let instances = "SELECT * FROM CIM_InstIndication";
        check(instances, "JW_Job", &life);
        let creations = "SELECT * FROM CIM_InstCreation";
        check(creations, "JW_Job", &[Creation]);
        let either = format!("SELECT * FROM CIM_InstDeletion {either}");
        check(&either, "JW_Job", &[Deletion]);
        check(&either, "CIM_ComputerSystem", &[Deletion]);
        check(&either, "JW_JobQueue", &[]);
        let alerts = "SELECT * FROM CIM_AlertIndication";
        check(alerts, "CIM_AlertIndication", &[Alert]);
        check(alerts, "JW_Job", &[]);
        check(
            "SELECT * FROM CIM_ProcessIndication",
            "CIM_AlertIndication",
            &[Alert],
        );
    }

    #[test]
    fn a_filter_that_two_classes_lead_to_is_asked_once() {
        let query = "SELECT * FROM CIM_InstCreation WHERE \
            SourceInstance ISA CIM_Job OR SourceInstance ISA CIM_ConcreteJob";
        let watch = Watch::new([watched(query, vec![plain(1)])]);
        assert_eq!(streams(&watch, &Change::Created(job("a:1", 2)), at(0)), [1]);
    }

    #[test]
    fn who_may_not_see_everything_hears_of_its_own_alone() {
        let only = |name: &str| {
            let hearer = Hearer {
                name: name.into(),
                rights: Arc::new(|name| name == "chief"),
            };
            Subscriber::new(StreamId(1), None, RepeatPolicy::None, Some(hearer))
        };
        let heard = |name: &str, owner: Option<&str>| {
            let watch = Watch::new([watched(STATE_CHANGED, vec![only(name)])]);
            let occurrence = Occurrence {
                change: modified(2, 4),
                owner: owner.map(Into::into),
            };
            let maker = Maker::new("host", "1");
            let make = || maker.indication(&schema(), &namespace(), &occurrence.change, at(0));
            let notices = watch.notices(&namespace(), &occurrence, at(0), make);
            notices.expect("indications that can be made").len()
        };
        assert_eq!(heard("ann", Some("ann")), 1);
        assert_eq!(heard("bob", Some("ann")), 0);
        assert_eq!(heard("bob", None), 1);
        assert_eq!(heard("chief", Some("ann")), 1, "who may hear of everything");
    }

    #[test]
    fn a_notice_holds_what_the_query_selects_and_the_name_of_its_filter() {
        let query = "SELECT SourceInstanceModelPath FROM CIM_InstCreation \
            WHERE SourceInstance ISA CIM_ConcreteJob";
        let watch = Watch::new([watched(query, vec![plain(1)])]);
        let change = Change::Created(job("a:1", 2));
        let maker = Maker::new("host", "1");
        let make = || maker.indication(&schema(), &namespace(), &change, at(0));
        let occurrence = Occurrence {
            change: change.clone(),
            owner: None,
        };
        let notices = watch.notices(&namespace(), &occurrence, at(0), make);
        let notices = notices.expect("an indication that can be made");
        let sent = decode_indication(&notices[0].indication, &Limits::default());
        let sent = sent.expect("an encoded indication");
        let given: Vec<&str> = sent
            .properties
            .iter()
            .filter(|property| property.value != crate::model::Literal::Null)
            .map(|property| property.name.as_str())
            .collect();
        assert_eq!(given, ["IndicationFilterName", "SourceInstanceModelPath"]);
    }

    #[test]
    fn subscriptions_end_and_repeats_are_held_back() {
        let policy = RepeatPolicy::Suppress {
            count: 1,
            interval: Duration::from_mins(1),
        };
        let ending = Subscriber::new(StreamId(1), Some(at(10)), RepeatPolicy::None, None);
        let suppressing = Subscriber::new(StreamId(2), None, policy, None);
        let watch = Watch::new([watched(STATE_CHANGED, vec![ending, suppressing])]);
        assert_eq!(streams(&watch, &modified(2, 4), at(9)), [1, 2]);
        assert_eq!(streams(&watch, &modified(4, 5), at(9)), [1]);
        assert_eq!(streams(&watch, &modified(5, 4), at(10)), [0; 0]);
        let other = Change::Modified {
            before: job("b:1", 2),
            after: job("b:1", 4),
        };
        assert_eq!(streams(&watch, &other, at(11)), [2], "another event");
        assert_eq!(
            streams(&watch, &modified(4, 7), at(69)),
            [2],
            "another interval"
        );
    }
}
