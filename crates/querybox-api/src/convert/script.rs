//! Scripts that are read for an editor.

use querybox_contracts::core::v1::{self as pb, split_script_request::Cursor};
use querybox_core::{
    FormatAsk, FormattedScript, ScriptAsk, ScriptOutline, ScriptSpan, ScriptStatement, StatementKind,
    TextPlace,
};

use super::{InvalidField, connection::invalid};

/// More than this, nobody edits; an answer on it takes a fraction of a second.
const TEXT_BYTES_MAX: usize = 16 << 20;
const STATEMENTS_USUAL: u32 = 1_000;
const STATEMENTS_MAX: u32 = 10_000;

pub(crate) fn script_ask(request: pb::SplitScriptRequest) -> Result<ScriptAsk, InvalidField> {
    let pb::SplitScriptRequest { driver_type, text, cursor, statements_max } = request;
    if text.len() > TEXT_BYTES_MAX {
        return Err(InvalidField::new("text", format!("is longer than {TEXT_BYTES_MAX} bytes")));
    }
    let statements_max = match statements_max {
        0 => STATEMENTS_USUAL,
        asked => asked.min(STATEMENTS_MAX),
    };
    Ok(ScriptAsk {
        driver_type: driver_type.parse().map_err(|error| invalid("driver_type", error))?,
        text,
        cursor: cursor.map(|cursor| match cursor {
            Cursor::CursorByte(byte) => TextPlace::Byte(byte as usize),
            Cursor::CursorUtf16(units) => TextPlace::Utf16(units as usize),
        }),
        statements_max: statements_max as usize,
    })
}

/// Longer scripts are written by programs.
const FORMAT_BYTES_MAX: usize = 1 << 20;

pub(crate) fn format_ask(request: pb::FormatScriptRequest) -> Result<FormatAsk, InvalidField> {
    let pb::FormatScriptRequest { driver_type, text } = request;
    if text.len() > FORMAT_BYTES_MAX {
        return Err(InvalidField::new("text", format!("is longer than {FORMAT_BYTES_MAX} bytes")));
    }
    Ok(FormatAsk { driver_type: driver_type.parse().map_err(|error| invalid("driver_type", error))?, text })
}

pub(crate) fn formatted_message(formatted: FormattedScript) -> pb::FormatScriptResponse {
    pb::FormatScriptResponse { text: formatted.text, left_count: number(formatted.left_count) }
}

pub(crate) fn outline_message(outline: ScriptOutline) -> pb::SplitScriptResponse {
    pb::SplitScriptResponse {
        statements: outline.statements.into_iter().map(statement_message).collect(),
        statement_count: number(outline.statement_count),
        at_cursor: outline.at_cursor.map(statement_message),
    }
}

fn statement_message(statement: ScriptStatement) -> pb::ScriptStatement {
    pb::ScriptStatement {
        statement: number(statement.number),
        span: Some(span_message(statement.span)),
        kind: kind_message(statement.kind).into(),
        parameters: statement
            .parameters
            .into_iter()
            .map(|one| pb::ScriptParameter { name: one.name, span: Some(span_message(one.span)) })
            .collect(),
        parameter_count: number(statement.parameter_count),
        has_more_parameters: statement.has_more_parameters,
    }
}

fn kind_message(kind: StatementKind) -> pb::StatementKind {
    match kind {
        StatementKind::Query => pb::StatementKind::Query,
        StatementKind::Change => pb::StatementKind::Change,
        StatementKind::Definition => pb::StatementKind::Definition,
        StatementKind::Transaction => pb::StatementKind::Transaction,
        StatementKind::Command => pb::StatementKind::Command,
        StatementKind::Other => pb::StatementKind::Other,
    }
}

fn span_message(span: ScriptSpan) -> pb::ScriptSpan {
    pb::ScriptSpan {
        start_byte: number(span.start.byte),
        end_byte: number(span.end.byte),
        start_utf16: number(span.start.utf16),
        end_utf16: number(span.end.utf16),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a text of 16 MiB has no more of anything")
}
