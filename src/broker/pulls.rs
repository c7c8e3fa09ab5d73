//! The pulled enumerations: each Open makes the same stream as the operation that gives all at once,
//! and each answer draws from it at the pace of its client (DSP0200 1.4 §5.4.2.24).

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::model::{CimError, CimName, CimValue, Class, Instance, Result, Status};
use crate::ops::{
    ClassReply, ClassSelect, CloseEnumeration, EnumerationCount, InstanceStream, Object,
    ObjectStream, OpenAssociatorInstancePaths, OpenAssociatorInstances, OpenEnumerateInstancePaths,
    OpenEnumerateInstances, OpenQueryInstances, OpenReferenceInstancePaths, OpenReferenceInstances,
    Opening, PullKind, PullReply, PullShape, PullStream, Pulled, PulledObject, Reply, Select,
    Terms,
};
use crate::provider::Context;
use crate::query::{Circumstances, Filter, Query};

use super::dispatch::Broker;
use super::enumerations::{Enumeration, Next, Objects, Turn};

impl Broker {
    pub(super) fn open_instances(
        &self,
        cx: &Context,
        request: OpenEnumerateInstances,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let class = cx.schema.known_class(&request.class)?.clone();
        self.deprecations.class(&class);
        let filter = filter(cx, opening, Some(&class))?;
        let select = if request.deep_inheritance {
            request.select
        } else {
            request.select.within(&class)
        };
        let found = located(cx, self.instances_of(cx, &class));
        let objects = filtered(cx, filter, found).map_ok(PulledObject::Instance);
        let opened = Opened {
            kind: PullKind::InstancesWithPath,
            objects: objects.boxed(),
            shape: shape(select),
        };
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) fn open_paths(
        &self,
        cx: &Context,
        request: &OpenEnumerateInstancePaths,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let class = cx.schema.known_class(&request.class)?.clone();
        self.deprecations.class(&class);
        let objects = match filter(cx, opening, Some(&class))? {
            // Providers may know paths without making instances.
            None => self.paths_of(cx, &class).map_ok(PulledObject::Path).boxed(),
            some => {
                let found = located(cx, self.instances_of(cx, &class));
                paths(filtered(cx, some, found))
            }
        };
        self.begin(cx, Opened::paths(objects), opening.terms, timeout)
    }

    pub(super) async fn open_references(
        &self,
        cx: &Context,
        request: OpenReferenceInstances,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let found = self.referring(cx, &request.path, &request.filter).await?;
        let filter = filter(cx, opening, result(cx, request.filter.result.as_ref()))?;
        let opened = Opened::instances(filtered(cx, filter, found), request.select);
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_reference_paths(
        &self,
        cx: &Context,
        request: &OpenReferenceInstancePaths,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let found = self.referring(cx, &request.path, &request.filter).await?;
        let filter = filter(cx, opening, result(cx, request.filter.result.as_ref()))?;
        let opened = Opened::paths(paths(filtered(cx, filter, found)));
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_associators(
        &self,
        cx: &Context,
        request: OpenAssociatorInstances,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let wanted = request.filter.result.clone();
        let found = self.associated(cx, &request.path, request.filter).await?;
        let filter = filter(cx, opening, result(cx, wanted.as_ref()))?;
        let opened = Opened::instances(filtered(cx, filter, found), request.select);
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_associator_paths(
        &self,
        cx: &Context,
        request: OpenAssociatorInstancePaths,
    ) -> Result<Reply> {
        let opening = &request.opening;
        let timeout = self.opening(opening)?;
        let wanted = request.filter.result.clone();
        let found = self.associated(cx, &request.path, request.filter).await?;
        let filter = filter(cx, opening, result(cx, wanted.as_ref()))?;
        let opened = Opened::paths(paths(filtered(cx, filter, found)));
        self.begin(cx, opened, opening.terms, timeout)
    }

    pub(super) async fn open_query(
        &self,
        cx: &Context,
        request: &OpenQueryInstances,
    ) -> Result<Reply> {
        let timeout = self.timeout(request.terms)?;
        let query = Query::given(&request.language, &request.query, &*cx.schema)?;
        let class = ClassReply {
            class: query.class.clone(),
            select: ClassSelect {
                local_only: false,
                qualifiers: true,
                class_origin: false,
                properties: query.projection.names(),
            },
        };
        let (rows, select) = self.rows(cx, Arc::new(query)).await?;
        let opened = Opened {
            kind: PullKind::Instances,
            objects: rows.map_ok(PulledObject::Row).boxed(),
            shape: PullShape {
                select,
                result_class: request.return_class.then_some(class),
            },
        };
        self.begin(cx, opened, request.terms, timeout)
    }

    /// `context` and `max_objects` are those of a Pull operation of that kind.
    pub(super) fn pull(
        &self,
        cx: &Context,
        kind: PullKind,
        context: &str,
        max_objects: u32,
    ) -> Result<Reply> {
        let turn = self.enumerations.take(cx, kind, context, max_objects)?;
        let shape = shape(turn.select());
        Ok(self.answer(turn, shape, max_objects, Stage::Pull))
    }

    pub(super) fn close_enumeration(
        &self,
        cx: &Context,
        request: &CloseEnumeration,
    ) -> Result<Reply> {
        self.enumerations
            .close(cx, &request.context)
            .map(|()| Reply::Void)
    }

    /// NULL says that the number is not known.
    pub(super) fn enumeration_count(
        &self,
        cx: &Context,
        request: &EnumerationCount,
    ) -> Result<Reply> {
        let count = self.enumerations.remaining(cx, &request.context)?;
        Ok(Reply::Value(count.map_or(CimValue::Null, CimValue::Uint64)))
    }

    /// Closes enumerations that their clients have left, as long as it is polled.
    pub async fn expire_enumerations(&self) -> std::convert::Infallible {
        self.enumerations.expire().await
    }

    /// From now on every request for an enumeration is answered `SERVER_IS_SHUTTING_DOWN`.
    pub fn stop_enumerations(&self) {
        self.enumerations.stop();
    }

    /// What is judged before anything is looked up: DSP0200 lists these status codes first.
    fn opening(&self, opening: &Opening) -> Result<Duration> {
        let timeout = self.timeout(opening.terms)?;
        let (language, text) = (
            opening.filter_language.as_deref(),
            opening.filter.as_deref(),
        );
        Filter::asked(language, text)?;
        Ok(timeout)
    }

    fn timeout(&self, terms: Terms) -> Result<Duration> {
        self.enumerations.running()?;
        let limits = &self.enumerations.limits;
        let Some(seconds) = terms.timeout_seconds else {
            return Ok(limits.timeout);
        };
        let timeout = Duration::from_secs(u64::from(seconds));
        if seconds == 0 || timeout > limits.longest_timeout {
            let text = format!(
                "OperationTimeout: {seconds} s where 1 to {} s are possible",
                limits.longest_timeout.as_secs()
            );
            return Err(CimError::new(Status::InvalidOperationTimeout, text));
        }
        Ok(timeout)
    }

    fn begin(
        &self,
        cx: &Context,
        opened: Opened,
        terms: Terms,
        timeout: Duration,
    ) -> Result<Reply> {
        let Opened {
            kind,
            objects,
            shape,
        } = opened;
        let select = shape.select.clone();
        let enumeration = Enumeration::new(objects, select, terms.continue_on_error);
        let turn = self.enumerations.open(cx, kind, timeout, enumeration)?;
        Ok(self.answer(turn, shape, terms.max_objects, Stage::Open))
    }

    fn answer(&self, turn: Turn, shape: PullShape, max_objects: u32, stage: Stage) -> Reply {
        let drawing = Drawing {
            turn,
            left: max_objects.min(self.enumerations.limits.objects),
            is_empty: true,
            looks_ahead: max_objects > 0,
            until: Instant::now() + self.enumerations.limits.answer_time,
            stage,
        };
        Reply::Pulled(PullReply {
            stream: drawing.stream(),
            shape,
        })
    }
}

/// An enumeration before its first answer.
struct Opened {
    kind: PullKind,
    objects: Objects,
    shape: PullShape,
}

impl Opened {
    fn instances(found: ObjectStream, select: Select) -> Self {
        Self {
            kind: PullKind::InstancesWithPath,
            objects: found.map_ok(PulledObject::Instance).boxed(),
            shape: shape(select),
        }
    }

    fn paths(objects: Objects) -> Self {
        Self {
            kind: PullKind::Paths,
            objects,
            shape: PullShape::default(),
        }
    }
}

fn shape(select: Select) -> PullShape {
    PullShape {
        select,
        result_class: None,
    }
}

fn located(cx: &Context, found: InstanceStream) -> ObjectStream {
    let namespace = cx.namespace.clone();
    let located = move |instance: Instance| Object {
        namespace: namespace.clone(),
        instance,
    };
    found.map_ok(located).boxed()
}

fn paths(found: ObjectStream) -> Objects {
    found
        .map_ok(|object| PulledObject::Path(object.path()))
        .boxed()
}

/// The class that results are of, which is known to exist by then.
fn result<'a>(cx: &'a Context, wanted: Option<&CimName>) -> Option<&'a Arc<Class>> {
    cx.schema.class(wanted?.as_str())
}

fn filter(cx: &Context, opening: &Opening, class: Option<&Arc<Class>>) -> Result<Option<Filter>> {
    Filter::given(
        opening.filter_language.as_deref(),
        opening.filter.as_deref(),
        class,
        &*cx.schema,
    )
}

/// What passes the filter: it is asked of the whole instance, whatever is shown of it.
fn filtered(cx: &Context, filter: Option<Filter>, found: ObjectStream) -> ObjectStream {
    let Some(filter) = filter else { return found };
    let now = cx.now;
    let selects = move |object: &Object| {
        let namespace = &object.namespace;
        ready(filter.selects(&object.instance, Circumstances { now, namespace }))
    };
    found.try_filter(selects).boxed()
}

/// What an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Pull,
}

/// An answer while its objects are drawn.
struct Drawing {
    turn: Turn,
    left: u32,
    is_empty: bool,
    /// Whether the answer finds out if it holds the last object; one that asks for none does not.
    looks_ahead: bool,
    /// When the answer ends with what has come.
    until: Instant,
    stage: Stage,
}

impl Drawing {
    fn stream(self) -> PullStream {
        stream::unfold(
            Some(self),
            |drawing| async move { Some(drawing?.step().await) },
        )
        .boxed()
    }

    async fn step(mut self) -> (Result<Pulled>, Option<Self>) {
        if !self.looks_ahead {
            return (end(self.turn.park(None)), None);
        }
        match self.turn.next(self.until).await {
            Err(abandoned) => (Err(abandoned), None),
            Ok(Next::End) => (Ok(Pulled::End { context: None }), None),
            Ok(Next::Late) => (end(self.turn.park(None)), None),
            Ok(Next::Object(Ok(object))) if self.left > 0 => {
                self.left -= 1;
                self.is_empty = false;
                (Ok(Pulled::Object(object)), Some(self))
            }
            Ok(Next::Object(Ok(object))) => (end(self.turn.park(Some(Ok(object)))), None),
            Ok(Next::Object(Err(error))) => (self.failed(error), None),
        }
    }

    /// An error is an answer of its own: objects that were drawn before it reach the client first.
    /// Without objects before it, it is this answer; the enumeration is closed by it unless the client
    /// wanted to go on, which it can only with a context, so that an Open has none of it either.
    fn failed(self, error: CimError) -> Result<Pulled> {
        let continues = self.turn.continues();
        if !self.is_empty || (continues && self.stage == Stage::Open) {
            return end(self.turn.park(Some(Err(error))));
        }
        if continues {
            self.turn.park(None)?;
        }
        Err(error)
    }
}

fn end(context: Result<String>) -> Result<Pulled> {
    context.map(|context| Pulled::End {
        context: Some(context),
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use chrono::DateTime;
    use futures_util::future::{Either, select};
    use tokio::time::advance;

    use super::*;
    use crate::broker::{Arrival, PullLimits};
    use crate::model::{Keys, Namespace, ObjectPath};
    use crate::mof::{Embedded, Limits, SourceError, Sources, compile};
    use crate::ops::{Addressed, PullInstancePaths, PullInstances, PullInstancesWithPath, Request};
    use crate::provider::Namespaces;
    use crate::provider::{Principal, Provider, Registration, Registry, Role};
    use crate::schema::{Builder, Schema};

    const MOF: &str = r#"
        #pragma include ("qualifiers.mof")
        class T_Item { [Key] uint32 Number; string Word; };
    "#;

    struct Text;

    impl Sources for Text {
        fn read(&self, name: &str, limit: usize) -> Result<Cow<'_, [u8]>, SourceError> {
            match name {
                "test.mof" => Ok(MOF.as_bytes().into()),
                other => Embedded.read(other, limit),
            }
        }
    }

    fn schema() -> Arc<Schema> {
        let compiled = compile(&["test.mof"], &Text, Limits::default());
        assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics);
        let mut builder = Builder::new();
        for batch in compiled.batches {
            let qualifiers = batch.qualifiers.into_iter();
            qualifiers.for_each(|decl| builder.qualifier(decl));
            let classes = batch.classes.into_iter();
            classes.for_each(|decl| builder.class(decl));
        }
        Arc::new(builder.build().expect("the classes of the test"))
    }

    /// What the provider gives one after the other.
    #[derive(Clone, Copy)]
    enum Step {
        Item(u32),
        Fault,
        /// Nothing more, and no end.
        Silence,
    }

    struct World {
        steps: Vec<Step>,
        /// As many references as streams are alive, and one.
        alive: Arc<()>,
        /// How many steps were taken.
        taken: Arc<AtomicUsize>,
    }

    impl Provider for World {
        fn instances(&self, _cx: &Context, class: &Arc<Class>) -> InstanceStream {
            let (class, alive, taken) = (class.clone(), self.alive.clone(), self.taken.clone());
            stream::iter(self.steps.clone())
                .then(move |step| {
                    taken.fetch_add(1, Ordering::Relaxed);
                    let (class, _alive) = (class.clone(), alive.clone());
                    async move {
                        match step {
                            Step::Item(number) => Ok(item(&class, number)),
                            Step::Fault => Err(CimError::failed("an item is broken")),
                            Step::Silence => std::future::pending().await,
                        }
                    }
                })
                .boxed()
        }
    }

    fn item(class: &Arc<Class>, number: u32) -> Instance {
        let mut instance = Instance::empty(class.clone());
        let word = if number.is_multiple_of(2) {
            "even"
        } else {
            "odd"
        };
        for (name, value) in [
            ("Number", CimValue::Uint32(number)),
            ("Word", CimValue::string(word)),
        ] {
            instance.set(name, value).expect("a value of the test");
        }
        instance
    }

    struct Test {
        broker: Broker,
        alive: Arc<()>,
        taken: Arc<AtomicUsize>,
    }

    impl Test {
        fn new(steps: &[Step]) -> Self {
            let limits = PullLimits {
                enumerations: 3,
                user_enumerations: 2,
                objects: 50,
                ..PullLimits::default()
            };
            let (alive, taken) = (Arc::new(()), Arc::<AtomicUsize>::default());
            let (a, b, schema) = (Namespace::of("a"), Namespace::of("b"), schema());
            let namespaces = Namespaces::new().with(a.clone(), schema.clone());
            let world = Registration {
                name: "world",
                namespaces: vec![a, b.clone()],
                classes: vec![CimName::of("T_Item")],
                provider: Arc::new(World {
                    steps: steps.to_vec(),
                    alive: alive.clone(),
                    taken: taken.clone(),
                }),
            };
            let registry = Registry::new(vec![world]).expect("one provider");
            let broker = Broker::new(
                crate::provider::catalogue(namespaces.with(b, schema)),
                registry,
                Arc::default(),
            );
            Self {
                broker: broker.with_pull_limits(limits),
                alive,
                taken,
            }
        }

        fn numbered(count: u32) -> Self {
            Self::new(&(0..count).map(Step::Item).collect::<Vec<_>>())
        }

        #[expect(clippy::disallowed_methods, reason = "a deadline that no test reaches")]
        async fn reply(&self, (user, place): Who, request: Request) -> Result<PullStream> {
            let arrival = Arrival {
                now: DateTime::UNIX_EPOCH,
                deadline: std::time::Instant::now(),
            };
            let principal = Principal::authenticated(user, 1, Role::Reader);
            let namespace = Namespace::of(place);
            let addressed = Addressed { namespace, request };
            match self.broker.handle(principal, arrival, addressed).await? {
                Reply::Pulled(reply) => Ok(reply.stream),
                Reply::Void => Ok(stream::empty().boxed()),
                other => panic!("{other:?} is no answer of a pull"),
            }
        }

        /// The objects of an answer, and its context.
        async fn ask(&self, who: Who, request: Request) -> Result<(Vec<u32>, Option<String>)> {
            drawn(self.reply(who, request).await?).await
        }

        /// The context of an enumeration that was opened for no object.
        async fn opened(&self, who: Who) -> Result<String> {
            let (none, context) = self.ask(who, open(Terms::default())).await?;
            assert_eq!(none, [] as [u32; 0]);
            Ok(context.expect("an enumeration that has not begun is open"))
        }

        fn open_count(&self) -> usize {
            self.broker.enumerations.count()
        }
    }

    /// A user and a namespace.
    type Who = (&'static str, &'static str);
    const ANNA: Who = ("anna", "a");

    async fn drawn(mut pieces: PullStream) -> Result<(Vec<u32>, Option<String>)> {
        let mut numbers = Vec::new();
        while let Some(piece) = pieces.next().await {
            match piece? {
                Pulled::Object(object) => numbers.push(number(&object)),
                Pulled::End { context } => {
                    assert!(pieces.next().await.is_none(), "something after the end");
                    return Ok((numbers, context));
                }
            }
        }
        Ok((numbers, None))
    }

    fn number(object: &PulledObject) -> u32 {
        let of_keys = |keys: &Keys| keys.get("Number").and_then(CimValue::as_integer);
        let number = match object {
            PulledObject::Instance(object) => of_keys(&object.path().keys),
            PulledObject::Path(path) => of_keys(&path.keys),
            PulledObject::Row(row) => row.value("Number").as_integer(),
        };
        u32::try_from(number.expect("a number")).expect("a small number")
    }

    fn open(terms: Terms) -> Request {
        Request::OpenEnumerateInstances(OpenEnumerateInstances {
            class: CimName::of("T_Item"),
            deep_inheritance: true,
            select: Select::default(),
            opening: Opening {
                terms,
                ..Opening::default()
            },
        })
    }

    fn first(max_objects: u32) -> Terms {
        Terms {
            max_objects,
            ..Terms::default()
        }
    }

    fn pull(context: &str, max_objects: u32) -> Request {
        Request::PullInstancesWithPath(PullInstancesWithPath {
            context: context.to_owned(),
            max_objects,
        })
    }

    fn close(context: &str) -> Request {
        Request::CloseEnumeration(CloseEnumeration {
            context: context.to_owned(),
        })
    }

    fn refused<T: std::fmt::Debug>(answer: Result<T>, expected: Status) {
        let error = answer.expect_err("a refusal");
        assert_eq!(error.status, expected, "{error}");
    }

    #[tokio::test]
    async fn pulls_of_any_size_give_everything_once() {
        for count in [0_u32, 1, 6, 7] {
            for size in 1..=8 {
                let test = Test::numbered(count);
                let (mut all, mut context) = test.ask(ANNA, open(first(size))).await.expect("open");
                let mut answers = 1;
                while let Some(open) = context {
                    let more = test.ask(ANNA, pull(&open, size)).await.expect("a pull");
                    all.extend(more.0);
                    context = more.1;
                    answers += 1;
                }
                assert_eq!(all, (0..count).collect::<Vec<_>>(), "{count} by {size}");
                // The answer with the last object says so: none is asked for in vain.
                assert_eq!(answers, count.div_ceil(size).max(1), "{count} by {size}");
                assert_eq!(test.open_count(), 0);
            }
        }
    }

    #[tokio::test]
    async fn no_more_is_made_than_is_asked_for() {
        let test = Test::numbered(1000);
        let taken = || test.taken.load(Ordering::Relaxed);
        let context = test.opened(ANNA).await.expect("open");
        assert_eq!(taken(), 0, "nothing was asked for");
        for pulls in 1..5 {
            let some = test.ask(ANNA, pull(&context, 7)).await.expect("a pull");
            assert_eq!(some.0.len(), 7);
            assert_eq!(taken(), pulls * 7 + 1, "what was pulled and a look ahead");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_does_not_wait_for_ever() {
        let test = Test::new(&[Step::Item(0), Step::Silence]);
        let (some, context) = test.ask(ANNA, open(first(5))).await.expect("open");
        assert_eq!(some, [0]);
        let context = context.expect("it has no end");
        for size in [1, 5] {
            let again = test.ask(ANNA, pull(&context, size)).await.expect("a pull");
            assert_eq!(again, (Vec::new(), Some(context.clone())), "zero is legal");
        }
        test.ask(ANNA, close(&context)).await.expect("it is open");
    }

    #[tokio::test]
    async fn an_answer_has_no_more_than_the_server_gives() {
        let test = Test::numbered(120);
        let (all, context) = test.ask(ANNA, open(first(u32::MAX))).await.expect("open");
        assert_eq!(all.len(), 50);
        let context = context.expect("more is left");
        let (all, context) = test
            .ask(ANNA, pull(&context, 1_000_000))
            .await
            .expect("more");
        assert_eq!((all.len(), context.is_some()), (50, true));
    }

    #[tokio::test]
    async fn every_kind_is_pulled_by_its_own_operation() {
        let test = Test::numbered(2);
        let class = CimName::of("T_Item");
        let paths = Request::OpenEnumerateInstancePaths(OpenEnumerateInstancePaths {
            class,
            opening: Opening::default(),
        });
        let rows = Request::OpenQueryInstances(OpenQueryInstances {
            language: "WQL".to_owned(),
            query: "SELECT Number FROM T_Item".to_owned(),
            return_class: false,
            terms: Terms::default(),
        });
        for (at, request) in [open(Terms::default()), paths, rows]
            .into_iter()
            .enumerate()
        {
            let (_, context) = test.ask(ANNA, request).await.expect("open");
            let context = context.expect("it is open");
            let pulls = [
                pull(&context, 5),
                Request::PullInstancePaths(PullInstancePaths {
                    context: context.clone(),
                    max_objects: 5,
                }),
                Request::PullInstances(PullInstances {
                    context: context.clone(),
                    max_objects: 5,
                }),
            ];
            for (other, request) in pulls.iter().enumerate().filter(|(other, _)| *other != at) {
                let answer = test.ask(ANNA, request.clone()).await;
                refused(answer, Status::InvalidParameter);
                assert_eq!(test.open_count(), 1, "{at} was closed by {other}");
            }
            let answer = test.ask(ANNA, pulls[at].clone()).await.expect("its own");
            assert_eq!(answer, (vec![0, 1], None));
        }
    }

    #[tokio::test]
    async fn nobody_else_and_nowhere_else() {
        let test = Test::numbered(2);
        let context = test.opened(ANNA).await.expect("open");
        let other_text = context.to_uppercase() + " ";
        for (who, text) in [
            (("bert", "a"), context.as_str()),
            (("anna", "b"), context.as_str()),
            (ANNA, other_text.as_str()),
            (ANNA, ""),
            (ANNA, "+1"),
            (ANNA, "ffffffffffffffffffffffffffffffffffff"),
        ] {
            refused(
                test.ask(who, pull(text, 1)).await,
                Status::InvalidEnumerationContext,
            );
            refused(
                test.ask(who, close(text)).await,
                Status::InvalidEnumerationContext,
            );
        }
        let answer = test.ask(ANNA, pull(&context, 2)).await.expect("it is hers");
        assert_eq!(answer.0, [0, 1]);
        refused(
            test.ask(ANNA, close(&context)).await,
            Status::InvalidEnumerationContext,
        );
    }

    #[tokio::test]
    async fn contexts_differ() {
        let test = Test::numbered(2);
        let one = test.opened(ANNA).await.expect("open");
        let other = test.opened(ANNA).await.expect("open");
        assert_ne!(one, other);
        assert_eq!(one.len(), 32, "128 bits");
    }

    #[tokio::test(start_paused = true)]
    async fn the_forgotten_are_closed() {
        let test = Test::numbered(9);
        let context = test.opened(ANNA).await.expect("open");
        advance(Duration::from_secs(29)).await;
        test.ask(ANNA, pull(&context, 0))
            .await
            .expect("its time begins anew");
        advance(Duration::from_secs(29)).await;
        test.ask(ANNA, pull(&context, 1)).await.expect("in time");
        let named = Terms {
            timeout_seconds: Some(600),
            ..first(1)
        };
        let longer = test.ask(ANNA, open(named)).await.expect("open").1;
        let longer = longer.expect("it is open");
        assert_eq!(Arc::strong_count(&test.alive), 4, "both streams");
        // As the server does it: the time-out needs no request to be noticed.
        let expiry = std::pin::pin!(test.broker.expire_enumerations());
        let wait = std::pin::pin!(tokio::time::sleep(Duration::from_secs(31)));
        let Either::Right(((), expiry)) = select(expiry, wait).await;
        assert_eq!(test.open_count(), 1);
        assert_eq!(Arc::strong_count(&test.alive), 3, "the stream is gone");
        refused(
            test.ask(ANNA, pull(&context, 1)).await,
            Status::InvalidEnumerationContext,
        );
        test.ask(ANNA, pull(&longer, 1))
            .await
            .expect("it has more time");
        let wait = std::pin::pin!(tokio::time::sleep(Duration::from_secs(601)));
        select(expiry, wait).await;
        assert_eq!(test.open_count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_is_over_even_before_anybody_cleans_up() {
        let test = Test::numbered(9);
        let context = test.opened(ANNA).await.expect("open");
        advance(Duration::from_secs(30)).await;
        let answer = test.ask(ANNA, pull(&context, 1)).await;
        refused(answer, Status::InvalidEnumerationContext);
    }

    #[tokio::test(start_paused = true)]
    async fn no_time_passes_while_an_answer_is_taken() {
        let test = Test::numbered(9);
        let mut pieces = test.reply(ANNA, open(first(2))).await.expect("open");
        assert!(matches!(pieces.next().await, Some(Ok(Pulled::Object(_)))));
        advance(Duration::from_hours(1)).await;
        let (rest, context) = drawn(pieces).await.expect("the rest");
        assert_eq!(rest, [1]);
        let context = context.expect("it is open");
        test.ask(ANNA, pull(&context, 1))
            .await
            .expect("its time begins now");
    }

    #[tokio::test]
    async fn times_that_are_not_kept_are_refused() {
        let test = Test::numbered(1);
        for seconds in [0, 601, u32::MAX] {
            let terms = Terms {
                timeout_seconds: Some(seconds),
                ..Terms::default()
            };
            refused(
                test.ask(ANNA, open(terms)).await,
                Status::InvalidOperationTimeout,
            );
        }
    }

    #[tokio::test]
    async fn one_user_and_all_together_are_limited() {
        let test = Test::numbered(2);
        let one = test.opened(ANNA).await.expect("the first");
        test.opened(ANNA).await.expect("the second");
        refused(test.opened(ANNA).await, Status::ServerLimitsExceeded);
        test.opened(("bert", "a")).await.expect("another's");
        refused(
            test.opened(("carl", "a")).await,
            Status::ServerLimitsExceeded,
        );
        test.ask(ANNA, close(&one)).await.expect("closed");
        test.opened(ANNA).await.expect("one more");
        assert_eq!(test.open_count(), 3);
    }

    #[tokio::test]
    async fn keeping_open_without_pulling_has_an_end() {
        let test = Test::numbered(2);
        let context = test.opened(ANNA).await.expect("open");
        for _ in 0..1000 {
            test.ask(ANNA, pull(&context, 0)).await.expect("kept open");
        }
        let answer = test.ask(ANNA, pull(&context, 0)).await;
        refused(answer, Status::ServerLimitsExceeded);
        assert_eq!(test.open_count(), 0);
    }

    #[tokio::test]
    async fn an_error_follows_what_came_before_it_and_closes() {
        let test = Test::new(&[Step::Item(0), Step::Fault, Step::Item(1)]);
        let (before, context) = test
            .ask(ANNA, open(first(5)))
            .await
            .expect("what came before");
        assert_eq!(before, [0]);
        let context = context.expect("the error is still to come");
        refused(test.ask(ANNA, pull(&context, 5)).await, Status::Failed);
        let answer = test.ask(ANNA, pull(&context, 5)).await;
        refused(answer, Status::InvalidEnumerationContext);
        let test = Test::new(&[Step::Fault, Step::Item(1)]);
        refused(test.ask(ANNA, open(first(5))).await, Status::Failed);
        assert_eq!(test.open_count(), 0);
    }

    #[tokio::test]
    async fn an_error_can_be_gone_past() {
        let terms = Terms {
            continue_on_error: true,
            ..first(2)
        };
        let test = Test::new(&[
            Step::Fault,
            Step::Item(1),
            Step::Item(2),
            Step::Fault,
            Step::Item(3),
        ]);
        let (none, context) = test.ask(ANNA, open(terms)).await.expect("open");
        assert_eq!(none, [] as [u32; 0]);
        let context = context.expect("it is open");
        refused(test.ask(ANNA, pull(&context, 2)).await, Status::Failed);
        let (some, again) = test
            .ask(ANNA, pull(&context, 5))
            .await
            .expect("what follows");
        assert_eq!((some, again.as_ref()), (vec![1, 2], Some(&context)));
        refused(test.ask(ANNA, pull(&context, 5)).await, Status::Failed);
        let last = test.ask(ANNA, pull(&context, 5)).await.expect("the end");
        assert_eq!(last, (vec![3], None));
    }

    #[tokio::test]
    async fn a_second_pull_meanwhile_is_refused_and_a_close_stops_the_first() {
        let test = Test::new(&[Step::Item(0), Step::Silence]);
        let context = test.opened(ANNA).await.expect("open");
        let mut pieces = test.reply(ANNA, pull(&context, 5)).await.expect("a pull");
        assert!(matches!(pieces.next().await, Some(Ok(Pulled::Object(_)))));
        let answer = test.ask(ANNA, pull(&context, 1)).await;
        refused(answer, Status::InvalidEnumerationContext);
        let (first, closed) = tokio::join!(drawn(pieces), test.ask(ANNA, close(&context)));
        closed.expect("it is closed");
        refused(first, Status::PullHasBeenAbandoned);
        assert_eq!((test.open_count(), Arc::strong_count(&test.alive)), (0, 2));
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_closes() {
        let test = Test::numbered(9);
        let mut pieces = test.reply(ANNA, open(first(5))).await.expect("open");
        assert!(matches!(pieces.next().await, Some(Ok(Pulled::Object(_)))));
        assert_eq!(test.open_count(), 1);
        drop(pieces);
        assert_eq!((test.open_count(), Arc::strong_count(&test.alive)), (0, 2));
    }

    #[tokio::test]
    async fn a_server_that_stops_says_so() {
        let test = Test::numbered(9);
        let parked = test.opened(ANNA).await.expect("open");
        let taken = test.reply(ANNA, open(first(2))).await.expect("open");
        test.broker.stop_enumerations();
        let (some, context) = drawn(taken).await.expect("what was asked for comes");
        assert_eq!(some, [0, 1]);
        assert_eq!((test.open_count(), Arc::strong_count(&test.alive)), (0, 2));
        let context = context.expect("it was not at its end");
        for request in [
            pull(&parked, 1),
            pull(&context, 1),
            close(&parked),
            open(first(1)),
        ] {
            let answer = test.ask(ANNA, request).await;
            refused(answer, Status::ServerIsShuttingDown);
        }
    }

    fn filtered_by(language: Option<&str>, filter: Option<&str>, terms: Terms) -> Opening {
        Opening {
            filter_language: language.map(str::to_owned),
            filter: filter.map(str::to_owned),
            terms,
        }
    }

    fn faulty(
        seconds: u32,
        language: Option<&str>,
        filter: Option<&str>,
        class: &'static str,
    ) -> Request {
        let terms = Terms {
            timeout_seconds: Some(seconds),
            ..Terms::default()
        };
        Request::OpenEnumerateInstances(OpenEnumerateInstances {
            class: CimName::of(class),
            deep_inheritance: true,
            select: Select::default(),
            opening: filtered_by(language, filter, terms),
        })
    }

    /// The order in which DSP0200 lists the status codes: each row has the fault of the next too.
    #[tokio::test]
    async fn the_first_fault_is_told() {
        let test = Test::numbered(1);
        let (y, none, some) = (Some("y"), "T_None", "T_Item");
        let (wql, fql, wrong) = (Some("WQL"), Some("DMTF:FQL"), Some("?"));
        let cases = [
            ("x", faulty(0, y, None, none), Status::InvalidNamespace),
            (
                "a",
                faulty(0, y, None, none),
                Status::InvalidOperationTimeout,
            ),
            ("a", faulty(9, y, None, none), Status::InvalidParameter),
            ("a", faulty(9, None, y, none), Status::InvalidParameter),
            ("a", faulty(9, y, wrong, none), Status::InvalidClass),
            (
                "a",
                faulty(9, wql, wrong, some),
                Status::QueryLanguageNotSupported,
            ),
            ("a", faulty(9, fql, wrong, some), Status::InvalidQuery),
            (
                "a",
                faulty(9, fql, Some("X = 1"), some),
                Status::InvalidQuery,
            ),
        ];
        for (place, request, expected) in cases {
            refused(test.ask(("anna", place), request).await, expected);
        }
        let good = faulty(9, Some("dmtf:fql"), Some("Word = 'odd'"), some);
        test.ask(ANNA, good).await.expect("all is well");
    }

    #[tokio::test]
    async fn the_first_fault_of_a_traversal_is_told() {
        let test = Test::numbered(1);
        let references = |path: &str, class: Option<&'static str>| {
            Request::OpenReferenceInstancePaths(OpenReferenceInstancePaths {
                path: path.parse::<ObjectPath>().expect("a path of the test"),
                filter: crate::ops::ReferenceFilter {
                    result: class.map(CimName::of),
                    role: None,
                },
                opening: filtered_by(Some("DMTF:FQL"), Some("?"), Terms::default()),
            })
        };
        for (request, expected) in [
            (
                references("T_Item.Number=9", Some("T_None")),
                Status::InvalidParameter,
            ),
            (references("T_Item.Number=9", None), Status::NotFound),
            (references("T_Item.Number=0", None), Status::InvalidQuery),
        ] {
            refused(test.ask(ANNA, request).await, expected);
        }
    }

    #[tokio::test]
    async fn a_filter_is_asked_of_what_is_not_shown() {
        let test = Test::numbered(7);
        for odd in ["Word = 'odd'", "Number = 1 OR Number = 3 OR Number = 5"] {
            let opening = filtered_by(Some("DMTF:FQL"), Some(odd), first(9));
            let instances = Request::OpenEnumerateInstances(OpenEnumerateInstances {
                class: CimName::of("T_Item"),
                deep_inheritance: true,
                select: Select {
                    properties: Some(vec![CimName::of("Number")]),
                    class_origin: false,
                },
                opening: opening.clone(),
            });
            let paths = Request::OpenEnumerateInstancePaths(OpenEnumerateInstancePaths {
                class: CimName::of("T_Item"),
                opening,
            });
            for request in [instances, paths] {
                let answer = test.ask(ANNA, request).await.expect("open");
                assert_eq!(answer, (vec![1, 3, 5], None));
            }
        }
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a deadline that no test reaches")]
    async fn what_is_left_is_counted_where_it_is_known() {
        let list = |objects| Enumeration::new(objects, Select::default(), false);
        let path = |number| {
            let class = schema()
                .class("T_Item")
                .cloned()
                .expect("a class of the test");
            Ok(PulledObject::Path(
                item(&class, number).path(&Namespace::of("a")),
            ))
        };
        let enumerations = Arc::new(super::super::enumerations::Enumerations::new(
            PullLimits::default(),
        ));
        let cx = Context {
            principal: Principal::authenticated("anna", 1, Role::Reader),
            namespace: Namespace::of("a"),
            schema: schema(),
            now: DateTime::UNIX_EPOCH,
            deadline: std::time::Instant::now(),
        };
        let known = list(stream::iter((0..5).map(path).collect::<Vec<_>>()).boxed());
        let unknown = list(
            stream::iter(vec![path(1), path(2)])
                .filter(|_| ready(true))
                .boxed(),
        );
        for (enumeration, expected) in [(known, Some(4)), (unknown, None)] {
            let timeout = Duration::from_secs(1);
            let turn = enumerations.open(&cx, PullKind::Paths, timeout, enumeration);
            let mut turn = turn.expect("open");
            let Ok(Next::Object(first)) = turn.next(Instant::now() + timeout).await else {
                panic!("there are objects");
            };
            // One that was looked at counts like those behind it.
            let ahead = expected.is_none().then_some(first);
            let context = turn.park(ahead).expect("not closed");
            let count = enumerations.remaining(&cx, &context).expect("it is open");
            assert_eq!(count, expected);
        }
    }
}
