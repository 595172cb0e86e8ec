//! What SQLite refused, in the contract's words.

use querybox_plugin::{Error, pb};
use rusqlite::ffi;

use crate::result_code;

/// A refusal, before it is known where in the session it happened. Its position counts from the statement's first byte.
///
/// # Errors
///
/// What is not SQLite's own refusal is a mistake of the driver.
pub(crate) fn rejection(error: &rusqlite::Error) -> Result<pb::Rejection, Error> {
    let (code, message, position) = match error {
        rusqlite::Error::SqlInputError { error, msg, offset, .. } => {
            (error.extended_code, msg.clone(), u32::try_from(*offset).ok())
        }
        rusqlite::Error::SqliteFailure(error, message) => {
            (error.extended_code, message.clone().unwrap_or_else(|| error.to_string()), None)
        }
        other => return Err(Error::broken(format!("SQLite was used in a wrong way: {other}"))),
    };
    Ok(pb::Rejection {
        sqlstate: sqlstate(code, &message).into(),
        vendor_code: result_code::name(code).map_or_else(|| format!("SQLITE_{code}"), str::to_owned),
        severity: "ERROR".into(),
        message,
        position_byte: position,
        hint: hint(code).into(),
        ..pb::Rejection::default()
    })
}

/// "Out of memory" makes people look at their machine, and it is the driver that has no more.
fn hint(code: i32) -> &'static str {
    match code & 0xff {
        ffi::SQLITE_NOMEM => "The statement needs more memory than the driver's memory limit allows.",
        _ => "",
    }
}

/// What a statement ends with that was stopped.
pub(crate) fn interrupted() -> pb::Rejection {
    pb::Rejection {
        sqlstate: "57014".into(),
        vendor_code: "SQLITE_INTERRUPT".into(),
        severity: "ERROR".into(),
        message: "interrupted".into(),
        ..pb::Rejection::default()
    }
}

/// The primary result code of a refusal.
pub(crate) fn primary_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code & 0xff)
}

/// The SQLSTATE that other databases give for the same fault; empty where none is natural.
fn sqlstate(code: i32, message: &str) -> &'static str {
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            "23505"
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => "23502",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "23503",
        ffi::SQLITE_CONSTRAINT_CHECK => "23514",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "42804",
        // Another connection has written since this transaction began to read.
        ffi::SQLITE_BUSY_SNAPSHOT => "40001",
        _ => match code & 0xff {
            ffi::SQLITE_ERROR => of_message(message),
            ffi::SQLITE_CONSTRAINT => "23000",
            ffi::SQLITE_INTERRUPT => "57014",
            ffi::SQLITE_READONLY => "25006",
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => "55P03",
            ffi::SQLITE_FULL => "53100",
            ffi::SQLITE_NOMEM => "53200",
            ffi::SQLITE_TOOBIG => "54000",
            ffi::SQLITE_AUTH | ffi::SQLITE_PERM => "42501",
            ffi::SQLITE_MISMATCH => "42804",
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => "XX001",
            ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN => "58030",
            _ => "",
        },
    }
}

/// Of most faults in a statement SQLite says nothing but SQLITE_ERROR and this text, in English since ever.
fn of_message(message: &str) -> &'static str {
    let starts = |text| message.starts_with(text);
    let ends = |text| message.ends_with(text);
    if ends("syntax error") || starts("unrecognized token") || starts("incomplete input") {
        "42601"
    } else if starts("no such table") || starts("no such view") {
        "42P01"
    } else if starts("no such column") || message.contains(" has no column named ") {
        "42703"
    } else if starts("ambiguous column name") {
        "42702"
    } else if starts("no such function") || starts("wrong number of arguments to function") {
        "42883"
    } else if starts("no such index") || starts("no such trigger") {
        "42704"
    } else if ends(" already exists") || message.contains(" already a table named ") {
        "42P07"
    } else if starts("duplicate column name") {
        "42701"
    } else if starts("cannot start a transaction within a transaction") {
        "25001"
    } else if ends("no transaction is active") {
        "25P01"
    } else if starts("no such savepoint") {
        "3B001"
    } else if starts("integer overflow") {
        "22003"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, sqlstate: &str, vendor_code: &str, position: Option<u32>) {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "create table a(id integer primary key, b unique not null check (b > 0), c references a(id));
                 create trigger t before delete on a begin select raise(abort, 'stay'); end;
                 insert into a values (1, 1, null);",
            )
            .unwrap();
        let error = connection.execute_batch(sql).unwrap_err();
        let found = rejection(&error).unwrap();
        assert_eq!(
            (&*found.sqlstate, &*found.vendor_code, found.position_byte),
            (sqlstate, vendor_code, position),
            "{}",
            found.message
        );
    }

    #[test]
    fn constraints_have_their_codes() {
        check("insert into a values (1, 2, null)", "23505", "SQLITE_CONSTRAINT_PRIMARYKEY", None);
        check("insert into a values (2, 1, null)", "23505", "SQLITE_CONSTRAINT_UNIQUE", None);
        check("insert into a values (2, null, null)", "23502", "SQLITE_CONSTRAINT_NOTNULL", None);
        check("insert into a values (2, 2, 9)", "23503", "SQLITE_CONSTRAINT_FOREIGNKEY", None);
        check("insert into a values (2, 0, null)", "23514", "SQLITE_CONSTRAINT_CHECK", None);
        check("delete from a", "23000", "SQLITE_CONSTRAINT_TRIGGER", None);
        check("insert into a values ('x', 2, null)", "42804", "SQLITE_MISMATCH", None);
    }

    #[test]
    fn faults_in_the_text_have_codes_and_positions() {
        check("selekt 1", "42601", "SQLITE_ERROR", Some(0));
        check("select 1 frum a", "42601", "SQLITE_ERROR", Some(14));
        check("select (", "42601", "SQLITE_ERROR", None);
        check("select \"a", "42601", "SQLITE_ERROR", Some(7));
        check("select 1 from nowhere", "42P01", "SQLITE_ERROR", None);
        check("select 'ä', nowhere from a", "42703", "SQLITE_ERROR", Some(13));
        check("select x.id from a x, a x", "42702", "SQLITE_ERROR", Some(7));
        check("select nofunc(1)", "42883", "SQLITE_ERROR", Some(7));
        check("create table a(b)", "42P07", "SQLITE_ERROR", Some(13));
        check("commit", "25P01", "SQLITE_ERROR", None);
        check("begin; begin", "25001", "SQLITE_ERROR", None);
        check("rollback to nowhere", "3B001", "SQLITE_ERROR", None);
        check("select abs(-9223372036854775808)", "22003", "SQLITE_ERROR", None);
        check("select zeroblob(2000000000)", "54000", "SQLITE_TOOBIG", None);
    }

    #[test]
    fn an_unknown_extended_code_has_its_primary_name() {
        assert_eq!(result_code::name(ffi::SQLITE_BUSY | (99 << 8)), Some("SQLITE_BUSY"));
        assert_eq!(result_code::name(250), None);
    }
}
