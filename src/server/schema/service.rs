//! JW_SchemaService: MOF is compiled into the running server, all of it or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::builtin::Identity;
use crate::model::{
    CimError, CimName, CimType, CimValue, Class, InstancePath, Method, Namespace, Result,
};
use crate::mof::{Compilation, Diagnostic, Limits, compile, embedded_instance, render};
use crate::ops::{BoxFuture, InstanceStream, MethodReply};
use crate::provider::{
    Act, Arguments, Catalogue, Context, Namespaces, NewInstance, Provider, Refused, Registration,
    fill, permit_service,
};
use crate::schema::{DeclError, Declared, Edit, InstanceFault, declared_instances};

use super::instances::declared;
use super::judge::FAULTS_LIMIT;

/// The class of the one service.
const CLASS: &str = "JW_SchemaService";
/// Its one method.
const METHOD: &str = "CompileMOF";
/// `Name` of the one service.
const NAME: &str = "schema";

/// `OperationalStatus` of what works.
const WORKS: &[u16] = &[2];

/// Return values of CompileMOF.
mod code {
    /// Everything was taken.
    pub(super) const COMPLETED: u32 = 0;
    /// Nothing was taken; the diagnostics say why.
    pub(super) const REJECTED: u32 = 5;
}

/// Texts by their names.
type Texts = BTreeMap<String, Vec<u8>>;

/// The provider of the one service.
struct SchemaService {
    host: Arc<str>,
    catalogue: Arc<Catalogue>,
}

/// The service that changes `catalogue`, in the namespaces that `identity` names.
pub(in crate::server) fn registration(
    identity: &Identity,
    catalogue: &Arc<Catalogue>,
) -> Registration {
    let provider = SchemaService {
        host: identity.host.clone(),
        catalogue: catalogue.clone(),
    };
    Registration {
        name: "schema service",
        namespaces: identity.namespaces.clone(),
        classes: vec![CimName::of(CLASS)],
        provider: Arc::new(provider),
    }
}

impl SchemaService {
    async fn compile(&self, cx: &Context, given: &Arguments) -> Result<MethodReply> {
        let namespace = match given.value("Namespace").as_str() {
            None => cx.namespace.clone(),
            Some(text) => Namespace::new(text)
                .map_err(|error| CimError::invalid_parameter(format!("Namespace: {error}")))?,
        };
        self.catalogue.find(&namespace)?;
        let (names, texts) = texts(given)?;
        let compiled = tokio::task::spawn_blocking(move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            compile(&names, &texts, Limits::default())
        });
        let compilation = compiled
            .await
            .map_err(|error| CimError::failed(error.to_string()))?;
        let mut told = shown(&compilation.diagnostics, &compilation);
        if compilation.has_errors() {
            return Ok(reply(code::REJECTED, told));
        }
        let batches = batches(&compilation, &namespace);
        let mut faults = Vec::new();
        let make = |namespaces: &Namespaces| {
            instances(&compilation, &namespace, namespaces).map_err(|found| {
                faults = found;
                // What the client is told is in `faults`.
                Refused::Unsound(Vec::new())
            })
        };
        match self.catalogue.put_all(cx, batches, make).await {
            Ok(()) => Ok(reply(code::COMPLETED, told)),
            Err(Refused::Unsound(errors)) => {
                // To find places takes time: nobody else waits for it, and nobody reads more of them.
                let work = move || {
                    let found = errors.iter().take(FAULTS_LIMIT);
                    told.extend(found.map(|error| located(error, &compilation)));
                    if errors.len() > FAULTS_LIMIT {
                        told.push(format!("more than {FAULTS_LIMIT} faults; giving up"));
                    }
                    told.extend(shown(&faults, &compilation));
                    told
                };
                let told = tokio::task::spawn_blocking(work).await;
                let told = told.map_err(|error| CimError::failed(error.to_string()))?;
                Ok(reply(code::REJECTED, told))
            }
            Err(Refused::Other(error)) => Err(error),
        }
    }
}

impl Provider for SchemaService {
    fn instances(&self, cx: &Context, class: &Arc<Class>) -> InstanceStream {
        fill::instances_of(cx, CLASS, class, |own| {
            let values = [
                ("SystemCreationClassName", "CIM_ComputerSystem".into()),
                ("SystemName", (&*self.host).into()),
                ("CreationClassName", CLASS.into()),
                ("Name", NAME.into()),
                ("ElementName", "Jobwright schema service".into()),
                ("OperationalStatus", WORKS.into()),
                ("HealthState", 5_u16.into()),
                ("EnabledState", 2_u16.into()),
                ("Started", true.into()),
            ];
            Ok(vec![fill::instance(own, values)?])
        })
    }

    fn permit(&self, cx: &Context, class: &Class, act: Act<'_>) -> Result<()> {
        permit_service(cx, class, act, METHOD)
    }

    fn invoke<'a>(
        &'a self,
        cx: &'a Context,
        _class: &'a Arc<Class>,
        path: Option<&'a InstancePath>,
        call: (&'a Method, Arguments),
    ) -> BoxFuture<'a, Result<MethodReply>> {
        Box::pin(async move {
            if let Some(path) = path {
                self.get(cx, path).await?;
            }
            let (method, given) = call;
            if method.name.is(METHOD) {
                return self.compile(cx, &given).await;
            }
            let text = format!("{CLASS} does not implement {}", method.name);
            Err(CimError::method_not_available(text))
        })
    }
}

/// The names of the texts in their order, and the texts by their names.
fn texts(given: &Arguments) -> Result<(Vec<String>, Texts)> {
    let entries = |name: &str| -> Result<Vec<String>> {
        let missing = || CimError::invalid_parameter(format!("{name}: an entry is NULL"));
        let entries = given.value(name).as_array().unwrap_or_default().iter();
        let entries = entries.map(|entry| entry.as_str().map(str::to_owned));
        entries.collect::<Option<_>>().ok_or_else(missing)
    };
    let (names, texts) = (entries("Names")?, entries("Texts")?);
    if names.len() != texts.len() {
        let text = format!("{} Names and {} Texts", names.len(), texts.len());
        return Err(CimError::invalid_parameter(text));
    }
    let bytes = texts.into_iter().map(String::into_bytes);
    let by_name: Texts = names.iter().cloned().zip(bytes).collect();
    if by_name.len() != names.len() {
        return Err(CimError::invalid_parameter("Names: a name is given twice"));
    }
    Ok((names, by_name))
}

/// The declarations of each namespace, qualifiers before the classes that use them.
fn batches(compilation: &Compilation, namespace: &Namespace) -> Vec<(Namespace, Vec<Edit>)> {
    let mut batches: Vec<(Namespace, Vec<Edit>)> = Vec::new();
    for batch in &compilation.batches {
        let own = batch.namespace.as_ref().unwrap_or(namespace);
        let qualifiers = batch.qualifiers.iter().cloned().map(Edit::Qualifier);
        let classes = batch.classes.iter().cloned().map(Edit::Class);
        let edits = qualifiers.chain(classes);
        match batches.iter_mut().find(|(name, _)| name == own) {
            Some((_, known)) => known.extend(edits),
            None => batches.push((own.clone(), edits.collect())),
        }
    }
    batches
}

/// The instances of the texts, once the schemas are what the texts make of them.
fn instances(
    compilation: &Compilation,
    main: &Namespace,
    namespaces: &Namespaces,
) -> std::result::Result<Vec<NewInstance>, Vec<Diagnostic>> {
    let mut placed = Vec::new();
    for batch in &compilation.batches {
        let name = batch.namespace.as_ref().unwrap_or(main);
        // A namespace that does not exist was refused with its classes, or has no instances.
        if let Ok(served) = namespaces.find(name) {
            placed.extend(batch.instances.iter().map(|one| (one, served.clone())));
        }
    }
    placed.sort_by_key(|(instance, _)| instance.span);
    let all: Vec<Declared<'_>> = placed
        .iter()
        .map(|(instance, served)| declared(instance, &served.schema, &served.namespace))
        .collect();
    let fault = |(at, fault): (usize, InstanceFault)| {
        let (instance, _) = placed[at];
        let span = match fault.property {
            Some(index) => instance.value_spans[index],
            None => instance.span,
        };
        let mut told = Diagnostic::declaration(fault.kind.code(), span, fault.to_string());
        told.hint = fault.kind.hint().map(Into::into);
        told
    };
    let made = declared_instances(&all, &embedded_instance)
        .map_err(|faults| faults.into_iter().map(fault).collect::<Vec<_>>())?;
    let new = made.into_iter().map(|(at, instance)| NewInstance {
        namespace: placed[at].1.namespace.clone(),
        schema: placed[at].1.schema.clone(),
        instance,
    });
    Ok(new.collect())
}

fn shown(diagnostics: &[Diagnostic], compilation: &Compilation) -> Vec<String> {
    let sources = &compilation.sources;
    let shown = diagnostics.iter().map(|found| render(found, sources));
    shown.collect()
}

/// The error of the schema at its place in the text.
fn located(error: &DeclError, compilation: &Compilation) -> String {
    let mut batches = compilation.batches.iter();
    let place = batches.find_map(|batch| batch.locate(&error.element));
    let Some(span) = place else {
        return error.to_string();
    };
    let mut diagnostic = Diagnostic::declaration(error.kind.code(), span, error.to_string());
    diagnostic.hint = error.kind.hint().map(Into::into);
    render(&diagnostic, &compilation.sources)
}

fn reply(code: u32, diagnostics: Vec<String>) -> MethodReply {
    let mut reply = MethodReply::code(code);
    if !diagnostics.is_empty() {
        let entries = diagnostics.into_iter().map(CimValue::string).collect();
        reply.outputs.push((
            CimName::of("Diagnostics"),
            CimType::String,
            CimValue::Array(entries),
        ));
    }
    reply
}
