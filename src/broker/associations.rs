//! Associators, AssociatorNames, References, ReferenceNames: streamed, and each result once.
//!
//! The associations are those of the namespace of the request; what they lead to may be in any.

use std::collections::HashSet;
use std::future::ready;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use crate::model::{
    CimError, CimName, Class, ClassKind, Instance, InstancePath, Keys, ObjectPath, Result, Status,
};
use crate::ops::{
    AssociatorFilter, AssociatorNames, Associators, InstanceStream, Object, ObjectStream,
    ReferenceFilter, ReferenceNames, References, Reply,
};
use crate::provider::{Context, Namespaces, Registry, leads_to};
use crate::schema::Schema;

use super::association_classes;
use super::dispatch::Broker;
use super::instances::lookup;

/// Results of one traversal: what was given already is remembered up to here.
const RESULTS_LIMIT: usize = 1_000_000;

impl Broker {
    pub(super) async fn associators(&self, cx: &Context, request: Associators) -> Result<Reply> {
        let Associators {
            object,
            filter,
            qualifiers,
            select,
        } = request;
        if is_class(&object) {
            let found = association_classes::associators(&cx.schema, &object.class, &filter)?;
            return Ok(association_classes::classes(cx, found, qualifiers, select));
        }
        let stream = self.associated(cx, &object, filter).await?;
        Ok(Reply::Objects { stream, select })
    }

    pub(super) async fn associator_names(
        &self,
        cx: &Context,
        request: AssociatorNames,
    ) -> Result<Reply> {
        let AssociatorNames { object, filter } = request;
        if is_class(&object) {
            let found = association_classes::associators(&cx.schema, &object.class, &filter)?;
            return Ok(association_classes::paths(cx, &found));
        }
        let stream = self.associated(cx, &object, filter).await?;
        Ok(paths(stream))
    }

    pub(super) async fn references(&self, cx: &Context, request: References) -> Result<Reply> {
        let References {
            object,
            filter,
            qualifiers,
            select,
        } = request;
        if is_class(&object) {
            let found = association_classes::references(&cx.schema, &object.class, &filter)?;
            return Ok(association_classes::classes(cx, found, qualifiers, select));
        }
        let stream = self.referring(cx, &object, &filter).await?;
        Ok(Reply::Objects { stream, select })
    }

    pub(super) async fn reference_names(
        &self,
        cx: &Context,
        request: ReferenceNames,
    ) -> Result<Reply> {
        let ReferenceNames { object, filter } = request;
        if is_class(&object) {
            let found = association_classes::references(&cx.schema, &object.class, &filter)?;
            return Ok(association_classes::paths(cx, &found));
        }
        let stream = self.referring(cx, &object, &filter).await?;
        Ok(paths(stream))
    }

    /// What the associations of the instance `object` lead to.
    pub(super) async fn associated(
        &self,
        cx: &Context,
        object: &ObjectPath,
        filter: AssociatorFilter,
    ) -> Result<ObjectStream> {
        known(&cx.schema, filter.association.as_ref())?;
        known(&cx.schema, filter.result.as_ref())?;
        let source = self.source(cx, object).await?;
        let narrowed = ReferenceFilter {
            result: filter.association.clone(),
            role: filter.role.clone(),
        };
        let associations = self.associations(cx, &source, &narrowed);
        let walk = Walk {
            registry: self.registry.clone(),
            namespaces: self.catalogue.namespaces(),
            cx: cx.clone(),
            source,
            filter,
        };
        Ok(distinct(walk.objects(associations)))
    }

    /// The associations of the instance `object`.
    pub(super) async fn referring(
        &self,
        cx: &Context,
        object: &ObjectPath,
        filter: &ReferenceFilter,
    ) -> Result<ObjectStream> {
        known(&cx.schema, filter.result.as_ref())?;
        let source = self.source(cx, object).await?;
        let namespace = cx.namespace.clone();
        let located = move |item: Result<Instance>| {
            item.map(|instance| Object {
                namespace: namespace.clone(),
                instance,
            })
        };
        let found = self.associations(cx, &source, filter);
        Ok(distinct(found.map(located).boxed()))
    }

    /// The path of an object that exists, by the class it was created of.
    async fn source(&self, cx: &Context, object: &ObjectPath) -> Result<InstancePath> {
        known(&cx.schema, Some(&object.class))?;
        let path = cx.schema.instance_path(&cx.namespace, object)?;
        let instance = self.lookup(cx, &path).await?;
        Ok(instance.path(&cx.namespace))
    }

    fn associations(
        &self,
        cx: &Context,
        source: &InstancePath,
        filter: &ReferenceFilter,
    ) -> InstanceStream {
        let mut asked = Vec::new();
        for class in topmost(&cx.schema, filter.result.as_ref()) {
            let providers = self.providers(cx, &class).into_iter();
            asked.extend(providers.map(|provider| (provider, class.clone())));
        }
        let (cx, source, role) = (cx.clone(), source.clone(), filter.role.clone());
        stream::iter(asked)
            .flat_map(move |(provider, class)| {
                provider.references(&cx, &class, &source, role.as_ref())
            })
            .boxed()
    }
}

/// A path without keys is the class: wbemcli and the Java clients write it as an instance's.
fn is_class(path: &ObjectPath) -> bool {
    path.keys.as_ref().is_none_or(Keys::is_empty)
}

fn paths(stream: ObjectStream) -> Reply {
    let path = |item: Result<Object>| item.map(|object| object.path());
    Reply::ObjectPaths(stream.map(path).boxed())
}

/// DSP0200 lists no `INVALID_CLASS` for these operations: an unknown class is a wrong parameter.
pub(super) fn known(schema: &Schema, class: Option<&CimName>) -> Result<()> {
    match class {
        Some(name) if schema.class(name.as_str()).is_none() => Err(CimError::invalid_parameter(
            format!("the class {name} does not exist"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The associations from which every wanted one descends.
fn topmost(schema: &Schema, wanted: Option<&CimName>) -> Vec<Arc<Class>> {
    let is_association = |class: &Class| class.kind == ClassKind::Association;
    if let Some(wanted) = wanted {
        let class = schema.class(wanted.as_str());
        return class
            .filter(|class| is_association(class))
            .cloned()
            .into_iter()
            .collect();
    }
    let below_one = |class: &Class| {
        let above = class
            .superclass()
            .and_then(|name| schema.class(name.as_str()));
        above.is_some_and(|above| is_association(above))
    };
    schema
        .classes()
        .filter(|class| is_association(class) && !below_one(class))
        .cloned()
        .collect()
}

/// One traversal from associations to their far ends.
struct Walk {
    registry: Arc<Registry>,
    namespaces: Arc<Namespaces>,
    cx: Context,
    source: InstancePath,
    filter: AssociatorFilter,
}

impl Walk {
    fn objects(self, associations: InstanceStream) -> ObjectStream {
        let walk = Arc::new(self);
        let near = walk.clone();
        let ends = associations.flat_map(move |item| {
            stream::iter(match item {
                Ok(association) => near.ends(&association).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
        });
        ends.filter_map(move |end| {
            let walk = walk.clone();
            async move {
                match end {
                    Ok(end) => walk.object(&end).await.transpose(),
                    Err(error) => Some(Err(error)),
                }
            }
        })
        .boxed()
    }

    /// The references of `association` that another of its references leads to from the source.
    fn ends(&self, association: &Instance) -> Vec<ObjectPath> {
        let references: Vec<(&CimName, &ObjectPath)> = association
            .iter()
            .filter_map(|(property, value)| Some((&property.name, value.as_reference()?)))
            .collect();
        let is_near = |(name, path): &(&CimName, &ObjectPath)| {
            fits(self.filter.role.as_ref(), name) && leads_to(&self.cx, path, &self.source)
        };
        let near: Vec<bool> = references.iter().map(is_near).collect();
        let is_far = |at: usize| {
            near.iter()
                .enumerate()
                .any(|(other, near)| *near && other != at)
        };
        references
            .iter()
            .enumerate()
            .filter(|(at, (name, _))| fits(self.filter.result_role.as_ref(), name) && is_far(*at))
            .map(|(_, (_, path))| (*path).clone())
            .collect()
    }

    /// The object at `end`; one that is gone, or that the principal may not see, is no result.
    async fn object(&self, end: &ObjectPath) -> Result<Option<Object>> {
        let name = end.namespace.as_ref().unwrap_or(&self.cx.namespace);
        let Ok(served) = self.namespaces.find(name) else {
            return Ok(None);
        };
        let cx = Context {
            namespace: served.namespace,
            schema: served.schema,
            ..self.cx.clone()
        };
        let Ok(path) = cx.schema.instance_path(&cx.namespace, end) else {
            return Ok(None);
        };
        let instance = match lookup(&self.registry, &cx, &path).await {
            Ok(instance) => instance,
            Err(error) if error.status == Status::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let wanted = |class: &CimName| instance.class.is_a(class.as_str());
        Ok(self
            .filter
            .result
            .as_ref()
            .is_none_or(wanted)
            .then_some(Object {
                namespace: cx.namespace,
                instance,
            }))
    }
}

/// Whether a reference of that name is meant by the filter `role`.
pub(super) fn fits(role: Option<&CimName>, name: &CimName) -> bool {
    role.is_none_or(|role| role == name)
}

/// The objects without those that came before. Of a path 128 bits of a keyed hash are remembered.
fn distinct(objects: ObjectStream) -> ObjectStream {
    let (first, second) = (RandomState::new(), RandomState::new());
    let mut seen = HashSet::new();
    objects
        .filter_map(move |item| {
            let object = match item {
                Ok(object) => object,
                Err(error) => return ready(Some(Err(error))),
            };
            let path = object.path().to_string();
            let is_new = seen.insert((first.hash_one(&path), second.hash_one(&path)));
            if seen.len() > RESULTS_LIMIT {
                let text = format!("there are more than {RESULTS_LIMIT} results");
                return ready(Some(Err(CimError::failed(text))));
            }
            ready(is_new.then_some(Ok(object)))
        })
        .boxed()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use chrono::DateTime;
    use futures_util::stream::TryStreamExt;

    use super::*;
    use crate::broker::Arrival;
    use crate::model::{CimValue, Namespace};
    use crate::ops::{Addressed, Request, stream_of};
    use crate::provider::{Principal, Provider, Registration, Role};
    use crate::testing;

    const MOF: &str = "
        class T_Node { [Key] string Name; };
        class T_Leaf : T_Node { };
        [Association] class T_Link { [Key] T_Node REF Up; [Key] T_Node REF Down; };
        [Association] class T_Strong : T_Link { };
    ";

    const NODES: &[(&str, &str, &str)] = &[
        ("a", "T_Node", "n1"),
        ("a", "T_Node", "n2"),
        ("a", "T_Leaf", "l1"),
        ("b", "T_Leaf", "l9"),
    ];
    /// All of namespace `a`: the same object in several spellings, one twice, one that is gone.
    const LINKS: &[(&str, &str, &str)] = &[
        ("T_Link", "T_Node.Name=\"n1\"", "T_Node.Name=\"n2\""),
        ("T_Strong", "A:t_node.NAME=\"n1\"", "a:T_Node.Name=\"n2\""),
        (
            "T_Strong",
            "//other/a:T_Node.Name=\"n1\"",
            "T_Node.Name=\"l1\"",
        ),
        ("T_Link", "T_Node=\"n1\"", "b:T_Leaf.Name=\"l9\""),
        ("T_Link", "T_Node.Name=\"n1\"", "T_Node.Name=\"gone\""),
    ];

    struct World;

    impl Provider for World {
        fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
            let made = |class: &str, values: &[(&str, CimValue)]| {
                let class = cx.schema.class(class).expect("a class of the test");
                let mut instance = Instance::empty(class.clone());
                for (name, value) in values {
                    instance
                        .set(name, value.clone())
                        .expect("a value of the test");
                }
                instance
            };
            let reference = |path: &str| {
                CimValue::Reference(Box::new(path.parse().expect("a path of the test")))
            };
            let nodes = NODES
                .iter()
                .filter(|(home, ..)| cx.namespace.to_string() == *home);
            let nodes =
                nodes.map(|(_, class, name)| made(class, &[("Name", CimValue::string(*name))]));
            let links = LINKS.iter().filter(|_| cx.namespace.to_string() == "a");
            let links = links.map(|(class, up, down)| {
                made(class, &[("Up", reference(up)), ("Down", reference(down))])
            });
            let wanted = |instance: &Instance| instance.class.is_a(class.name.as_str());
            stream_of(nodes.chain(links).filter(wanted).collect())
        }
    }

    fn broker() -> Broker {
        let (a, b, schema) = (Namespace::of("a"), Namespace::of("b"), testing::schema(MOF));
        let namespaces = Namespaces::new().with(a.clone(), schema.clone());
        let namespaces = namespaces.with(b.clone(), schema);
        let world = Registration {
            name: "world",
            namespaces: vec![a, b],
            classes: vec![CimName::of("T_Node"), CimName::of("T_Link")],
            provider: Arc::new(World),
        };
        Broker::new(
            crate::provider::catalogue(namespaces),
            Registry::new(vec![world]).expect("one provider"),
            Arc::default(),
        )
    }

    #[expect(clippy::disallowed_methods, reason = "a deadline that no test reaches")]
    async fn asked(request: Request) -> Result<Vec<String>> {
        let arrival = Arrival {
            now: DateTime::UNIX_EPOCH,
            deadline: Instant::now(),
        };
        let principal = Principal::authenticated("tester", 1, Role::Reader);
        let namespace = Namespace::of("a");
        let addressed = Addressed { namespace, request };
        let mut found: Vec<String> = match broker().handle(principal, arrival, addressed).await? {
            Reply::ObjectPaths(paths) => {
                paths.map_ok(|path| path.to_string()).try_collect().await?
            }
            Reply::ClassPaths { classes, .. } => classes
                .iter()
                .map(|class| class.as_str().to_owned())
                .collect(),
            other => panic!("{other:?} where paths are expected"),
        };
        found.sort();
        Ok(found)
    }

    fn name(text: &'static str) -> Option<CimName> {
        (!text.is_empty()).then(|| CimName::of(text))
    }

    /// `filter` is AssocClass, ResultClass, Role, ResultRole.
    async fn associators(object: &str, filter: [&'static str; 4]) -> Result<Vec<String>> {
        let [association, result, role, result_role] = filter.map(name);
        asked(Request::AssociatorNames(AssociatorNames {
            object: object.parse().expect("a path of the test"),
            filter: AssociatorFilter {
                association,
                result,
                role,
                result_role,
            },
        }))
        .await
    }

    async fn references(object: &str, filter: [&'static str; 2]) -> Result<Vec<String>> {
        let [result, role] = filter.map(name);
        asked(Request::ReferenceNames(ReferenceNames {
            object: object.parse().expect("a path of the test"),
            filter: ReferenceFilter { result, role },
        }))
        .await
    }

    const N1: &str = "T_Node.Name=\"n1\"";
    const L1: &str = "a:T_Leaf.Name=\"l1\"";
    const N2: &str = "a:T_Node.Name=\"n2\"";
    const L9: &str = "b:T_Leaf.Name=\"l9\"";

    #[tokio::test]
    async fn each_result_comes_once_by_its_own_class_from_any_namespace() {
        for (filter, expected) in [
            (["", "", "", ""], &[L1, N2, L9][..]),
            (["t_strong", "", "", ""], &[L1, N2]),
            (["", "T_Leaf", "", ""], &[L1, L9]),
            (["", "", "UP", "Down"], &[L1, N2, L9]),
            (["", "", "Down", ""], &[]),
            (["", "", "", "Up"], &[]),
            (["T_Node", "", "", ""], &[]),
        ] {
            let found = associators(N1, filter).await.expect("results");
            assert_eq!(found, expected, "{filter:?}");
        }
        let back = associators("t_node.name=\"l1\"", ["", "", "", ""]).await;
        assert_eq!(back.expect("results"), ["a:T_Node.Name=\"n1\""]);
    }

    #[tokio::test]
    async fn associations_are_found_in_every_spelling_of_their_references() {
        for (filter, expected) in [
            (["", ""], 5),
            (["T_Strong", ""], 2),
            (["T_Link", "up"], 5),
            (["", "Down"], 0),
        ] {
            let found = references(N1, filter).await.expect("results");
            assert_eq!(found.len(), expected, "{filter:?}: {found:?}");
        }
    }

    #[tokio::test]
    async fn classes_are_associated_as_their_declarations_allow() {
        let classes = references("T_Leaf", ["", ""]).await.expect("classes");
        assert_eq!(classes, ["T_Link", "T_Strong"]);
        let strong = references("T_Leaf", ["T_Strong", "Up"])
            .await
            .expect("classes");
        assert_eq!(strong, ["T_Strong"]);
        let ends = associators("T_Leaf", ["", "", "", ""])
            .await
            .expect("classes");
        assert_eq!(ends, ["T_Node"]);
        let none = associators("T_Leaf", ["", "T_Leaf", "", ""])
            .await
            .expect("classes");
        assert!(none.is_empty(), "{none:?}");
    }

    #[tokio::test]
    async fn what_does_not_exist_is_told() {
        for (object, filter, expected) in [
            (N1, ["T_None", "", "", ""], Status::InvalidParameter),
            (N1, ["", "T_None", "", ""], Status::InvalidParameter),
            (
                "T_None.Name=\"x\"",
                ["", "", "", ""],
                Status::InvalidParameter,
            ),
            ("T_None", ["", "", "", ""], Status::InvalidParameter),
            ("T_Node.Name=\"gone\"", ["", "", "", ""], Status::NotFound),
            (
                "T_Node.Other=\"x\"",
                ["", "", "", ""],
                Status::InvalidParameter,
            ),
        ] {
            let error = associators(object, filter).await.expect_err("an error");
            assert_eq!(error.status, expected, "{object} {filter:?}: {error}");
        }
    }
}
