//! COPY: what comes out as rows of lines, what would go in refused.

use postgres_protocol::message::frontend;
use querybox_plugin::{Column, ColumnKind, Rows, TextKind, pb};
use querybox_sql::{Dialect, TokenKind, lex};

use crate::{
    connection::Connection,
    decode::{self, Encoding},
};

/// How the pieces of a COPY become rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// One line a row, without its end: the server sends each row of its formats text and csv as one piece.
    Lines,
    /// Pieces of the binary format as they come.
    Bytes,
}

impl Pieces {
    /// What the server says of the format: 0 for text, 1 for binary.
    pub(crate) fn of_format(format: u8) -> Self {
        if format == 0 { Self::Lines } else { Self::Bytes }
    }

    /// The one column of the result.
    pub(crate) fn column(self) -> Column {
        let (database_type, kind) = match self {
            Self::Lines => ("text", ColumnKind::Text(TextKind::Text)),
            Self::Bytes => ("bytea", ColumnKind::Bytes),
        };
        Column { name: "copy".into(), database_type: database_type.into(), kind, origin_id: String::new() }
    }

    /// Tells one piece as the value of a row that was begun.
    pub(crate) fn tell(self, piece: &[u8], encoding: Encoding, rows: &mut Rows<'_>) {
        match self {
            Self::Lines => decode::text(piece.strip_suffix(b"\n").unwrap_or(piece), encoding, rows),
            Self::Bytes => rows.bytes(piece),
        }
    }
}

/// Whether a COPY is without the commands that write, so that a cancel takes nothing back. What functions do that it
/// calls, nobody can tell.
pub(crate) fn only_reads(sql: &str, dialect: &Dialect) -> bool {
    !lex(sql, dialect).any(|token| {
        token.kind == TokenKind::Word
            && ["INSERT", "UPDATE", "DELETE", "MERGE"]
                .iter()
                .any(|word| sql[token.range.clone()].eq_ignore_ascii_case(word))
    })
}

/// Whether a statement may ask for data, or send some: while the server waits for data, it throws a Sync away, so that none
/// may go along with such a statement.
pub(crate) fn is_copy(sql: &str, dialect: &Dialect) -> bool {
    let first = lex(sql, dialect).find(|token| token.kind == TokenKind::Word);
    first.is_some_and(|token| sql[token.range].eq_ignore_ascii_case("COPY"))
}

/// Puts the refusal to send data into the output. The server then rejects the COPY.
pub(crate) fn refuse_input(connection: &mut Connection) {
    fail(connection, "no data can be sent from here");
}

/// Puts the end of data that is not whole into the output. The server then rejects the COPY, and says why.
pub(crate) fn fail(connection: &mut Connection, why: &str) {
    frontend::copy_fail(&why.replace('\0', " "), &mut connection.wire.output)
        .expect("the message has no zero byte, and is far below 2 GiB");
}

/// The rejection of a COPY … FROM STDIN, in place of the server's, which says that somebody canceled.
pub(crate) fn input_refused(rejection: pb::Rejection) -> pb::Rejection {
    pb::Rejection {
        // feature_not_supported
        sqlstate: "0A000".into(),
        message: "COPY FROM STDIN has no data: none was given with the statement".into(),
        hint:
            "Give a file with it (`querybox query … --copy-from FILE`, `\\copy` in its shell), or use INSERT."
                .into(),
        detail: String::new(),
        ..rejection
    }
}
