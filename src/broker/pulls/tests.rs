//! Pulled enumerations over a provider that says what it has made, and faults and falls silent as told.

#[cfg(test)]
mod filters;

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;
use futures_util::future::{Either, select};
use futures_util::stream;
use tokio::sync::Notify;
use tokio::time::{Instant, advance};

use super::*;
use crate::broker::enumerations::Next;
use crate::broker::{Arrival, PullLimits};
use crate::model::{Keys, Namespace};
use crate::ops::{Addressed, PullInstancePaths, PullInstances, PullInstancesWithPath, Request};
use crate::ops::{PullStream, Pulled};
use crate::provider::Namespaces;
use crate::provider::{Principal, Provider, Registration, Registry, Role};
use crate::schema::Schema;
use crate::testing;

const MOF: &str = "
    class T_Item { [Key] uint32 Number; string Word; };
";

fn schema() -> Arc<Schema> {
    testing::schema(MOF)
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
    /// Hears of each stream that is dropped.
    gone: Arc<Notify>,
}

/// What a stream holds: it says when the stream is dropped.
struct Held {
    _alive: Arc<()>,
    gone: Arc<Notify>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gone.notify_one();
    }
}

impl Provider for World {
    fn instances(&self, _cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let (class, taken) = (class.clone(), self.taken.clone());
        let held = Held {
            _alive: self.alive.clone(),
            gone: self.gone.clone(),
        };
        stream::iter(self.steps.clone())
            .then(move |step| {
                taken.fetch_add(1, Ordering::Relaxed);
                let (class, _) = (class.clone(), &held);
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
    gone: Arc<Notify>,
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
        let gone = Arc::<Notify>::default();
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
                gone: gone.clone(),
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
            gone,
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
    let (began, gone) = (Instant::now(), std::pin::pin!(test.gone.notified()));
    let Either::Right(((), expiry)) = select(expiry, gone).await;
    assert!(
        began.elapsed() <= Duration::from_secs(31),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(test.open_count(), 1);
    assert_eq!(Arc::strong_count(&test.alive), 3, "the stream is gone");
    refused(
        test.ask(ANNA, pull(&context, 1)).await,
        Status::InvalidEnumerationContext,
    );
    test.ask(ANNA, pull(&longer, 1))
        .await
        .expect("it has more time");
    let (began, gone) = (Instant::now(), std::pin::pin!(test.gone.notified()));
    select(expiry, gone).await;
    assert!(
        began.elapsed() <= Duration::from_secs(601),
        "{:?}",
        began.elapsed()
    );
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
