//! `mof print`: the classes of a server or of files as MOF text.

use std::process::ExitCode;

use crate::client::Client;
use crate::model::{
    CimError, CimName, CimType, ClassDecl, Flavor, FlavorUse, NameMap, Namespace, QualifierDecl,
    QualifierUse,
};
use crate::mof::{
    Batch, Compilation, Embedded, Limits, Printer, ROOTS, Severity, compile, dependency_order,
    render,
};
use crate::ops::ClassSelect;
use crate::server::{StartError, compiled};

use super::super::args::MofPrint;
use super::super::{CliError, output, target};

/// Runs `mof print`.
pub async fn run(arguments: MofPrint) -> Result<ExitCode, CliError> {
    let names = arguments.classes.iter().map(|name| named(name));
    let names: Vec<CimName> = names.collect::<Result<_, _>>()?;
    let namespace = arguments.namespace.as_deref().map(|text| {
        let wrong = |error| CliError::Usage(format!("--namespace {text}: {error}"));
        Namespace::new(text).map_err(wrong)
    });
    let namespace = namespace.transpose()?;
    let mut printer = Printer::new();
    if arguments.embedded || !arguments.schema.is_empty() {
        let compilations = declared(&arguments)?;
        from_files(&mut printer, &compilations, namespace.as_ref(), &names)?;
    } else {
        let client = target::connect(&arguments.target)?;
        let namespace = namespace.unwrap_or_else(target::namespace);
        from_server(&mut printer, &client, &namespace, &names).await?;
    }
    let (text, losses) = printer.finish();
    output::print(&text)?;
    for loss in &losses {
        eprintln!("jobwright: MOF has no form for this: {loss}");
    }
    Ok(if losses.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn named(text: &str) -> Result<CimName, CliError> {
    CimName::new(text).map_err(|error| CliError::Usage(format!("the class \"{text}\": {error}")))
}

/// What the files declare, when all of them are sound.
fn declared(arguments: &MofPrint) -> Result<Vec<Compilation>, CliError> {
    if arguments.embedded {
        return Ok(vec![compile(&ROOTS, &Embedded, Limits::default())]);
    }
    let compilations = arguments.schema.iter().map(|path| compiled(path));
    let compilations: Vec<_> = compilations
        .collect::<Result<_, _>>()
        .map_err(CliError::Mof)?;
    let mut faults = Vec::new();
    for compilation in &compilations {
        for diagnostic in &compilation.diagnostics {
            let shown = render(diagnostic, &compilation.sources);
            match diagnostic.severity {
                Severity::Error => faults.push(shown),
                Severity::Warning => eprintln!("{shown}\n"),
            }
        }
    }
    if faults.is_empty() {
        Ok(compilations)
    } else {
        Err(CliError::Mof(StartError::Schema(faults.join("\n\n"))))
    }
}

fn from_files(
    printer: &mut Printer,
    compilations: &[Compilation],
    namespace: Option<&Namespace>,
    names: &[CimName],
) -> Result<(), CliError> {
    let batches = compilations.iter().flat_map(|files| &files.batches);
    let batches =
        batches.filter(|batch| namespace.is_none() || batch.namespace.as_ref() == namespace);
    let batches: Vec<&Batch> = batches.collect();
    let has = |name: &CimName| {
        let mut classes = batches.iter().flat_map(|batch| &batch.classes);
        classes.any(|class| class.name == *name)
    };
    if let Some(missing) = names.iter().find(|name| !has(name)) {
        let text = format!("the class {missing} does not exist");
        return Err(CliError::Client(CimError::not_found(text).into()));
    }
    for batch in batches {
        let wanted = batch.classes.iter();
        let wanted: Vec<_> = wanted
            .filter(|class| names.is_empty() || names.contains(&class.name))
            .cloned()
            .collect();
        if wanted.is_empty() && !names.is_empty() {
            continue;
        }
        if let Some(namespace) = &batch.namespace {
            printer.namespace(namespace);
        }
        if names.is_empty() {
            all(printer, &batch.qualifiers, &wanted);
            for instance in &batch.instances {
                printer.mof_instance(instance);
            }
        } else {
            for class in &wanted {
                printer.class(class);
            }
        }
    }
    Ok(())
}

/// Qualifier declarations, then classes so that one pass over them is enough.
fn all(printer: &mut Printer, qualifiers: &[QualifierDecl], classes: &[ClassDecl]) {
    for decl in qualifiers {
        printer.qualifier(decl);
    }
    for at in dependency_order(classes) {
        printer.class(&classes[at]);
    }
}

async fn from_server(
    printer: &mut Printer,
    client: &Client,
    namespace: &Namespace,
    names: &[CimName],
) -> Result<(), CliError> {
    let qualifiers = client.enumerate_qualifiers(namespace).await?;
    let entries = qualifiers.iter().map(|decl| (decl.name.clone(), decl));
    let declared: NameMap<&QualifierDecl> = entries.collect();
    let select = ClassSelect::default();
    if names.is_empty() {
        let mut classes = client.enumerate_classes(namespace, None, select).await?;
        for class in &mut classes {
            as_written(class, &declared);
        }
        all(printer, &qualifiers, &classes);
        return Ok(());
    }
    for name in names {
        let class = client.get_class(namespace, name.clone(), select.clone());
        let mut class = class.await?;
        as_written(&mut class, &declared);
        printer.class(&class);
    }
    Ok(())
}

/// Leaves out the flavors that the declarations of the qualifiers say already: CIM-XML gives
/// every use the flavors in effect.
fn as_written(class: &mut ClassDecl, declared: &NameMap<&QualifierDecl>) {
    let methods = class.methods.iter_mut().flat_map(|method| {
        let parameters = method.parameters.iter_mut();
        let parameters = parameters.flat_map(|parameter| &mut parameter.qualifiers);
        method.qualifiers.iter_mut().chain(parameters)
    });
    let properties = class.properties.iter_mut();
    let properties = properties.flat_map(|property| &mut property.qualifiers);
    let uses = class.qualifiers.iter_mut().chain(properties).chain(methods);
    for used in uses {
        if let Some(declared) = declared.get(used.name.as_str()) {
            used.flavor = said(used, declared.flavor);
        }
        if used.ty == Some(CimType::Boolean) && is_true(used) {
            used.value = None;
        }
    }
}

/// Whether a qualifier may stand alone: `[Key]`.
fn is_true(used: &QualifierUse) -> bool {
    let value = used.value.as_ref();
    let value = value.and_then(|literal| literal.resolve(CimType::Boolean, false).ok());
    value.and_then(|value| value.as_bool()) == Some(true)
}

fn said(used: &QualifierUse, declared: Flavor) -> FlavorUse {
    let usual = Flavor::default();
    let said = |written: Option<bool>, usual: bool, declared: bool| {
        Some(written.unwrap_or(usual)).filter(|effective| *effective != declared)
    };
    let written = used.flavor;
    FlavorUse {
        overridable: said(written.overridable, usual.overridable, declared.overridable),
        to_subclass: said(written.to_subclass, usual.to_subclass, declared.to_subclass),
        translatable: said(
            written.translatable,
            usual.translatable,
            declared.translatable,
        ),
        to_instance: said(written.to_instance, usual.to_instance, declared.to_instance),
    }
}
