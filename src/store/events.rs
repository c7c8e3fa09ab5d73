//! What clients set up so that they are told of events: one row for each filter, destination,
//! subscription and the like.

use rusqlite::{OptionalExtension, params};

use super::batch::Batch;
use super::database::Store;
use super::error::StoreError;

/// Version of the JSON in `event_objects.data`.
const FORMAT: i64 = 1;

/// An object as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// What no two objects have in common; whoever writes it decides what it is.
    pub path: String,
    /// The name of whoever made it.
    pub owner: String,
    /// Whether its owner may hear of everything, and not of what is its own alone.
    pub sees_all: bool,
    /// The instance, encoded.
    pub data: String,
}

impl Store {
    /// The objects, oldest first.
    pub fn event_objects(&self) -> Result<Vec<EventRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT path, owner, sees_all, data FROM event_objects ORDER BY seq")?;
        let rows = statement.query_map([], |row| {
            Ok(EventRow {
                path: row.get(0)?,
                owner: row.get(1)?,
                sees_all: row.get(2)?,
                data: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Batch<'_> {
    /// Adds an object, or gives the one at its path new values.
    pub fn put_event_object(&self, row: &EventRow) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO event_objects (path, owner, sees_all, format, data)
                 VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (path) DO UPDATE SET owner = excluded.owner,
                    sees_all = excluded.sees_all, format = excluded.format,
                    data = excluded.data",
            )?
            .execute(params![row.path, row.owner, row.sees_all, FORMAT, row.data])?;
        Ok(())
    }

    /// Removes the object at `path`, if there is one.
    pub fn remove_event_object(&self, path: &str) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM event_objects WHERE path = ?")?
            .execute([path])?;
        Ok(())
    }

    /// The host name of the first start; `now` is recorded as it when this is the first.
    pub fn host(&self, now: &str) -> Result<String, StoreError> {
        let known = self
            .transaction
            .query_row("SELECT value FROM meta WHERE key = 'host'", [], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(known) = known {
            return Ok(known);
        }
        self.transaction
            .execute("INSERT INTO meta (key, value) VALUES ('host', ?)", [now])?;
        Ok(now.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::store::Options;

    fn row(path: &str, data: &str) -> EventRow {
        EventRow {
            path: path.to_owned(),
            owner: "admin".to_owned(),
            sees_all: true,
            data: data.to_owned(),
        }
    }

    #[test]
    fn objects_keep_their_order_when_they_change_and_are_there_after_a_restart() {
        let folder = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary directory");
        let options = Options::new(folder.path().to_owned());
        let mut store = Store::open(&options).expect("a new store");
        let written = store.transact(|batch| {
            for row in [row("b", "1"), row("a", "2"), row("c", "3"), row("b", "4")] {
                batch.put_event_object(&row)?;
            }
            batch.remove_event_object("c")?;
            batch.remove_event_object("never there")
        });
        written.expect("writes");
        drop(store);
        let store = Store::open(&options).expect("opens again");
        let found = store.event_objects().expect("reads");
        assert_eq!(found, [row("b", "4"), row("a", "2")]);
    }

    #[test]
    fn the_host_name_is_that_of_the_first_start() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut store = Store::open(&Options::new(folder.path().to_owned())).expect("a new store");
        let mut host = |now: &str| store.transact(|batch| batch.host(now)).expect("a name");
        assert_eq!(host("first"), "first");
        assert_eq!(host("second"), "first");
    }
}
