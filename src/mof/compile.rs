//! The compilation of files: includes, namespaces, aliases.
//!
//! An include has the effect of its text standing in its place (DSP0004 2.8 §7.11), so a namespace
//! pragma in an included file holds on behind it. A file is read once.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use crate::model::{CimName, InstanceDecl, Literal, Namespace, PropertyValue};

use super::ast::{InstanceDeclaration, Item, Pragma, Value, Word, shortened};
use super::compilation::{AliasUse, Batch, Compilation, MofInstance};
use super::diagnostic::{Code, Diagnostic, Diagnostics, Note, meant};
use super::lexer::words;
use super::locate::Declared;
use super::lower::{self, Context};
use super::names::{Names, Texts};
use super::parser::Parser;
use super::source::{FileId, SourceError, Sources, Span, resolve};

/// Longest text whose offsets fit 32 bits even when every byte of it had to be replaced.
const TEXT_LIMIT_BYTES: usize = 1 << 30;

/// The pragmas that mean something here.
const PRAGMAS: [&str; 4] = ["include", "namespace", "locale", "instancelocale"];

/// How much is read before the compiler gives up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: usize,
    /// Bytes of all files together.
    pub total_bytes: usize,
    /// Number of files.
    pub files: usize,
    /// How deep includes nest; a root has depth 0.
    pub include_depth: usize,
    /// Number of tokens of all files together, which bounds the memory that declarations take.
    pub tokens: usize,
    /// Number of diagnostics.
    pub diagnostics: usize,
}

/// At least ten times what the whole of CIM 2.49 needs.
impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            total_bytes: 256 << 20,
            files: 16_384,
            include_depth: 16,
            tokens: 8 << 20,
            diagnostics: 200,
        }
    }
}

/// Compiles the files `roots` of `sources` with everything they include, as one unit.
///
/// A file that several roots share is read for the first of them.
pub fn compile(roots: &[&str], sources: &dyn Sources, limits: Limits) -> Compilation {
    let diagnostics = Diagnostics::new(limits.diagnostics);
    let names = Names::default();
    let texts = Texts::default();
    let tokens = Cell::new(limits.tokens);
    let mut compiler = Compiler {
        sources,
        tokens_left: &tokens,
        texts: &texts,
        limits,
        context: Context {
            names: &names,
            diagnostics: &diagnostics,
        },
        diagnostics: &diagnostics,
        total_bytes: 0,
        done: Compilation::default(),
        read: HashMap::new(),
        root: 0,
        open: Vec::new(),
        batch: None,
        aliases: HashMap::new(),
        lost: Vec::new(),
    };
    for root in roots {
        compiler.root(root);
    }
    let mut done = compiler.finish();
    done.diagnostics = diagnostics.into_list();
    done
}

/// The state of a compilation.
struct Compiler<'s> {
    sources: &'s dyn Sources,
    limits: Limits,
    context: Context<'s>,
    diagnostics: &'s Diagnostics,
    /// How many tokens may still be read.
    tokens_left: &'s Cell<usize>,
    texts: &'s Texts,
    total_bytes: usize,
    done: Compilation,
    /// Files read so far, each with the root that led to it and the include that asked for it.
    read: HashMap<String, (usize, Option<Span>)>,
    /// Number of the root being read.
    root: usize,
    /// Files being read, the root first.
    open: Vec<String>,
    /// Index of the batch that declarations go to.
    batch: Option<usize>,
    /// Aliases given so far.
    aliases: HashMap<CimName, Span>,
    /// The places of what could not be read.
    lost: Vec<Span>,
}

/// Where an item stands.
#[derive(Clone, Copy)]
struct Place<'t> {
    /// The text of its file.
    text: &'t Arc<str>,
    /// Where it starts.
    start: u32,
    /// How many errors there were before it.
    errors: usize,
}

impl Place<'_> {
    fn declared(self, name: &CimName, word: Word<'_>) -> Declared {
        Declared {
            name: name.clone(),
            span: word.span,
            start: self.start,
            text: self.text.clone(),
            places: OnceLock::new(),
        }
    }
}

impl<'s> Compiler<'s> {
    fn root(&mut self, name: &str) {
        self.batch = None;
        self.root += 1;
        if self.read.contains_key(name) {
            return;
        }
        if let Err((code, why)) = self.file(name.to_owned(), None) {
            let file = self.done.sources.add(name.to_owned(), Arc::from(""));
            let (start, end) = (0, 0);
            self.report(code, Span { file, start, end }, format!("`{name}`: {why}"));
        }
    }

    fn report(&self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(code, span, message));
    }

    /// Reads the file `name` with everything it includes.
    fn file(&mut self, name: String, from: Option<Span>) -> Result<(), (Code, String)> {
        if self.read.len() >= self.limits.files {
            let why = format!("more than {} files", self.limits.files);
            return Err((Code::TooManyFiles, why));
        }
        let bytes = self.bytes(&name)?;
        self.read.insert(name.clone(), (self.root, from));
        let file = self.source(&name, &bytes);
        self.open.push(name);
        let text = self.done.sources.text(file);
        let mut parser = Parser::new(file, &text, self.texts, self.diagnostics, self.tokens_left);
        loop {
            let place = Place {
                text: &text,
                start: parser.peek(0).span().start,
                errors: self.diagnostics.errors(),
            };
            match parser.next_item() {
                Some(Ok(item)) => self.item(item, place),
                Some(Err(place)) => self.lost.push(place),
                None => break,
            }
        }
        self.open.pop();
        Ok(())
    }

    fn bytes(&mut self, name: &str) -> Result<Cow<'s, [u8]>, (Code, String)> {
        let rest = self.limits.total_bytes - self.total_bytes;
        let limit = self.limits.file_bytes.min(rest).min(TEXT_LIMIT_BYTES);
        let read = self.sources.read(name, limit);
        let bytes = match read {
            Ok(bytes) if bytes.len() > limit => Err(SourceError::TooLarge(limit)),
            other => other,
        };
        let bytes = bytes.map_err(|error| {
            let code = match error {
                SourceError::TooLarge(_) => Code::FileTooLarge,
                SourceError::Missing | SourceError::Unreadable(_) => Code::IncludeMissing,
            };
            (code, error.to_string())
        })?;
        self.total_bytes += bytes.len();
        Ok(bytes)
    }

    /// Keeps a text.
    fn source(&mut self, name: &str, bytes: &[u8]) -> FileId {
        let (text, valid_bytes) = match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), bytes.len()),
            Err(error) => (String::from_utf8_lossy(bytes).into(), error.valid_up_to()),
        };
        let file = self.done.sources.add(name.to_owned(), text);
        if valid_bytes < bytes.len() {
            let start = u32::try_from(valid_bytes).expect("TEXT_LIMIT_BYTES fits 32 bits");
            let end = start;
            let message = "a byte that is not UTF-8";
            let diagnostic = Diagnostic::new(Code::NotUtf8, Span { file, start, end }, message)
                .hint("save the file as UTF-8");
            self.diagnostics.push(diagnostic);
        }
        file
    }

    fn item(&mut self, item: Item<'_>, place: Place<'_>) {
        match item {
            Item::Pragma(pragma) => self.pragma(&pragma),
            Item::Qualifier(qualifier) => {
                let word = qualifier.name;
                if let Some(decl) = lower::qualifier(qualifier, self.context) {
                    let batch = self.batch();
                    let declared = place.declared(&decl.name, word);
                    batch.declared_qualifiers.push(declared);
                    batch.qualifiers.push(decl);
                }
            }
            Item::Class(class) => {
                let (broken, word) = (class.broken, class.name);
                if let Some(decl) = lower::class(class, self.context) {
                    let broken = broken || self.diagnostics.errors() > place.errors;
                    let batch = self.batch();
                    batch.broken.extend(broken.then(|| decl.name.clone()));
                    let declared = place.declared(&decl.name, word);
                    batch.declared_classes.push(declared);
                    batch.classes.push(decl);
                }
            }
            Item::Instance(instance) => self.instance(instance, place.errors),
        }
    }

    /// The batch of the current namespace.
    fn batch(&mut self) -> &mut Batch {
        let index = self.batch.unwrap_or_else(|| self.enter(None));
        &mut self.done.batches[index]
    }

    /// Sends what follows to `namespace`.
    fn enter(&mut self, namespace: Option<Namespace>) -> usize {
        let batches = &mut self.done.batches;
        let known = batches
            .iter()
            .position(|batch| batch.namespace == namespace);
        let index = known.unwrap_or_else(|| {
            batches.push(Batch::new(namespace));
            batches.len() - 1
        });
        self.batch = Some(index);
        index
    }

    fn pragma(&mut self, pragma: &Pragma<'_>) {
        const OBSOLETE: [&str; 4] = ["source", "nonlocal", "nonlocaltype", "sourcetype"];
        let name = pragma.name;
        let [(text, span)] = pragma.arguments.as_slice() else {
            self.pragma_without_text(pragma);
            return;
        };
        if name.is("include") {
            self.include(text, *span);
        } else if name.is("namespace") {
            match Namespace::new(text) {
                Ok(namespace) => {
                    self.enter(Some(namespace));
                }
                Err(error) => self.report(Code::BadNamespace, *span, error.to_string()),
            }
        } else if OBSOLETE.iter().any(|obsolete| name.is(obsolete)) {
            let message = format!("the pragma `{}` is obsolete; it is ignored", name.shown());
            self.report(Code::ObsoletePragma, pragma.span, message);
        } else if !(name.is("locale") || name.is("instancelocale")) {
            self.unknown_pragma(pragma);
        }
    }

    fn pragma_without_text(&self, pragma: &Pragma<'_>) {
        if PRAGMAS.iter().any(|known| pragma.name.is(known)) {
            let message = format!("the pragma `{}` takes one string", pragma.name.shown());
            self.report(Code::BadPragma, pragma.span, message);
        } else {
            self.unknown_pragma(pragma);
        }
    }

    fn unknown_pragma(&self, pragma: &Pragma<'_>) {
        let name = pragma.name.shown();
        let message = format!("the pragma `{name}` is not known; it is ignored");
        let mut diagnostic = Diagnostic::new(Code::UnknownPragma, pragma.span, message);
        diagnostic.hint = meant(pragma.name.text, PRAGMAS);
        self.diagnostics.push(diagnostic);
    }

    fn include(&mut self, text: &str, span: Span) {
        let from = self.open.last().map_or("", String::as_str);
        let Some(name) = resolve(from, text) else {
            let message = format!("`{}` is not below the root folder", shortened(text));
            self.report(Code::IncludeOutsideRoot, span, message);
            return;
        };
        if self.open.contains(&name) {
            let message = format!(
                "`{name}` includes itself: {} -> {name}",
                self.open.join(" -> ")
            );
            self.report(Code::IncludeCycle, span, message);
        } else if let Some((root, first)) = self.read.get(&name) {
            // Roots may share files: `check a.mof b.mof` where both include the qualifiers.
            if *root == self.root {
                let message = format!("`{name}` was included before; it is not read again");
                let mut diagnostic = Diagnostic::new(Code::DuplicateInclude, span, message);
                diagnostic.note = first.map(|span| Note::new(span, "the first include"));
                self.diagnostics.push(diagnostic);
            }
        } else if self.open.len() > self.limits.include_depth {
            let message = format!("includes nest deeper than {}", self.limits.include_depth);
            self.report(Code::IncludeTooDeep, span, message);
        } else if let Err((code, why)) = self.file(name.clone(), Some(span)) {
            self.report(code, span, format!("`{}`: {why}", shortened(&name)));
        }
    }

    fn instance(&mut self, instance: InstanceDeclaration<'_>, errors: usize) {
        let c = self.context;
        let broken = instance.broken;
        let Some(class) = lower::name(instance.class, c) else {
            return;
        };
        let mut lowered = MofInstance {
            decl: InstanceDecl {
                class,
                properties: Vec::with_capacity(instance.values.len()),
            },
            alias: None,
            references: Vec::new(),
            broken,
            span: instance.class.span,
            name_spans: Vec::with_capacity(instance.values.len()),
            value_spans: Vec::with_capacity(instance.values.len()),
        };
        if let Some(alias) = instance.alias
            && let Some(name) = lower::alias(alias, c)
        {
            self.name_instance(&name, alias.span);
            lowered.alias = Some(name);
        }
        for assignment in instance.values {
            if let Some(name) = lower::name(assignment.name, c) {
                lowered.name_spans.push(assignment.name.span);
                lowered.assign(name, assignment.value, c);
            }
        }
        lowered.broken |= c.diagnostics.errors() > errors;
        self.batch().instances.push(lowered);
    }

    fn name_instance(&mut self, alias: &CimName, span: Span) {
        if let Some(first) = self.aliases.get(alias) {
            let message = format!("the alias `${alias}` is given twice");
            let diagnostic = Diagnostic::new(Code::DuplicateAlias, span, message)
                .note(*first, "it is given here first");
            self.diagnostics.push(diagnostic);
        } else {
            self.aliases.insert(alias.clone(), span);
        }
    }

    fn finish(mut self) -> Compilation {
        self.done.lost_names = self.lost_names();
        let instances = self.done.batches.iter().flat_map(|batch| &batch.instances);
        for reference in instances.flat_map(|instance| &instance.references) {
            let alias = &reference.alias;
            if self.aliases.contains_key(alias) || self.done.lost_names.contains(alias) {
                continue;
            }
            let message = format!("no instance has the alias `${alias}`");
            let mut diagnostic = Diagnostic::new(Code::UnknownAlias, reference.span, message);
            if !self.diagnostics.is_full() {
                let known = self.aliases.keys().map(CimName::as_str);
                diagnostic.hint = meant(alias.as_str(), known);
            }
            self.diagnostics.push(diagnostic);
        }
        self.done
    }

    /// The words in what could not be read: any of them may have been declared there.
    fn lost_names(&self) -> HashSet<CimName> {
        let mut names = HashSet::new();
        for place in &self.lost {
            let file = self.done.sources.file(*place);
            words(
                &file.text[place.start as usize..place.end as usize],
                &mut names,
            );
        }
        names
    }
}

impl MofInstance {
    fn assign(&mut self, name: CimName, value: Value<'_>, c: Context<'_>) {
        let property = self.decl.properties.len();
        for place in value.aliases {
            if let Some(alias) = lower::alias(place.alias, c) {
                self.references.push(AliasUse {
                    property,
                    entry: place.entry,
                    alias,
                    span: place.alias.span,
                });
            }
        }
        self.value_spans.push(value.span);
        self.decl.properties.push(PropertyValue {
            name,
            ty: None,
            is_array: matches!(value.literal, Literal::Array(_)),
            value: value.literal,
        });
    }
}
