//! What is told adds up: whoever began with what there was, and followed what was told since, knows what
//! there is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use futures_util::stream::TryStreamExt;
use proptest::prelude::*;
use tokio::sync::mpsc;

use super::*;
use crate::jobs::core::{
    Amendment, Call, Condition, Dependency, JobFields, QueueOrder, RunNews, ScheduleFields,
    ScheduleSpec, SettingOrder, SettingValues, Submitter, Target,
};
use crate::jobs::engine::{Engine, EngineError};
use crate::jobs::pretender::Pretender;
use crate::jobs::provider::registrations;
use crate::jobs::{Config, EngineTask};
use crate::ops::BoxFuture;
use crate::provider::{Context, Principal, Role};
use crate::store::{Keep, Options, Writer, WriterThread};
use crate::testing;

/// Classes whose instances change by the clock, or with what is done to others: of these only whether they
/// are there is compared.
const LIVE: [&str; 5] = [
    "JW_Job",
    "JW_JobRun",
    "JW_JobSchedule",
    "JW_JobQueue",
    "JW_JobSettingData",
];
/// Longer than any change takes, on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// Wants to hear everything, and remembers it: what was told at once, each time.
#[derive(Default)]
struct Recorder {
    told: Mutex<Vec<Vec<Occurrence>>>,
}

impl Observer for Recorder {
    fn interest(&self, _: &Namespace, class: &str) -> Option<Interest> {
        let schema = testing::embedded();
        Some(Interest {
            class: schema.class(class)?.clone(),
            schema,
            kinds: ChangeKind::ALL.into_iter().collect(),
        })
    }

    fn notices(&self, _: &Namespace, told: &[Occurrence], _: DateTime<Utc>) -> Notices {
        self.told.lock().expect("no panic").push(told.to_vec());
        Notices::default()
    }

    fn committed(&self, _: Notices) {}

    fn tell<'a>(&'a self, _: &'a Namespace, _: Vec<Occurrence>) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

struct Bench {
    engine: Engine,
    task: EngineTask,
    store: WriterThread,
    recorder: Arc<Recorder>,
    /// What whoever listened from the start knows, by path.
    known: BTreeMap<String, Instance>,
}

fn namespace() -> Namespace {
    Namespace::of("root/cimv2")
}

fn host() -> Host {
    Host {
        name: "host".into(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a deadline that no test reaches")]
fn context() -> Context {
    Context {
        principal: Principal::authenticated("reader", 1, Role::Reader),
        namespace: namespace(),
        schema: testing::embedded(),
        now: DateTime::UNIX_EPOCH,
        deadline: Instant::now() + Duration::from_hours(1),
    }
}

impl Bench {
    async fn open(folder: &Path, keep: Keep) -> Self {
        let (news, receiver) = mpsc::channel(64);
        let mut options = Options::new(folder.to_owned());
        options.keep = keep;
        let pretender = Arc::new(Pretender {
            news,
            database: options.directory.join("jobwright.db"),
            commands: Mutex::default(),
            seen: Mutex::default(),
            fate: RunNews::Adopted,
        });
        let (writer, store) = Writer::open(options).await.expect("opens");
        let recorder = Arc::<Recorder>::default();
        let teller = Teller::new(recorder.clone(), host(), vec![namespace()]);
        let opened = Engine::open_told(Config::default(), writer, (pretender, receiver), teller);
        let (engine, task) = opened.await.expect("opens");
        let mut bench = Self {
            engine,
            task,
            store,
            recorder,
            known: BTreeMap::new(),
        };
        bench.known = bench.there().await;
        bench
    }

    /// Every instance that changes of the engine are told of.
    async fn there(&self) -> BTreeMap<String, Instance> {
        let cx = context();
        let mut all = BTreeMap::new();
        for registration in registrations(&self.engine, &host(), &[namespace()]) {
            let class = registration.classes[0].as_str();
            // The service and what jobs can do are always the same.
            if ["JW_JobService", "CIM_JobCapabilities"].contains(&class) {
                continue;
            }
            let class = cx.schema.class(class).expect("it is served");
            let instances = registration.provider.instances(&cx, class);
            let instances: Vec<_> = instances.try_collect().await.expect("instances");
            for instance in instances {
                all.insert(instance.path(&cx.namespace).to_string(), instance);
            }
        }
        all
    }

    /// Follows what was told; gives it in words, what was told at once together.
    fn follow(&mut self) -> Vec<Vec<String>> {
        let told = std::mem::take(&mut *self.recorder.told.lock().expect("no panic"));
        told.into_iter()
            .map(|told| self.follow_step(told))
            .collect()
    }

    fn follow_step(&mut self, told: Vec<Occurrence>) -> Vec<String> {
        let mut words = Vec::new();
        for occurrence in told {
            let (word, instance, other) = match occurrence.change {
                Told::Created(new) => ("+", new.clone(), (None, Some(new))),
                Told::Deleted(old) => ("-", old.clone(), (Some(old), None)),
                Told::Modified { before, after } => {
                    ("~", before.clone(), (Some(before), Some(after)))
                }
                Told::Alert(_) => continue,
                other => panic!("{other:?} is no change of an instance"),
            };
            let path = instance.path(&namespace()).to_string();
            words.push(format!("{word}{}", instance.class.name));
            let (old, new) = other;
            let known = match new {
                Some(new) => self.known.insert(path.clone(), new),
                None => self.known.remove(&path),
            };
            let (was, is_told) = (known.is_some(), old.is_some());
            assert_eq!(
                was, is_told,
                "{word}{path}: it was there before, and told to be"
            );
        }
        words
    }

    /// Follows what is told until what is known is what there is.
    async fn settle(&mut self) -> Vec<Vec<String>> {
        let mut changes = self.engine.changes();
        let mut words = self.follow();
        let settled = async {
            loop {
                let there = self.there().await;
                words.extend(self.follow());
                let difference = difference(&self.known, &there);
                if difference.is_empty() {
                    return;
                }
                let next = tokio::time::timeout(PATIENCE, changes.recv()).await;
                assert!(
                    next.is_ok(),
                    "nothing more comes:\n{}",
                    difference.join("\n")
                );
            }
        };
        settled.await;
        words
    }

    async fn close(self) {
        self.task.shutdown().await.expect("it ends in order");
        self.store.close().await;
    }
}

/// What is told and what is there, where they differ.
fn difference(
    told: &BTreeMap<String, Instance>,
    there: &BTreeMap<String, Instance>,
) -> Vec<String> {
    let paths: BTreeSet<_> = told.keys().chain(there.keys()).collect();
    let differs = |path: &&&String| match (told.get(**path), there.get(**path)) {
        (Some(told), Some(there)) => !LIVE.contains(&told.class.name.as_str()) && told != there,
        (told, there) => told.is_some() != there.is_some(),
    };
    let shown = |path: &String| {
        let (told, there) = (told.get(path), there.get(path));
        format!("{path}\n  told:  {told:?}\n  there: {there:?}")
    };
    paths
        .iter()
        .filter(differs)
        .map(|path| shown(path))
        .collect()
}

fn anna(word: &str) -> (JobFields, Submitter) {
    let fields = JobFields {
        name: Some("job".to_owned()),
        command: Some(vec![word.to_owned()]),
        ..JobFields::default()
    };
    let by = Submitter {
        name: "anna".to_owned(),
        uid: 1000,
    };
    (fields, by)
}

fn id(number: usize) -> JobId {
    JobId::new(&format!("t:{number}")).expect("an id")
}

fn schedule() -> ScheduleSpec {
    let fields = ScheduleFields {
        run_month: Some(0),
        run_day: Some(1),
        ..ScheduleFields::default()
    };
    fields.try_into().expect("each year")
}

fn dependency(job: usize) -> Dependency {
    Dependency {
        job: id(job),
        condition: Condition::Ended,
    }
}

/// Something that is asked of the engine, of one of a few jobs, queues and settings.
#[derive(Debug, Clone)]
enum Step {
    Submit {
        number: usize,
        runs: bool,
        called: bool,
        after: Option<usize>,
        queue: Option<&'static str>,
        settings: Option<&'static str>,
    },
    Kill(usize),
    Delete(usize),
    Amend(usize, Amendment),
    Queue(&'static str, bool),
    Settings(&'static str, SettingOrder),
}

async fn take(engine: &Engine, step: Step) -> Result<(), EngineError> {
    match step {
        Step::Submit {
            number,
            runs,
            called,
            after,
            queue,
            settings,
        } => {
            let (mut fields, by) = anna(if runs { "true" } else { "sleep" });
            fields.instance_id = Some(id(number).to_string());
            fields.hold = Some(!runs);
            fields.depends_on = after.map(|other| vec![format!("{};ended", id(other))]);
            fields.queue_name = queue.map(str::to_owned);
            fields.setting_id = settings.map(str::to_owned);
            if called {
                let call = Call::new(JobFields::default(), Some(fields.clone()), None);
                engine.submit_called(fields, by, call).await.map(drop)
            } else {
                engine.submit(fields, by, None).await.map(drop)
            }
        }
        Step::Kill(number) => engine.kill(id(number), None).await.map(drop),
        Step::Delete(number) => engine.delete(id(number)).await,
        Step::Amend(number, amendment) => match amendment {
            Amendment::AddSchedule(schedule) => {
                engine.add_schedule(id(number), schedule).await.map(drop)
            }
            amendment => engine.amend(id(number), amendment).await,
        },
        Step::Queue(name, true) => {
            let limits = crate::jobs::core::QueueRecord::default_queue(3).limits;
            let order = QueueOrder::Create(limits);
            engine.order_queue(name, order).await.map(drop)
        }
        Step::Queue(name, false) => {
            let order = QueueOrder::Delete;
            engine.order_queue(name, order).await.map(drop)
        }
        Step::Settings(name, order) => engine.order_setting(name, order).await,
    }
}

/// A job that is held until it is killed, and then waits for another.
fn held(number: usize, after: Option<usize>) -> Step {
    Step::Submit {
        number,
        runs: false,
        called: false,
        after,
        queue: None,
        settings: None,
    }
}

#[tokio::test]
async fn links_are_told_with_what_they_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::open(folder.path(), Keep::default()).await;
    let on_s = SettingOrder::Attach(Target::Queue("q".to_owned()));
    let called = Step::Submit {
        number: 3,
        runs: false,
        called: true,
        after: Some(1),
        queue: Some("q"),
        settings: Some("s"),
    };
    let amend = |amendment| Step::Amend(2, amendment);
    let of_job = "+CIM_AffectedJobElement +CIM_JobDestinationJobs +CIM_OwningJobElement +JW_Job";
    let of_called = format!(
        "{of_job} +CIM_AssociatedJobMethodResult +CIM_ElementSettingData +CIM_MethodResult \
         +JW_JobDependency"
    );
    let steps = [
        (
            Step::Queue("q", true),
            "+CIM_ElementCapabilities +CIM_HostedJobDestination +CIM_ServiceAffectsElement \
             +JW_JobQueue",
        ),
        (
            Step::Settings("s", SettingOrder::Create(SettingValues::default())),
            "+JW_JobSettingData",
        ),
        (Step::Settings("s", on_s), "+CIM_ElementSettingData"),
        (held(1, None), of_job),
        (held(2, None), of_job),
        (called, &of_called),
        (
            amend(Amendment::AddDependency(dependency(1))),
            "+JW_JobDependency ~JW_Job",
        ),
        (
            amend(Amendment::SetRecoveryJob(id(1))),
            "+JW_RecoveryJob ~JW_Job",
        ),
        (
            amend(Amendment::AddSchedule(schedule())),
            "+CIM_ElementSettingData +JW_JobSchedule ~JW_Job",
        ),
        // Once for the queue that went by them, and once for the job that names them.
        (
            Step::Settings("s", SettingOrder::Delete),
            "-CIM_ElementSettingData -CIM_ElementSettingData -JW_JobSettingData",
        ),
        (
            Step::Kill(3),
            "-CIM_AffectedJobElement ~CIM_MethodResult ~JW_Job",
        ),
    ];
    for (step, expected) in steps {
        let said = format!("{step:?}");
        take(&bench.engine, step).await.expect(&said);
        let mut told = bench.settle().await.concat();
        told.sort();
        let mut expected: Vec<_> = expected.split_whitespace().collect();
        expected.sort_unstable();
        assert_eq!(told, expected, "{said}");
    }
    bench.close().await;
}

#[tokio::test]
async fn a_link_that_is_made_and_broken_at_once_is_told_to_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::open(folder.path(), Keep::default()).await;
    for first in [held(1, None), Step::Kill(1)] {
        take(&bench.engine, first).await.expect("it is done");
    }
    bench.settle().await;
    let engine = &bench.engine;
    let steps = [held(2, Some(1)), Step::Delete(1)];
    let both = join_all(steps.map(|step| take(engine, step))).await;
    assert!(both.iter().all(Result::is_ok), "{both:?}");
    let told = bench.settle().await;
    let of_dependency = told.iter().map(|words| {
        let mut words = words.clone();
        words.retain(|word| word.ends_with("JW_JobDependency"));
        words
    });
    let of_dependency: Vec<_> = of_dependency.filter(|words| !words.is_empty()).collect();
    let at_once = ["+JW_JobDependency", "-JW_JobDependency"];
    assert_eq!(of_dependency, [at_once], "of {told:?}");
    bench.close().await;
}

fn settings_step() -> impl Strategy<Value = SettingOrder> {
    let targets = [
        Target::Service,
        Target::Queue("q".to_owned()),
        Target::Queue("r".to_owned()),
    ];
    let target = prop::sample::select(targets.to_vec());
    prop_oneof![
        2 => Just(SettingOrder::Create(SettingValues::default())),
        3 => target.clone().prop_map(SettingOrder::Attach),
        1 => target.prop_map(SettingOrder::Detach),
        1 => Just(SettingOrder::Delete),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0..8_usize;
    let queue = || prop::sample::select(vec!["q", "r"]);
    let settings = || prop::sample::select(vec!["s", "t"]);
    let submit = (
        number(),
        any::<bool>(),
        any::<bool>(),
        prop::option::of(number()),
        prop::option::of(queue()),
        prop::option::of(settings()),
    );
    let submit = submit.prop_map(
        |(number, runs, called, after, queue, settings)| Step::Submit {
            number,
            runs,
            called,
            after,
            queue,
            settings,
        },
    );
    let amendment = prop_oneof![
        Just(Amendment::AddSchedule(schedule())),
        (0..3_u32).prop_map(Amendment::RemoveSchedule),
        number().prop_map(|other| Amendment::AddDependency(dependency(other))),
        number().prop_map(|other| Amendment::RemoveDependency(id(other))),
        number().prop_map(|other| Amendment::SetRecoveryJob(id(other))),
        number().prop_map(|other| Amendment::RemoveRecoveryJob(id(other))),
    ];
    prop_oneof![
        6 => submit,
        1 => number().prop_map(Step::Kill),
        3 => number().prop_map(Step::Delete),
        4 => (number(), amendment).prop_map(|(job, amendment)| Step::Amend(job, amendment)),
        2 => (queue(), any::<bool>()).prop_map(|(name, made)| Step::Queue(name, made)),
        3 => (settings(), settings_step()).prop_map(|(name, order)| Step::Settings(name, order)),
    ]
}

async fn adds_up(keep: Keep, program: Vec<Vec<Step>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::open(folder.path(), keep).await;
    for steps in program {
        // What is asked at the same time is often decided in the same step.
        let engine = bench.engine.clone();
        join_all(steps.into_iter().map(|step| take(&engine, step))).await;
        bench.settle().await;
    }
    bench.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        // A case that fails waits for what never comes.
        max_shrink_iters: 8,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_told_adds_up_to_what_there_is(
        outlives_job: bool,
        is_short: bool,
        program in prop::collection::vec(prop::collection::vec(step(), 1..6), 1..12),
    ) {
        // What ended is too old at once, or never.
        let age = if is_short { Duration::ZERO } else { Keep::default().age };
        let keep = Keep { age, outlives_job, ..Keep::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(adds_up(keep, program));
    }
}
