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
        // The severity that is not translated; a server that only speaks like PostgreSQL may have just the other.
        let severity = texts.get(&b'V').or_else(|| texts.get(&b'S'));
        let fatal = severity.is_some_and(|word| word == "FATAL" || word == "PANIC");
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
            severity: take(b'S'),
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

/// A notice, without the statement's number.
pub(crate) fn notice(body: &NoticeResponseBody) -> Result<pb::Notice, Error> {
    let mut texts = texts(body.fields())?;
    let mut take = |field: u8| texts.remove(&field).unwrap_or_default();
    Ok(pb::Notice {
        statement: 0,
        severity: take(b'S'),
        sqlstate: take(b'C'),
        message: take(b'M'),
        detail: take(b'D'),
        hint: take(b'H'),
    })
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
    use super::*;

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
