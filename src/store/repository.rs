//! Instances as text under their class and keys: this module does not know what they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, Rows, params};

use super::batch::Batch;
use super::database::Store;
use super::error::StoreError;
use super::readers::Readers;
use super::recent::{ReadRow, Recent};

/// A page ends when its values are so long together.
const PAGE_BYTES: usize = 1 << 20;

/// Where an instance is: names in lower case, the keys in one canonical text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstanceKey {
    /// The namespace.
    pub namespace: String,
    /// The class it was made of.
    pub class: String,
    /// The keys.
    pub keys: String,
}

/// What is kept of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceData {
    /// Version of the form of `values`.
    pub format: i64,
    /// The values.
    pub values: String,
    /// What it refers to, each in one canonical text.
    pub targets: Vec<String>,
}

/// An instance as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRow {
    /// Grows with each instance that is made.
    pub id: i64,
    /// The class it was made of, in lower case.
    pub class: String,
    /// Version of the form of `values`.
    pub format: i64,
    /// The values.
    pub values: String,
}

/// An instance where the database has it: whoever reads very many copies none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceView<'a> {
    /// Grows with each instance that is made.
    pub id: i64,
    /// The class it was made of, in lower case.
    pub class: &'a str,
    /// Version of the form of `values`.
    pub format: i64,
    /// The values.
    pub values: &'a str,
}

impl InstanceRow {
    /// The row as one reads it.
    pub fn view(&self) -> InstanceView<'_> {
        InstanceView {
            id: self.id,
            class: &self.class,
            format: self.format,
            values: &self.values,
        }
    }
}

impl From<InstanceView<'_>> for InstanceRow {
    fn from(view: InstanceView<'_>) -> Self {
        Self {
            id: view.id,
            class: view.class.to_owned(),
            format: view.format,
            values: view.values.to_owned(),
        }
    }
}

impl Batch<'_> {
    /// Adds an instance; `false` when there is one already.
    pub fn insert_instance(
        &self,
        key: &InstanceKey,
        data: &InstanceData,
    ) -> Result<bool, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR IGNORE INTO instances (namespace, class, keys, format, data)
             VALUES (?, ?, ?, ?, ?)",
        )?;
        let InstanceKey {
            namespace,
            class,
            keys,
        } = key;
        let added = statement.execute(params![namespace, class, keys, data.format, data.values])?;
        if added > 0 {
            self.refer(self.transaction.last_insert_rowid(), &data.targets)?;
        }
        Ok(added > 0)
    }

    fn refer(&self, instance: i64, targets: &[String]) -> Result<(), StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR IGNORE INTO instance_references (target, instance) VALUES (?, ?)",
        )?;
        for target in targets {
            statement.execute(params![target, instance])?;
        }
        Ok(())
    }

    /// The instance under `key`.
    pub fn instance(&self, key: &InstanceKey) -> Result<Option<InstanceRow>, StoreError> {
        one(&self.transaction, key)
    }

    /// The class of an instance with these keys in `namespace` that was made of one of `classes`, all of them
    /// in lower case.
    pub fn class_of(
        &self,
        (namespace, keys): (&str, &str),
        classes: &[String],
    ) -> Result<Option<String>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT class FROM instances WHERE namespace = ? AND keys = ?
             AND class IN (SELECT value FROM json_each(?)) ORDER BY class LIMIT 1",
        )?;
        let classes = serde_json::to_string(classes).map_err(StoreError::Encode)?;
        let found = statement.query_row(params![namespace, keys, classes], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// The instances of `classes`, which are in lower case, in `namespace` that refer to `target` and were
    /// made after the one with the id `after`, oldest first, at most `limit`.
    pub fn referring(
        &self,
        (namespace, target): (&str, &str),
        classes: &[String],
        after: i64,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        // What refers to the target is looked through first, by its index: instances of other classes are
        // not read.
        let mut statement = self.transaction.prepare_cached(
            "SELECT id, class, format, data FROM instance_references
             CROSS JOIN instances ON id = instance
             WHERE target = ? AND instance > ? AND namespace = ?
             AND +class IN (SELECT value FROM json_each(?))
             ORDER BY instance LIMIT ?",
        )?;
        let classes = serde_json::to_string(classes).map_err(StoreError::Encode)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query(params![target, after, namespace, classes, limit])?;
        bounded(rows, |row| row.into())
    }

    /// Gives the instance `row` under `key`, which this transaction has read, other values.
    pub fn update_instance(
        &self,
        key: &InstanceKey,
        row: &InstanceRow,
        data: &InstanceData,
    ) -> Result<(), StoreError> {
        self.touched.borrow_mut().keys.push(key.clone());
        self.transaction
            .prepare_cached("UPDATE instances SET format = ?, data = ? WHERE id = ?")?
            .execute(params![data.format, data.values, row.id])?;
        self.transaction
            .prepare_cached("DELETE FROM instance_references WHERE instance = ?")?
            .execute([row.id])?;
        self.refer(row.id, &data.targets)
    }

    /// Removes the instance under `key`; `false` when there is none.
    pub fn delete_instance(&self, key: &InstanceKey) -> Result<bool, StoreError> {
        self.touched.borrow_mut().keys.push(key.clone());
        let mut statement = self.transaction.prepare_cached(
            "DELETE FROM instances WHERE namespace = ? AND class = ? AND keys = ?",
        )?;
        let gone = statement.execute(params![key.namespace, key.class, key.keys])?;
        Ok(gone > 0)
    }
}

impl Store {
    /// A reader of instances that does not disturb the writer.
    pub fn repository(&self) -> Repository {
        Repository {
            readers: self.readers(),
            recent: self.recent.clone(),
        }
    }

    /// How many instances there are of each class of each namespace.
    pub fn instance_counts(&self) -> Result<BTreeMap<(String, String), u64>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT namespace, class, count(*) FROM instances GROUP BY namespace, class",
        )?;
        let rows = statement.query_map([], |row| {
            let count: i64 = row.get(2)?;
            Ok(((row.get(0)?, row.get(1)?), count.unsigned_abs()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Reads instances; clones share a few read-only connections.
#[derive(Debug, Clone)]
pub struct Repository {
    readers: Readers,
    recent: Recent,
}

impl Repository {
    /// The instance under `key`, when it was read lately. Never blocks.
    pub fn recent(&self, key: &InstanceKey) -> Option<Arc<ReadRow>> {
        self.recent.get(key).0
    }

    /// The instance under `key`. Blocks on the disk.
    pub fn get(&self, key: &InstanceKey) -> Result<Option<Arc<ReadRow>>, StoreError> {
        let (_, commits) = self.recent.get(key);
        let found = self.readers.read(|connection| one(connection, key))?;
        let found = found.map(|row| Arc::new(ReadRow::from(row)));
        if let Some(read) = &found {
            self.recent.remember(key, read, commits);
        }
        Ok(found)
    }

    /// What `read` makes of the instances of one class that were made after the one with the id
    /// `after`, oldest first, at most `limit`. Blocks on the disk.
    pub fn page<T>(
        &self,
        (namespace, class): (&str, &str),
        after: i64,
        limit: usize,
        read: impl FnMut(InstanceView<'_>) -> T,
    ) -> Result<Vec<T>, StoreError> {
        self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, class, format, data FROM instances
                 WHERE namespace = ? AND class = ? AND id > ? ORDER BY id LIMIT ?",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            bounded(
                statement.query(params![namespace, class, after, limit])?,
                read,
            )
        })
    }

    /// What `read` makes of the instances in `namespace` that refer to `target` and were made after
    /// the one with the id `after`, oldest first, at most `limit`. Blocks on the disk.
    pub fn referring<T>(
        &self,
        namespace: &str,
        target: &str,
        after: i64,
        limit: usize,
        read: impl FnMut(InstanceView<'_>) -> T,
    ) -> Result<Vec<T>, StoreError> {
        self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, class, format, data FROM instance_references
                 JOIN instances ON id = instance
                 WHERE target = ? AND instance > ? AND namespace = ?
                 ORDER BY instance LIMIT ?",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement.query(params![target, after, namespace, limit])?;
            bounded(rows, read)
        })
    }
}

/// What `read` makes of the rows until their values are long enough; of at least one where there is
/// one.
fn bounded<T>(
    mut rows: Rows<'_>,
    mut read: impl FnMut(InstanceView<'_>) -> T,
) -> Result<Vec<T>, StoreError> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let row = view(row)?;
        bytes += row.values.len();
        found.push(read(row));
        if bytes >= PAGE_BYTES {
            break;
        }
    }
    Ok(found)
}

fn one(
    connection: &rusqlite::Connection,
    key: &InstanceKey,
) -> Result<Option<InstanceRow>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT id, class, format, data FROM instances
             WHERE namespace = ? AND class = ? AND keys = ?",
        )?
        .query_row(params![key.namespace, key.class, key.keys], |row| {
            view(row).map(InstanceRow::from)
        });
    Ok(found.optional()?)
}

/// Columns are text by the rules of the table, and wrong text is an error of the store.
fn view<'a>(row: &'a Row<'_>) -> rusqlite::Result<InstanceView<'a>> {
    let text = |column| -> rusqlite::Result<&'a str> { Ok(row.get_ref(column)?.as_str()?) };
    Ok(InstanceView {
        id: row.get(0)?,
        class: text(1)?,
        format: row.get(2)?,
        values: text(3)?,
    })
}
