//! The declarations of the start, kept between starts: who starts with the same MOF compiles nothing.
//!
//! The file belongs to the program that wrote it and to the texts that were read, each known by its
//! content. It is never needed: what is absent, damaged or of something else is made again.

#![expect(
    clippy::disallowed_methods,
    reason = "a file that saves work at the start"
)]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use blake2::{Blake2b256, Digest as _};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{CimName, ClassDecl, Flavor, Literal, QualifierDecl, Scope, TypeDecl};
use crate::mof::{Embedded, Sources as _};
use crate::schema::Edit;

use super::super::state::write_private;
use super::sources::Trace;

/// What the file begins with; its last byte is the version of the format.
const MAGIC: [u8; 8] = *b"JWMOF\0\0\x01";
/// Longest file that is read: far more than DMTF's whole schema needs.
const LIMIT_BYTES: u64 = 512 << 20;

/// The content of a text.
pub(super) type Digest = [u8; 32];

/// The digest of `bytes`.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    Blake2b256::digest(bytes).into()
}

/// What MOF declares, in the order in which it is put.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Declarations {
    qualifiers: Vec<Qualifier>,
    classes: Vec<ClassDecl>,
}

/// A qualifier declaration whose default value is written as in MOF.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Qualifier {
    name: CimName,
    ty: TypeDecl,
    default: Literal,
    scope: Scope,
    flavor: Flavor,
}

impl From<QualifierDecl> for Qualifier {
    fn from(decl: QualifierDecl) -> Self {
        Self {
            default: Literal::from(&decl.default),
            ty: TypeDecl {
                is_array: decl.is_array,
                array_size: decl.array_size,
                ..TypeDecl::scalar(decl.ty)
            },
            name: decl.name,
            scope: decl.scope,
            flavor: decl.flavor,
        }
    }
}

impl Qualifier {
    fn declared(self) -> Result<QualifierDecl, NotUsable> {
        let (ty, is_array) = (self.ty.ty, self.ty.is_array);
        let default = self.default.resolve(ty, is_array);
        Ok(QualifierDecl {
            default: default.map_err(|_| NotUsable::Damaged)?,
            name: self.name,
            ty,
            is_array,
            array_size: self.ty.array_size,
            scope: self.scope,
            flavor: self.flavor,
        })
    }
}

impl Declarations {
    /// Puts declarations behind those that are there.
    pub(super) fn put(&mut self, qualifiers: Vec<QualifierDecl>, classes: Vec<ClassDecl>) {
        let qualifiers = qualifiers.into_iter().map(Qualifier::from);
        self.qualifiers.extend(qualifiers);
        self.classes.extend(classes);
    }

    /// Drops what `others` declare too.
    pub(super) fn without(&mut self, others: &Self) {
        let known: HashSet<&CimName> = others.classes.iter().map(|decl| &decl.name).collect();
        self.classes.retain(|decl| !known.contains(&decl.name));
        let known: HashSet<&CimName> = others.qualifiers.iter().map(|decl| &decl.name).collect();
        self.qualifiers.retain(|decl| !known.contains(&decl.name));
    }

    /// What puts them into a schema.
    pub(super) fn edits(self) -> Result<Vec<Edit>, NotUsable> {
        let qualifiers = self.qualifiers.into_iter();
        let qualifiers = qualifiers.map(|kept| kept.declared().map(Edit::Qualifier));
        let classes = self.classes.into_iter().map(|decl| Ok(Edit::Class(decl)));
        qualifiers.chain(classes).collect()
    }
}

/// What a start compiled.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Compiled {
    /// What was said of the texts, none of which is an error.
    pub warnings: Vec<String>,
    /// For the main namespace.
    pub main: Declarations,
    /// What the interop namespace has more.
    pub interop: Declarations,
}

/// What was compiled, and by whom.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    /// The program, with the MOF in it.
    program: Digest,
    /// The texts of the administrator, in their order.
    added: Vec<(PathBuf, Trace)>,
}

/// Why a file is not used.
#[derive(Debug, Error)]
pub(super) enum NotUsable {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] std::io::Error),
    /// It is not whole, or no such file.
    #[error("it is damaged")]
    Damaged,
    /// It was made of other MOF, or by another program.
    #[error("it was made of something else")]
    Other,
}

impl From<postcard::Error> for NotUsable {
    fn from(_: postcard::Error) -> Self {
        Self::Damaged
    }
}

/// What was compiled of `added` at an earlier start.
///
/// # Errors
/// A file that is absent, damaged, or of something else.
pub(super) fn read(file: &Path, added: &[PathBuf]) -> Result<Compiled, NotUsable> {
    if fs::metadata(file)?.len() > LIMIT_BYTES {
        return Err(NotUsable::Damaged);
    }
    let bytes = fs::read(file)?;
    let rest = bytes.strip_prefix(&MAGIC).ok_or(NotUsable::Damaged)?;
    let (sum, content) = rest.split_first_chunk().ok_or(NotUsable::Damaged)?;
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Err(NotUsable::Damaged);
    }
    let (origin, compiled): (Origin, &[u8]) = postcard::take_from_bytes(content)?;
    let same = origin.program == program()? && origin.added.len() == added.len();
    let holds =
        |((path, trace), given): (&(PathBuf, Trace), &PathBuf)| path == given && trace.holds(given);
    if !same || !origin.added.iter().zip(added).all(holds) {
        return Err(NotUsable::Other);
    }
    Ok(postcard::from_bytes(compiled)?)
}

/// The bytes of the file that says `compiled` came of `added`; `None` for declarations with values
/// that have no place in it.
pub(super) fn encode(added: Vec<(PathBuf, Trace)>, compiled: &Compiled) -> Option<Vec<u8>> {
    let program = program().ok()?;
    let content = postcard::to_stdvec(&Origin { program, added }).ok()?;
    let content = postcard::to_extend(compiled, content).ok()?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(crc32fast::hash(&content).to_le_bytes());
    bytes.extend(content);
    Some(bytes)
}

/// Keeps `bytes` for the next start, which does without them when they cannot be written.
pub(super) fn write(file: &Path, bytes: &[u8]) {
    if let Err(error) = write_private(file, bytes) {
        let file = file.display();
        tracing::warn!("the compiled schema is not kept in {file}: {error}");
    }
}

/// This very program: its version, its file, and the MOF in it.
fn program() -> std::io::Result<Digest> {
    let file = fs::metadata(std::env::current_exe()?)?;
    let age = file.modified()?.duration_since(SystemTime::UNIX_EPOCH);
    let mut all = Blake2b256::new();
    all.update(env!("CARGO_PKG_VERSION"));
    all.update(file.len().to_le_bytes());
    all.update(age.map_or(0, |age| age.as_nanos()).to_le_bytes());
    for name in Embedded::names() {
        all.update(name);
        all.update([0]);
        all.update(Embedded.read(name, usize::MAX).unwrap_or_default());
    }
    Ok(all.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::super::load::{Loaded, load};
    use super::*;
    use crate::model::CimValue;
    use crate::schema::Schema;

    const MOF: &str = "class JW_Extra : CIM_ManagedElement { \
         [Key, MaxLen(8)] string Id; uint8 N = 7; string Words[] = {\"a\", NULL}; };\n";

    struct Start {
        folder: tempfile::TempDir,
    }

    impl Start {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("extra.mof"), MOF).expect("written");
            Self { folder }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn load(&self, added: &[&str]) -> Loaded {
            let added: Vec<PathBuf> = added.iter().map(|name| self.path(name)).collect();
            load(&added, &self.path("schema.cache")).expect("sound MOF")
        }

        fn kept(&self, added: &[&str]) -> Result<Compiled, NotUsable> {
            let added: Vec<PathBuf> = added.iter().map(|name| self.path(name)).collect();
            read(&self.path("schema.cache"), &added)
        }
    }

    fn same(a: &Schema, b: &Schema) -> bool {
        a.classes().eq(b.classes()) && a.qualifiers().eq(b.qualifiers())
    }

    #[test]
    fn a_second_start_has_the_same_schemas_without_compiling() {
        let start = Start::new();
        let first = start.load(&["extra.mof"]);
        let kept = start.kept(&["extra.mof"]);
        assert!(kept.is_ok(), "the file is used: {:?}", kept.err());
        let second = start.load(&["extra.mof"]);
        assert!(same(&first.main, &second.main), "the main schema");
        assert!(same(&first.interop, &second.interop), "the interop schema");
        assert!(second.main.class("JW_Extra").is_some());
    }

    #[test]
    fn other_texts_are_compiled_anew() {
        let start = Start::new();
        start.load(&["extra.mof"]);
        for added in [&[][..], &["extra.mof", "extra.mof"], &["other.mof"]] {
            let kept = start.kept(added);
            assert!(matches!(kept, Err(NotUsable::Other)), "{added:?}: {kept:?}");
        }
        fs::write(start.path("extra.mof"), MOF.replace("= 7", "= 8")).expect("written");
        let kept = start.kept(&["extra.mof"]);
        assert!(matches!(kept, Err(NotUsable::Other)), "changed: {kept:?}");
        let loaded = start.load(&["extra.mof"]);
        let class = loaded.main.class("JW_Extra").expect("compiled");
        let default = &class.properties.get("N").expect("N").default;
        assert_eq!(default, &CimValue::Uint8(8));
        assert!(start.kept(&["extra.mof"]).is_ok(), "kept anew");
    }

    #[test]
    fn a_further_or_a_changed_included_file_is_seen() {
        let start = Start::new();
        let folder = start.path("all");
        fs::create_dir_all(folder.join("in")).expect("a folder");
        fs::write(folder.join("a.mof"), "#pragma include (\"in/b.mof\")\n").expect("written");
        fs::write(folder.join("in/b.mof"), MOF).expect("written");
        start.load(&["all"]);
        assert!(start.kept(&["all"]).is_ok());
        fs::write(
            folder.join("in/b.mof"),
            MOF.replace("MaxLen(8)", "MaxLen(9)"),
        )
        .expect("written");
        assert!(matches!(start.kept(&["all"]), Err(NotUsable::Other)));
        start.load(&["all"]);
        assert!(start.kept(&["all"]).is_ok());
        fs::write(folder.join("c.mof"), "class JW_More { };\n").expect("written");
        assert!(matches!(start.kept(&["all"]), Err(NotUsable::Other)));
    }

    #[test]
    fn what_is_said_of_texts_is_said_at_every_start() {
        let start = Start::new();
        fs::write(
            start.path("w.mof"),
            "#pragma vendor (\"x\")\nclass JW_W { };\n",
        )
        .expect("written");
        start.load(&["w.mof"]);
        let kept = start.kept(&["w.mof"]).expect("kept");
        assert_eq!(kept.warnings.len(), 1, "{:?}", kept.warnings);
        assert!(kept.warnings[0].contains("vendor"), "{:?}", kept.warnings);
    }

    #[test]
    fn a_damaged_file_is_made_again() {
        let start = Start::new();
        let first = start.load(&["extra.mof"]);
        let file = start.path("schema.cache");
        let whole = fs::read(&file).expect("kept");
        let places = [0, 7, 8, 11, 12, whole.len() / 2, whole.len() - 1];
        let flipped = places.map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            bytes
        });
        let cut = places.map(|at| whole[..at].to_vec());
        for bytes in flipped.into_iter().chain(cut) {
            fs::write(&file, &bytes).expect("written");
            let kept = start.kept(&["extra.mof"]);
            assert!(matches!(kept, Err(NotUsable::Damaged)), "{kept:?}");
        }
        let again = start.load(&["extra.mof"]);
        assert!(same(&first.main, &again.main));
        assert_eq!(
            fs::read(&file).expect("kept"),
            whole,
            "the file is whole again"
        );
    }
}
