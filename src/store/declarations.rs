//! What clients changed of the schema, as text: this module does not know what it says.

use rusqlite::params;

use super::batch::Batch;
use super::database::Store;
use super::error::StoreError;

/// What is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclarationKind {
    /// A qualifier.
    Qualifier,
    /// A class.
    Class,
}

impl DeclarationKind {
    const ALL: [(i64, Self); 2] = [(1, Self::Qualifier), (2, Self::Class)];

    fn number(self) -> i64 {
        match self {
            Self::Qualifier => 1,
            Self::Class => 2,
        }
    }
}

/// A declaration that a client put or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationRow {
    /// The namespace, in lower case.
    pub namespace: String,
    /// What is declared.
    pub kind: DeclarationKind,
    /// Its name, in lower case.
    pub name: String,
    /// The declaration; `None` when it was dropped.
    pub text: Option<String>,
}

impl Batch<'_> {
    /// Remembers a declaration in the place of an earlier one of the same name.
    pub fn put_declaration(&self, row: &DeclarationRow) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO declarations (namespace, kind, name, text) VALUES (?, ?, ?, ?)
             ON CONFLICT (namespace, kind, name) DO UPDATE SET text = excluded.text",
        )?;
        statement.execute(params![
            row.namespace,
            row.kind.number(),
            row.name,
            row.text
        ])?;
        Ok(())
    }

    /// Remembers a namespace by its name in lower case and as it was written.
    pub fn put_namespace(&self, name: &str, written: &str) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("INSERT OR IGNORE INTO namespaces (name, written) VALUES (?, ?)")?
            .execute([name, written])?;
        Ok(())
    }

    /// Forgets a namespace with everything in it.
    pub fn drop_namespace(&self, name: &str) -> Result<(), StoreError> {
        self.touched.borrow_mut().everything = true;
        for statement in [
            "DELETE FROM namespaces WHERE name = ?",
            "DELETE FROM declarations WHERE namespace = ?",
            "DELETE FROM instances WHERE namespace = ?",
        ] {
            self.transaction
                .prepare_cached(statement)?
                .execute([name])?;
        }
        Ok(())
    }
}

impl Store {
    /// Every declaration that clients put or dropped, in the order in which their names were first
    /// used.
    pub fn declarations(&self) -> Result<Vec<DeclarationRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT namespace, kind, name, text FROM declarations ORDER BY position",
        )?;
        let rows = statement.query_map([], |row| {
            let number: i64 = row.get(1)?;
            let known = DeclarationKind::ALL.into_iter();
            let kind = known.map(|(at, kind)| (at == number).then_some(kind));
            let kind = kind.flatten().next();
            Ok(DeclarationRow {
                namespace: row.get(0)?,
                kind: kind.ok_or(rusqlite::Error::IntegralValueOutOfRange(1, number))?,
                name: row.get(2)?,
                text: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The namespaces that clients made, as they wrote them.
    pub fn namespaces(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT written FROM namespaces ORDER BY name")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
