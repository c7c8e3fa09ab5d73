//! Settings that clients change while the server runs, each a text under its name.

use rusqlite::OptionalExtension;

use super::batch::Batch;
use super::database::Store;
use super::error::StoreError;

/// What their keys begin with in the table of single values.
const PREFIX: &str = "option/";

impl Batch<'_> {
    /// Remembers a setting in the place of its earlier value.
    pub fn remember(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")?
            .execute([&format!("{PREFIX}{name}"), value])?;
        Ok(())
    }
}

impl Store {
    /// The value of a setting, if it was ever changed.
    pub fn remembered(&self, name: &str) -> Result<Option<String>, StoreError> {
        let found = self
            .connection
            .prepare_cached("SELECT value FROM meta WHERE key = ?")?
            .query_row([format!("{PREFIX}{name}")], |row| row.get(0));
        Ok(found.optional()?)
    }
}
