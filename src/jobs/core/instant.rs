//! Instants in stored records: microseconds since 1970, as an integer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

fn from_micros<E: Error>(micros: i64) -> Result<DateTime<Utc>, E> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| E::custom("an instant out of range"))
}

pub(crate) fn serialize<S: Serializer>(time: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
    time.timestamp_micros().serialize(out)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<DateTime<Utc>, D::Error> {
    from_micros(i64::deserialize(input)?)
}

/// The same for instants that may be absent.
pub(super) mod option {
    use super::{DateTime, Deserialize, Deserializer, Serialize, Serializer, Utc, from_micros};

    #[expect(
        clippy::ref_option,
        reason = "serde's `with` passes the field by reference"
    )]
    pub(in super::super) fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.timestamp_micros()).serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::<i64>::deserialize(input)?
            .map(from_micros)
            .transpose()
    }
}
