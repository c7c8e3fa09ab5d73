//! The queues of indications: a stream for each destination, filled in the transaction of the change
//! that the indications tell of.
//!
//! A number of a sequence is given out here and nowhere else, in that same transaction: what is
//! rolled back takes no number, so the numbers of a context have no gaps but those of indications
//! that were dropped.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::provider::{Notice, StreamId};

use super::batch::Batch;
use super::database::Store;
use super::error::StoreError;
use super::packed::{pack, unpack};

/// Most indications read at a time.
pub const PAGE_LIMIT: u32 = 64;

/// How long the queue of a destination may become before the oldest are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Most indications; at least 1.
    pub indications: u64,
    /// Most bytes of them, as they are kept on the disk.
    pub bytes: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            indications: 100_000,
            bytes: 256 << 20,
        }
    }
}

/// An indication in the queue of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its place in the queue: later ones have higher numbers.
    pub position: i64,
    /// `SequenceContext`.
    pub context: String,
    /// `SequenceNumber`.
    pub number: i64,
    /// When it was queued.
    pub queued: DateTime<Utc>,
    /// The indication, encoded.
    pub indication: Vec<u8>,
}

/// A stream with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// The stream.
    pub id: StreamId,
    /// The destination, as whoever made the stream named it.
    pub destination: String,
    /// `SequenceContext` of the indications that are queued from now on.
    pub context: String,
    /// Indications that wait.
    pub queued: u64,
    /// Bytes that wait, as they are kept on the disk.
    pub bytes: u64,
    /// Indications that the destination took since the stream began.
    pub delivered: u64,
    /// Indications that were given up or had no room since the stream began.
    pub dropped: u64,
}

/// What becomes of indications that leave a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// The destination took them.
    Delivered,
    /// They were given up.
    Dropped,
}

impl Store {
    /// The streams, oldest first.
    pub fn streams(&self) -> Result<Vec<StreamRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, destination, context, queued, bytes, delivered, dropped
             FROM streams ORDER BY id",
        )?;
        let rows = statement.query_map([], stream_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The oldest indications of a stream behind `after`, at most [`PAGE_LIMIT`]. One that is damaged is
    /// empty: it keeps its place and its number, and those behind it are not held up.
    pub fn waiting(&self, stream: StreamId, after: i64) -> Result<Vec<Queued>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT position, context, number, queued, indication FROM outbox
             WHERE stream = ? AND position > ? ORDER BY position LIMIT ?",
        )?;
        let rows = statement.query_map(params![stream.0, after, PAGE_LIMIT], |row| {
            let (position, queued): (i64, i64) = (row.get(0)?, row.get(3)?);
            let indication = unpack(row.get(4)?).unwrap_or_else(|error| {
                let stream = stream.0;
                tracing::error!(stream, position, %error, "an indication that waits is damaged");
                Vec::new()
            });
            Ok(Queued {
                position,
                context: row.get(1)?,
                number: row.get(2)?,
                queued: DateTime::from_timestamp_micros(queued).unwrap_or_default(),
                indication,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Batch<'_> {
    /// Begins a stream to `destination`, whose sequence starts at 0.
    pub fn add_stream(&self, destination: &str, context: &str) -> Result<StreamId, StoreError> {
        let id = self.transaction.query_row(
            "INSERT INTO streams (destination, context, next, queued, bytes, delivered, dropped)
             VALUES (?, ?, 0, 0, 0, 0, 0) RETURNING id",
            [destination, context],
            |row| row.get(0),
        )?;
        Ok(StreamId(id))
    }

    /// Ends a stream; what waits in it is gone.
    pub fn remove_stream(&self, stream: StreamId) -> Result<(), StoreError> {
        self.transaction
            .execute("DELETE FROM streams WHERE id = ?", [stream.0])?;
        Ok(())
    }

    /// Begins a new sequence in a stream. What waits keeps the context and number it has.
    pub fn renew_stream(&self, stream: StreamId, context: &str) -> Result<(), StoreError> {
        self.transaction.execute(
            "UPDATE streams SET context = ?, next = 0 WHERE id = ?",
            params![context, stream.0],
        )?;
        Ok(())
    }

    /// Queues `notices` in their order. A stream that has ended takes none; one that is full drops its
    /// oldest.
    pub fn queue(&self, notices: &[Notice], now: DateTime<Utc>) -> Result<(), StoreError> {
        enqueue(&self.transaction, notices, self.queue_limits, now)
    }

    /// Removes the indications of a stream up to `position` and counts them.
    pub fn leave(&self, stream: StreamId, position: i64, how: Leave) -> Result<u64, StoreError> {
        remove(&self.transaction, stream, position, how)
    }

    /// Drops the indications of a stream that were queued before `time` and says how many.
    pub fn expire(&self, stream: StreamId, time: DateTime<Utc>) -> Result<u64, StoreError> {
        let last: Option<i64> = self
            .transaction
            .prepare_cached(
                "SELECT position FROM outbox WHERE stream = ? AND queued < ?
                 ORDER BY position DESC LIMIT 1",
            )?
            .query_row(params![stream.0, time.timestamp_micros()], |row| row.get(0))
            .optional()?;
        match last {
            Some(last) => remove(&self.transaction, stream, last, Leave::Dropped),
            None => Ok(0),
        }
    }
}

fn stream_row(row: &Row<'_>) -> rusqlite::Result<StreamRow> {
    let count = |index| Ok::<_, rusqlite::Error>(row.get::<_, i64>(index)?.unsigned_abs());
    Ok(StreamRow {
        id: StreamId(row.get(0)?),
        destination: row.get(1)?,
        context: row.get(2)?,
        queued: count(3)?,
        bytes: count(4)?,
        delivered: count(5)?,
        dropped: count(6)?,
    })
}

/// The numbers of a stream while something is queued in it.
struct Place {
    context: String,
    next: i64,
    queued: i64,
    bytes: i64,
}

impl Place {
    /// `None` where the stream has ended.
    fn find(transaction: &Transaction<'_>, stream: StreamId) -> Result<Option<Self>, StoreError> {
        let place = transaction
            .prepare_cached("SELECT context, next, queued, bytes FROM streams WHERE id = ?")?
            .query_row([stream.0], |row| {
                Ok(Self {
                    context: row.get(0)?,
                    next: row.get(1)?,
                    queued: row.get(2)?,
                    bytes: row.get(3)?,
                })
            });
        Ok(place.optional()?)
    }

    fn save(&self, transaction: &Transaction<'_>, stream: StreamId) -> Result<(), StoreError> {
        transaction
            .prepare_cached("UPDATE streams SET next = ?, queued = ?, bytes = ? WHERE id = ?")?
            .execute(params![self.next, self.queued, self.bytes, stream.0])?;
        Ok(())
    }

    /// The number of what is queued now, which has so many bytes.
    fn take(&mut self, bytes: usize) -> i64 {
        let number = self.next;
        self.next = number.checked_add(1).unwrap_or(0);
        self.queued += 1;
        self.bytes += integer(bytes as u64);
        number
    }

    fn is_over(&self, limits: QueueLimits) -> bool {
        let (queued, bytes) = (self.queued.unsigned_abs(), self.bytes.unsigned_abs());
        queued > limits.indications || (bytes > limits.bytes && queued > 1)
    }
}

fn enqueue(
    transaction: &Transaction<'_>,
    notices: &[Notice],
    limits: QueueLimits,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut places: HashMap<StreamId, Option<Place>> = HashMap::new();
    // The same indication for several destinations comes several times in a row.
    let (mut text, mut packed) = (None, Cow::default());
    for notice in notices {
        let stream = notice.stream;
        let place = match places.entry(stream) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Place::find(transaction, stream)?),
        };
        let Some(place) = place else {
            continue;
        };
        if !text.is_some_and(|text| Arc::ptr_eq(text, &notice.indication)) {
            packed = pack(&notice.indication);
            text = Some(&notice.indication);
        }
        let number = place.take(packed.len());
        transaction
            .prepare_cached(
                "INSERT INTO outbox (stream, context, number, queued, indication)
                 VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                stream.0,
                place.context,
                number,
                now.timestamp_micros(),
                packed,
            ])?;
        if place.is_over(limits) {
            place.save(transaction, stream)?;
            make_room(transaction, stream, limits)?;
            places.remove(&stream);
        }
    }
    for (stream, place) in &places {
        if let Some(place) = place {
            place.save(transaction, *stream)?;
        }
    }
    Ok(())
}

/// Drops the oldest until the queue keeps its limits; the newest always stays.
fn make_room(
    transaction: &Transaction<'_>,
    stream: StreamId,
    limits: QueueLimits,
) -> Result<(), StoreError> {
    loop {
        let (queued, bytes): (i64, i64) = transaction
            .prepare_cached("SELECT queued, bytes FROM streams WHERE id = ?")?
            .query_row([stream.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let over =
            queued.unsigned_abs() > limits.indications || bytes.unsigned_abs() > limits.bytes;
        if !over || queued <= 1 {
            return Ok(());
        }
        let oldest: i64 = transaction
            .prepare_cached(
                "SELECT position FROM outbox WHERE stream = ? ORDER BY position LIMIT 1",
            )?
            .query_row([stream.0], |row| row.get(0))?;
        remove(transaction, stream, oldest, Leave::Dropped)?;
    }
}

fn remove(
    transaction: &Transaction<'_>,
    stream: StreamId,
    position: i64,
    how: Leave,
) -> Result<u64, StoreError> {
    let (count, bytes): (i64, i64) = transaction
        .prepare_cached(
            "SELECT count(*), coalesce(sum(length(indication)), 0) FROM outbox
             WHERE stream = ? AND position <= ?",
        )?
        .query_row(params![stream.0, position], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if count == 0 {
        return Ok(0);
    }
    transaction
        .prepare_cached("DELETE FROM outbox WHERE stream = ? AND position <= ?")?
        .execute(params![stream.0, position])?;
    let counter = match how {
        Leave::Delivered => {
            "UPDATE streams SET queued = queued - ?1, bytes = bytes - ?2,
                delivered = delivered + ?1 WHERE id = ?3"
        }
        Leave::Dropped => {
            "UPDATE streams SET queued = queued - ?1, bytes = bytes - ?2,
                dropped = dropped + ?1 WHERE id = ?3"
        }
    };
    transaction
        .prepare_cached(counter)?
        .execute(params![count, bytes, stream.0])?;
    Ok(count.unsigned_abs())
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::store::Options;

    fn opened() -> (tempfile::TempDir, Store) {
        opened_with(QueueLimits::default())
    }

    fn opened_with(queue_limits: QueueLimits) -> (tempfile::TempDir, Store) {
        let folder = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .expect("a temporary directory");
        let options = Options {
            queue_limits,
            ..Options::new(folder.path().to_owned())
        };
        let store = Store::open(&options).expect("a new store");
        (folder, store)
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).expect("a time")
    }

    fn notice(stream: StreamId, text: &str) -> Notice {
        Notice {
            stream,
            indication: text.as_bytes().into(),
        }
    }

    fn shown(store: &Store, stream: StreamId) -> Vec<(String, i64, String)> {
        let waiting = store.waiting(stream, 0).expect("a readable queue");
        let show = |queued: Queued| {
            let text = String::from_utf8(queued.indication).expect("our text");
            (queued.context, queued.number, text)
        };
        waiting.into_iter().map(show).collect()
    }

    #[test]
    fn numbers_count_up_in_each_stream_and_start_anew_with_a_context() {
        let (_folder, mut store) = opened();
        let a = store
            .transact(|batch| batch.add_stream("a", "c1"))
            .expect("a stream");
        let b = store
            .transact(|batch| batch.add_stream("b", "c2"))
            .expect("a stream");
        let notices = [notice(a, "x"), notice(b, "y"), notice(a, "z")];
        store
            .transact(|batch| batch.queue(&notices, at(0)))
            .expect("room");
        store
            .transact(|batch| batch.renew_stream(a, "c3"))
            .expect("a stream");
        store
            .transact(|batch| batch.queue(&[notice(a, "w")], at(1)))
            .expect("room");
        let row = |context: &str, number, text: &str| (context.to_owned(), number, text.to_owned());
        let expected = [row("c1", 0, "x"), row("c1", 1, "z"), row("c3", 0, "w")];
        assert_eq!(shown(&store, a), expected);
        assert_eq!(shown(&store, b), [row("c2", 0, "y")]);
    }

    #[test]
    fn the_highest_number_is_followed_by_0() {
        let (_folder, mut store) = opened();
        let a = store
            .transact(|batch| batch.add_stream("a", "c"))
            .expect("a stream");
        let wind = "UPDATE streams SET next = 9223372036854775807";
        store.connection.execute(wind, []).expect("our table");
        let notices = [notice(a, "x"), notice(a, "y")];
        store
            .transact(|batch| batch.queue(&notices, at(0)))
            .expect("room");
        let numbers: Vec<i64> = shown(&store, a).into_iter().map(|row| row.1).collect();
        assert_eq!(numbers, [i64::MAX, 0]);
    }

    #[test]
    fn a_full_queue_drops_its_oldest_and_counts_them() {
        let (_folder, mut store) = opened_with(QueueLimits {
            indications: 2,
            bytes: 10,
        });
        let a = store
            .transact(|batch| batch.add_stream("a", "c"))
            .expect("a stream");
        let texts = ["1", "2", "3", "123456789"];
        for text in texts {
            store
                .transact(|batch| batch.queue(&[notice(a, text)], at(0)))
                .expect("room");
        }
        let texts: Vec<String> = shown(&store, a).into_iter().map(|row| row.2).collect();
        assert_eq!(texts, ["3", "123456789"]);
        store
            .transact(|batch| batch.queue(&[notice(a, "longer than all the room there is")], at(0)))
            .expect("room");
        let stream = &store.streams().expect("readable")[0];
        assert_eq!(
            (stream.queued, stream.dropped),
            (1, 4),
            "the newest always stays"
        );
        assert_eq!(stream.bytes, 33);
    }

    #[test]
    fn one_that_is_damaged_keeps_its_place_and_holds_up_no_other() {
        let (_folder, mut store) = opened();
        let a = store
            .transact(|batch| batch.add_stream("a", "c"))
            .expect("a stream");
        let long = "x".repeat(1000);
        let notices = [notice(a, &long), notice(a, &long), notice(a, "z")];
        store
            .transact(|batch| batch.queue(&notices, at(0)))
            .expect("room");
        let damage = "UPDATE outbox SET indication = x'0101' WHERE number = 1";
        assert_eq!(store.connection.execute(damage, []), Ok(1));
        let row = |number, text: &str| ("c".to_owned(), number, text.to_owned());
        assert_eq!(shown(&store, a), [row(0, &long), row(1, ""), row(2, "z")]);
    }

    #[test]
    fn what_leaves_is_counted_and_what_is_old_expires() {
        let (_folder, mut store) = opened();
        let a = store
            .transact(|batch| batch.add_stream("a", "c"))
            .expect("a stream");
        for second in 0..5 {
            let text = second.to_string();
            store
                .transact(|batch| batch.queue(&[notice(a, &text)], at(second)))
                .expect("room");
        }
        let first = store.waiting(a, 0).expect("readable")[0].position;
        assert_eq!(
            store
                .transact(|batch| batch.leave(a, first, Leave::Delivered))
                .expect("a queue"),
            1
        );
        assert_eq!(
            store
                .transact(|batch| batch.leave(a, first, Leave::Delivered))
                .expect("a queue"),
            0
        );
        assert_eq!(
            store
                .transact(|batch| batch.expire(a, at(3)))
                .expect("a queue"),
            2
        );
        assert_eq!(
            store
                .transact(|batch| batch.expire(a, at(3)))
                .expect("a queue"),
            0
        );
        let stream = store.streams().expect("readable").remove(0);
        assert_eq!((stream.queued, stream.delivered, stream.dropped), (2, 1, 2));
        assert_eq!(stream.bytes, 2);
    }

    #[test]
    fn an_ended_stream_takes_its_queue_with_it_and_its_id_is_not_used_again() {
        let (_folder, mut store) = opened();
        let a = store
            .transact(|batch| batch.add_stream("a", "c"))
            .expect("a stream");
        store
            .transact(|batch| batch.queue(&[notice(a, "x")], at(0)))
            .expect("room");
        store
            .transact(|batch| batch.remove_stream(a))
            .expect("a stream");
        store
            .transact(|batch| batch.queue(&[notice(a, "y")], at(0)))
            .expect("nothing to do");
        let again = store
            .transact(|batch| batch.add_stream("a", "d"))
            .expect("a stream");
        assert_ne!(again, a);
        assert_eq!(shown(&store, a), []);
        assert_eq!(shown(&store, again), []);
    }
}
