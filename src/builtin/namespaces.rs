//! CIM_Namespace in the interop namespace, and `__Namespace` everywhere: clients read them to find
//! their way, and create and delete namespaces by them.

use std::sync::Arc;

use crate::model::{
    CimError, CimName, CimType, CimValue, Class, ClassDecl, Flavor, FlavorUse, Instance,
    InstanceDecl, InstancePath, Literal, Namespace, PropertyDecl, QualifierDecl, QualifierUse,
    Result, Scope, TypeDecl,
};
use crate::ops::{BoxFuture, InstanceStream};
use crate::provider::fill::{self, Plain};
use crate::provider::{Act, Catalogue, Context, Provider, permit_administrators};
use crate::schema::{Builder, Schema};

use super::{Identity, manager, system};

/// The class of namespaces.
pub(super) const CLASS: &str = "CIM_Namespace";
/// The class of the namespaces below the one asked in, from before CIM had classes for them.
pub(super) const LEGACY_CLASS: &str = "__Namespace";
/// What is in our namespaces, in words.
const CONTENT: &str = "CIM 2.49 with the classes of Jobwright";

/// The provider of CIM_Namespace.
pub(super) struct Namespaces {
    pub(super) identity: Arc<Identity>,
    pub(super) catalogue: Arc<Catalogue>,
}

impl Namespaces {
    fn values(&self, name: &str) -> Vec<(&'static str, Plain)> {
        values(&self.identity, name)
    }

    /// Keys that a client gave must be those that the instance will have.
    fn fits(given: &Instance, made: &Instance) -> Result<()> {
        for key in made.class.key_properties() {
            let (asked, own) = (
                given.value(key.name.as_str()),
                made.value(key.name.as_str()),
            );
            if !asked.is_null() && asked != own {
                let text = format!("{}: the server gives it the value {own}", key.name);
                return Err(CimError::invalid_parameter(text));
            }
        }
        Ok(())
    }
}

/// What the instance of the namespace `name` says.
pub(super) fn values(identity: &Identity, name: &str) -> Vec<(&'static str, Plain)> {
    // ClassType 1 is Other, in words by DescriptionOfClassType; ClassInfo is its older form.
    vec![
        ("SystemCreationClassName", system::CLASS.into()),
        ("SystemName", (&*identity.host).into()),
        ("ObjectManagerCreationClassName", manager::CLASS.into()),
        ("ObjectManagerName", (&*identity.manager).into()),
        ("CreationClassName", CLASS.into()),
        ("Name", name.into()),
        ("ClassInfo", 1_u16.into()),
        ("DescriptionOfClassInfo", CONTENT.into()),
        ("ClassType", 1_u16.into()),
        ("DescriptionOfClassType", CONTENT.into()),
    ]
}

/// The path of the namespace `name`.
pub(super) fn path(identity: &Identity, name: &str) -> InstancePath {
    let keys = [
        ("SystemCreationClassName", system::CLASS),
        ("SystemName", &*identity.host),
        ("ObjectManagerCreationClassName", manager::CLASS),
        ("ObjectManagerName", &*identity.manager),
        ("CreationClassName", CLASS),
        ("Name", name),
    ];
    let key = |(name, value)| (CimName::of(name), CimValue::string(value));
    InstancePath {
        namespace: identity.interop.clone(),
        class: CimName::of(CLASS),
        keys: keys.map(key).into_iter().collect(),
    }
}

impl Provider for Namespaces {
    /// The catalogue tells, whoever asked it to make or remove a namespace.
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let namespaces = self.catalogue.namespaces();
        fill::instances_of(cx, CLASS, class, |own| {
            let names = namespaces.iter().map(|(name, _)| name.as_str());
            names
                .map(|name| fill::instance(own, self.values(name)))
                .collect()
        })
    }

    fn permit(&self, cx: &Context, _class: &Class, act: Act<'_>) -> Result<()> {
        permit_administrators(cx, act)
    }

    /// Clients give the name alone.
    fn complete(&self, _cx: &Context, class: &Arc<Class>, instance: &mut InstanceDecl) {
        let Ok(made) = fill::instance(class, self.values("")) else {
            return;
        };
        for value in InstanceDecl::from(&made).properties {
            if !value.name.is("Name") && instance.get(value.name.as_str()).is_none() {
                instance.properties.push(value);
            }
        }
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let name = named(&instance)?;
            let made = fill::instance(&instance.class, self.values(name.as_str()))?;
            Self::fits(&instance, &made)?;
            self.catalogue.create_namespace(&name, cx.now).await?;
            Ok(made.path(&cx.namespace))
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let found = self.get(cx, path).await?;
            self.catalogue
                .delete_namespace(&named(&found)?, cx.now)
                .await
        })
    }
}

/// The namespace that the property Name says.
fn named(instance: &Instance) -> Result<Namespace> {
    let name = instance.value("Name").as_str();
    let missing = || CimError::invalid_parameter("Name: a namespace has a name");
    Namespace::new(name.ok_or_else(missing)?)
        .map_err(|error| CimError::invalid_parameter(format!("Name: {error}")))
}

/// The provider of `__Namespace`.
pub(super) struct Legacy {
    pub(super) catalogue: Arc<Catalogue>,
}

impl Legacy {
    /// The namespace `child` below the one asked in. A child may be deeper than one level, where the
    /// levels between are no namespaces.
    fn below(cx: &Context, child: &Namespace) -> Result<Namespace> {
        Namespace::new(&format!("{}/{child}", cx.namespace))
            .map_err(|error| CimError::invalid_parameter(format!("Name: {error}")))
    }
}

/// What `name` is called in `outer`, which it is below.
pub(super) fn name_in<'a>(outer: &Namespace, name: &'a Namespace) -> Option<&'a str> {
    let length = outer.as_str().len();
    let inner = name.is_below(outer).then_some(name.as_str());
    inner.and_then(|inner| inner.get(length + 1..))
}

impl Provider for Legacy {
    /// The catalogue tells, whoever asked it to make or remove a namespace.
    fn tells(&self) -> bool {
        true
    }

    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        let namespaces = self.catalogue.namespaces();
        fill::instances_of(cx, LEGACY_CLASS, class, |own| {
            let names = namespaces.iter().map(|(name, _)| name);
            let names = names.filter_map(|name| name_in(&cx.namespace, name));
            names
                .map(|name| fill::instance(own, [("Name", name.into())]))
                .collect()
        })
    }

    fn permit(&self, cx: &Context, _class: &Class, act: Act<'_>) -> Result<()> {
        permit_administrators(cx, act)
    }

    fn create<'a>(
        &'a self,
        cx: &'a Context,
        instance: Instance,
    ) -> BoxFuture<'a, Result<InstancePath>> {
        Box::pin(async move {
            let name = Self::below(cx, &named(&instance)?)?;
            self.catalogue.create_namespace(&name, cx.now).await?;
            Ok(instance.path(&cx.namespace))
        })
    }

    fn delete<'a>(&'a self, cx: &'a Context, path: &'a InstancePath) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let found = self.get(cx, path).await?;
            let name = Self::below(cx, &named(&found)?)?;
            self.catalogue.delete_namespace(&name, cx.now).await
        })
    }
}

/// The schema in which `__Namespace` is declared: it is in no namespace's own one, since a new
/// namespace has no class and can have others below it all the same.
///
/// # Errors
/// None that can happen: the declaration is ours.
pub fn reserved() -> Result<Arc<Schema>> {
    let key = CimName::of("Key");
    let mut builder = Builder::new();
    builder.qualifier(QualifierDecl {
        name: key.clone(),
        ty: CimType::Boolean,
        is_array: false,
        array_size: None,
        default: CimValue::Boolean(false),
        scope: Scope::PROPERTY,
        flavor: Flavor {
            overridable: false,
            ..Flavor::default()
        },
    });
    builder.class(ClassDecl {
        name: CimName::of(LEGACY_CLASS),
        superclass: None,
        qualifiers: Vec::new(),
        properties: vec![PropertyDecl {
            name: CimName::of("Name"),
            ty: TypeDecl::scalar(CimType::String),
            qualifiers: vec![QualifierUse {
                name: key,
                value: Some(Literal::Boolean(true)),
                ty: None,
                flavor: FlavorUse::default(),
                propagated: false,
            }],
            default: None,
            origin: None,
            propagated: false,
        }],
        methods: Vec::new(),
    });
    let failed = |errors: Vec<_>| CimError::failed(format!("{LEGACY_CLASS}: {errors:?}"));
    builder.build().map(Arc::new).map_err(failed)
}
