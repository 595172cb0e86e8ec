//! The server's errors and notices, in the contract's words.

use std::collections::HashMap;

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{ErrorFields, ErrorResponseBody, NoticeResponseBody};
use querybox_plugin::{Error, pb};

/// How much of one text of an error is told. A message that quotes a megabyte of data helps nobody, and must not fill the
/// message to Core.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// An error of the server, before its position was found in a text.
#[derive(Debug)]
pub(crate) struct Refusal {
    rejection: pb::Rejection,
    /// The character of the statement that the server means, from 1.
    position: Option<usize>,
    fatal: bool,
}

/// How the server counts the characters of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    Characters,
    /// In a database of encoding `SQL_ASCII` each byte is a character.
    Bytes,
}

impl Refusal {
    pub(crate) fn parse(body: &ErrorResponseBody) -> Result<Self, Error> {
        let mut texts = texts(body.fields())?;
        let severity = take_severity(&mut texts);
        let fatal = severity == "FATAL" || severity == "PANIC";
        let mut take = |field: u8| texts.remove(&field).unwrap_or_default();
        let position = take(b'P').parse().ok();
        let mut context = take(b'W');
        let internal = take(b'q');
        if !internal.is_empty() {
            // Its position counts in this text and not in the statement.
            let at = take(b'p');
            let at = if at.is_empty() { at } else { format!(" at character {at}") };
            let separator = if context.is_empty() { "" } else { "\n" };
            context = format!("{context}{separator}internal query{at}: {internal}");
        }
        let rejection = pb::Rejection {
            sqlstate: take(b'C'),
            severity,
            message: take(b'M'),
            detail: take(b'D'),
            hint: take(b'H'),
            context,
            ..pb::Rejection::default()
        };
        Ok(Self { rejection, position, fatal })
    }

    /// Whether the server ends the connection with it.
    pub(crate) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// Whether what ran was cancelled.
    pub(crate) fn is_cancel(&self) -> bool {
        // query_canceled
        self.rejection.sqlstate == "57014"
    }

    /// Whether the same would be refused again: it may not be done, or the server does not know it. A limit of time or a
    /// cancel says nothing of the next one.
    pub(crate) fn is_lasting(&self) -> bool {
        is_lasting(&self.rejection.sqlstate)
    }

    /// Whether a name means nothing.
    pub(crate) fn is_of_names(&self) -> bool {
        // undefined_table, invalid_schema_name, invalid_catalog_name, syntax_error
        ["42P01", "3F000", "3D000", "42601"].contains(&self.rejection.sqlstate.as_str())
    }

    /// The message alone.
    pub(crate) fn message(&self) -> &str {
        &self.rejection.message
    }

    /// The rejection of a log-in.
    pub(crate) fn of_log_in(self) -> pb::Rejection {
        pb::Rejection { transaction_state: pb::TransactionState::Idle.into(), ..self.rejection }
    }

    /// The rejection of a statement that was sent as `sql`; its position counts from there.
    pub(crate) fn of_statement(
        self,
        sql: &str,
        counting: Counting,
        transaction_state: pb::TransactionState,
    ) -> pb::Rejection {
        let position_byte = self.position.and_then(|position| byte_of(sql, position, counting));
        pb::Rejection { position_byte, transaction_state: transaction_state.into(), ..self.rejection }
    }
}

/// The same as [`Refusal::is_lasting`].
pub(crate) fn is_lasting(sqlstate: &str) -> bool {
    // syntax_error_or_access_rule_violation, feature_not_supported
    sqlstate.starts_with("42") || sqlstate == "0A000"
}

/// A notice, without the statement's number.
pub(crate) fn notice(body: &NoticeResponseBody) -> Result<pb::Notice, Error> {
    let mut texts = texts(body.fields())?;
    let severity = take_severity(&mut texts);
    let mut take = |field: u8| texts.remove(&field).unwrap_or_default();
    Ok(pb::Notice {
        statement: 0,
        severity,
        sqlstate: take(b'C'),
        message: take(b'M'),
        detail: take(b'D'),
        hint: take(b'H'),
    })
}

/// The severity that is not translated, by which programs know what it is. Before version 9.6 there is just the other, and
/// so may be with a server that only speaks like PostgreSQL.
fn take_severity(texts: &mut HashMap<u8, String>) -> String {
    texts.remove(&b'V').or_else(|| texts.remove(&b'S')).unwrap_or_default()
}

fn texts(mut fields: ErrorFields<'_>) -> Result<HashMap<u8, String>, Error> {
    let mut texts = HashMap::new();
    while let Some(field) =
        fields.next().map_err(|_| Error::protocol("an error of the server is malformed"))?
    {
        // The server's messages come in its own encoding until the client's is agreed on.
        let value = field.value_bytes();
        let mut text = String::from_utf8_lossy(&value[..value.len().min(TEXT_BYTES_MAX)]).into_owned();
        if value.len() > TEXT_BYTES_MAX {
            text.push_str(" …");
        }
        texts.insert(field.type_(), text);
    }
    Ok(texts)
}

/// The byte of a text at which its character number `position` (from 1) begins; the end for one past the last.
fn byte_of(text: &str, position: usize, counting: Counting) -> Option<u32> {
    let index = position.checked_sub(1)?;
    let byte = match counting {
        Counting::Bytes => Some(index).filter(|&byte| byte <= text.len()),
        Counting::Characters => {
            let starts = text.char_indices().map(|(byte, _)| byte);
            starts.chain([text.len()]).nth(index)
        }
    };
    byte.and_then(|byte| u32::try_from(byte).ok())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use postgres_protocol::message::backend::Message;

    use super::*;

    /// What the server says with these fields.
    fn said(tag: u8, fields: &str) -> Message {
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        let bytes = [&[tag], &length[..], fields.as_bytes()].concat();
        Message::parse(&mut BytesMut::from(&bytes[..])).unwrap().unwrap()
    }

    fn severity_of_error(fields: &str) -> (String, bool) {
        let Message::ErrorResponse(body) = said(b'E', fields) else { panic!("an error") };
        let refusal = Refusal::parse(&body).unwrap();
        let fatal = refusal.is_fatal();
        (refusal.of_log_in().severity, fatal)
    }

    #[test]
    fn a_severity_is_the_same_in_any_language() {
        let german = "SFEHLER\0VERROR\0C42P01\0MRelation »t« existiert nicht\0\0";
        assert_eq!(severity_of_error(german), ("ERROR".to_owned(), false));
        let italian = "SFATALE\0VFATAL\0C57P01\0Mterminato\0\0";
        assert_eq!(severity_of_error(italian), ("FATAL".to_owned(), true));
        let of_old = "SPANIC\0C57P02\0Mover\0\0";
        assert_eq!(severity_of_error(of_old), ("PANIC".to_owned(), true));
        let Message::NoticeResponse(body) = said(b'N', "SWARNUNG\0VWARNING\0C25P01\0Mkeine\0\0") else {
            panic!("a notice")
        };
        assert_eq!(notice(&body).unwrap().severity, "WARNING");
    }

    #[test]
    fn a_position_counts_characters_and_is_told_in_bytes() {
        let sql = "select 'größe', x";
        let at = |position| byte_of(sql, position, Counting::Characters);
        assert_eq!(at(1), Some(0));
        assert_eq!(at(17), Some(18));
        assert_eq!(&sql[18..], "x");
        assert_eq!(at(18), Some(19));
        assert_eq!(at(19), None);
        assert_eq!(at(0), None);
        assert_eq!(byte_of(sql, 17, Counting::Bytes), Some(16));
    }
}
