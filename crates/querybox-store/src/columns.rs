//! How our types lie in columns, in both directions. What does not parse is an error, never a default.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use uuid::Uuid;

use crate::{
    ConnectionId, ConnectionName, DriverType, EntryId, Environment, Folder, HistoryLevel, KeyId, KeyState,
    Outcome, Owner, SecretPlace, SecretScope,
};

/// Types that are a checked text.
macro_rules! text_columns {
    ($($type:ident),+) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$type> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )+};
}

/// Closed sets, each case under a word of its own. The words are part of the file format: they never change.
macro_rules! word_column {
    ($type:ident { $($case:ident => $word:literal),+ }) => {
        impl $type {
            /// The word of the file.
            pub(crate) fn word(self) -> &'static str {
                match self { $($type::$case => $word),+ }
            }
        }

        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.word()))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$type> {
                match value.as_str()? {
                    $($word => Ok($type::$case),)+
                    other => Err(FromSqlError::Other(format!("unknown word {other:?}").into())),
                }
            }
        }
    };
}

text_columns!(ConnectionName, DriverType, Folder, Owner);
word_column!(Environment { None => "none", Green => "green", Amber => "amber", Red => "red" });
word_column!(SecretPlace { NotNeeded => "not-needed", Ask => "ask", Keyring => "keyring", Vault => "vault" });
word_column!(SecretScope { Shared => "shared", EachUser => "each-user" });
word_column!(HistoryLevel { Off => "off", Facts => "facts", Texts => "texts" });
word_column!(KeyState { Primary => "primary", DecryptOnly => "decrypt-only", Retired => "retired" });
word_column!(Outcome {
    Done => "done",
    Rejected => "rejected",
    Failed => "failed",
    Limited => "limited",
    Canceled => "canceled",
    Unfinished => "unfinished"
});

impl ToSql for ConnectionId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_uuid().as_bytes().as_slice()))
    }
}

impl FromSql for ConnectionId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<ConnectionId> {
        uuid_of(value).map(ConnectionId::from)
    }
}

impl ToSql for KeyId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_bytes().as_slice()))
    }
}

impl FromSql for KeyId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<KeyId> {
        <[u8; 8]>::try_from(value.as_blob()?).map(KeyId::from).map_err(FromSqlError::other)
    }
}

impl ToSql for EntryId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_bytes().as_slice()))
    }
}

impl FromSql for EntryId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<EntryId> {
        <[u8; 16]>::try_from(value.as_blob()?).map(EntryId::from).map_err(FromSqlError::other)
    }
}

/// A UUID in a column, as its 16 bytes.
pub(crate) struct UuidColumn(pub(crate) Uuid);

impl ToSql for UuidColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_bytes().as_slice()))
    }
}

impl FromSql for UuidColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<UuidColumn> {
        uuid_of(value).map(UuidColumn)
    }
}

fn uuid_of(value: ValueRef<'_>) -> FromSqlResult<Uuid> {
    Uuid::from_slice(value.as_blob()?).map_err(FromSqlError::other)
}

/// A count over the whole range of `u64`, as the same 64 bits: SQLite's integers are signed, and no SQL compares these.
pub(crate) struct Count(pub(crate) u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.cast_signed()))
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Count> {
        Ok(Count(value.as_i64()?.cast_unsigned()))
    }
}

/// A time in whole microseconds since 1970: all of [`Timestamp`]'s years fit.
pub(crate) struct Time(pub(crate) Timestamp);

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_microsecond()))
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Time> {
        let microseconds = value.as_i64()?;
        // In two parts: `Timestamp::from_microsecond` refuses the last second of year 9999, which is a valid time.
        let (second, rest) = (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000));
        let nanosecond = i32::try_from(rest * 1000).expect("less than a second");
        Timestamp::new(second, nanosecond).map(Time).map_err(FromSqlError::other)
    }
}

/// A span in nanoseconds; what is longer than the 292 years that fit is kept as these.
pub(crate) struct Span(pub(crate) Duration);

impl ToSql for Span {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl FromSql for Span {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Span> {
        let nanoseconds = value.as_i64()?;
        let positive = u64::try_from(nanoseconds).map_err(|_| FromSqlError::OutOfRange(nanoseconds))?;
        Ok(Span(Duration::from_nanos(positive)))
    }
}

pub(crate) fn uuid(row: &Row<'_>, column: &str) -> rusqlite::Result<Uuid> {
    row.get(column).map(|UuidColumn(uuid)| uuid)
}

pub(crate) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get(column).map(|Count(count)| count)
}

pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(|Time(time)| time)
}
