//! Which status code wins where several would be right: the order in which DSP0200 1.4 §5.4 lists them for
//! each operation.
//!
//! A row of a table has the faults of the rows below it too, and its own comes first. The numbers are those of
//! the standard; 0 is an answer.

#[cfg(test)]
mod classes;
#[cfg(test)]
mod instances;
#[cfg(test)]
mod sets;

use std::sync::{Arc, OnceLock};

use chrono::DateTime;

use crate::model::{
    CimError, CimName, CimValue, Class, Instance, InstanceDecl, InstancePath, Literal, Namespace,
    ObjectPath, PropertyValue, Result,
};
use crate::ops::{Addressed, BoxFuture, InstanceStream, MethodReply, Reply, Request, stream_of};
use crate::provider::{
    Act, Arguments, Changes, Context, Namespaces, Principal, Provider, Registration, Registry, Role,
};
use crate::schema::Schema;
use crate::testing;

use super::{Arrival, Broker};

const MOF: &str = "
    class T_Item {
        [Key] uint32 Number;
        [Write, MaxLen(3)] string Word;
        uint32 Do([In] uint32 Much);
    };
    class T_Above { [Key] uint32 Number; uint32 Old; };
    class T_Below : T_Above { };
    class T_Used { [Key] uint32 Number; uint32 Old; };
    class T_Closed { [Key] uint32 Number; [Write] string Word; };
    class T_Alone { [Key] uint32 Number; [Write] string Word; uint32 Do(); };
    [Association] class T_Link { [Key] T_Item REF Up; [Key] T_Item REF Down; };
";

fn schema() -> Arc<Schema> {
    static SCHEMA: OnceLock<Arc<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| testing::schema(MOF)).clone()
}

/// Has the instance 1 of each of its classes, and lets administrators alone do something.
struct World;

impl World {
    fn is_there(path: &InstancePath) -> Result<()> {
        match path.keys.get("Number") {
            Some(CimValue::Uint32(1)) => Ok(()),
            _ => Err(CimError::not_found("it is not there")),
        }
    }
}

impl Provider for World {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let below = cx.schema.descendants(Some(&class.name));
        let all = std::iter::once(class).chain(below);
        let made = |class: &Arc<Class>| {
            let mut instance = Instance::empty(class.clone());
            let set = instance.set("Number", CimValue::Uint32(1));
            set.expect("a value of the test");
            instance
        };
        let with_key = all.filter(|class| class.properties.get("Number").is_some());
        stream_of(with_key.map(made).collect())
    }

    fn permit(&self, cx: &Context, class: &Class, _act: Act<'_>) -> Result<()> {
        cx.only_administrators()?;
        if class.name.is("T_Closed") {
            return Err(CimError::not_supported("it is closed"));
        }
        Ok(())
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        let path = instance.path(&cx.namespace);
        Box::pin(async move {
            match Self::is_there(&path) {
                Ok(()) => Err(CimError::already_exists("it is there")),
                Err(_) => Ok(path),
            }
        })
    }

    fn modify<'a>(
        &'a self,
        _cx: &'a Context,
        path: &'a InstancePath,
        _changes: Changes,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Self::is_there(path) })
    }

    fn delete<'a>(&'a self, _cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Self::is_there(path) })
    }

    fn invoke<'a>(
        &'a self,
        _cx: &'a Context,
        _class: &'a Arc<Class>,
        path: Option<&'a InstancePath>,
        _call: (&'a crate::model::Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            Self::is_there(path.expect("no method is static"))?;
            Ok(MethodReply::code(0))
        })
    }
}

fn broker() -> Broker {
    let home = Namespace::of("a");
    let classes = ["T_Item", "T_Above", "T_Used", "T_Closed", "T_Link"];
    let world = Registration {
        name: "world",
        namespaces: vec![home.clone()],
        classes: classes.map(CimName::of).to_vec(),
        provider: Arc::new(World),
    };
    Broker::new(
        crate::provider::catalogue(Namespaces::new().with(home, schema())),
        Registry::new(vec![world]).expect("one provider"),
        Arc::default(),
    )
}

/// A role and a namespace.
type Who = (Role, &'static str);
/// Who may read, who may write but not here, and who may do everything; then the same where no namespace is.
const READER: Who = (Role::Reader, "a");
const STRANGER: Who = (Role::Submitter, "a");
const ADMIN: Who = (Role::Administrator, "a");
const LOST_READER: Who = (Role::Reader, "x");
const LOST_STRANGER: Who = (Role::Submitter, "x");
const LOST_ADMIN: Who = (Role::Administrator, "x");

/// Asks for each request as that principal, and expects that status code, or 0 for an answer.
#[expect(clippy::disallowed_methods, reason = "a deadline that no test reaches")]
async fn check(rows: Vec<(u16, Who, Request)>) {
    for (expected, (role, place), request) in rows {
        let arrival = Arrival {
            now: DateTime::UNIX_EPOCH,
            deadline: std::time::Instant::now(),
        };
        let principal = Principal::authenticated("anna", 1, role);
        let shown = format!("{role:?} in {place}: {request:?}");
        let addressed = Addressed {
            namespace: Namespace::of(place),
            request,
        };
        let reply: Result<Reply> = broker().handle(principal, arrival, addressed).await;
        let status = reply.map_or_else(|error| error.status.code().into(), |_| 0);
        assert_eq!(status, expected, "{shown}");
    }
}

fn path(text: &str) -> ObjectPath {
    text.parse().expect("a path of the test")
}

fn value(name: &'static str, text: &str) -> PropertyValue {
    PropertyValue {
        name: CimName::of(name),
        ty: None,
        is_array: false,
        value: Literal::Text(text.into()),
    }
}

fn written(class: &'static str, properties: &[(&'static str, &str)]) -> InstanceDecl {
    let properties = properties.iter().map(|(name, text)| value(name, text));
    InstanceDecl {
        class: CimName::of(class),
        properties: properties.collect(),
    }
}
