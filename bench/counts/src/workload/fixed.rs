//! A session that tells rows of twelve columns, as the benches' table `mixed` has them.

use std::ops::ControlFlow;

use futures::executor::block_on;
use querybox_plugin::{
    Column, ColumnKind, Done, Error, ExecuteError, OnError, Query, Results, SchemaError, SchemaObjects,
    Session, TextKind,
    pb::{self, execute_response::Part},
    testkit::execute_directly,
};
use tokio_util::sync::CancellationToken;

use super::{ROWS, counted_by_callgrind};

/// Cells are far below.
pub(super) const CELL_BYTES_MAX: usize = 1 << 20;
/// The value of every column but the first that is NULL.
const NULL_EVERY: i64 = 20;
const LONG_TEXT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const DOCUMENT: &str =
    r#"{"even": true, "name": "c4ca4238a0b923820dcc509a6f75849b", "tags": ["one", "two"], "number": 1}"#;

/// The columns, with the name of each type.
pub(super) fn columns() -> Vec<Column> {
    let column = |name: &str, database_type: &str, kind| Column {
        name: name.to_owned(),
        database_type: database_type.to_owned(),
        kind,
        origin_id: String::new(),
    };
    vec![
        column("id", "bigint", ColumnKind::Int64),
        column("amount", "integer", ColumnKind::Int32),
        column("ratio", "double precision", ColumnKind::Float64),
        column("price", "numeric(18,4)", ColumnKind::Decimal { precision: 18, scale: 4 }),
        column("active", "boolean", ColumnKind::BoolTF),
        column("label", "text", ColumnKind::Text(TextKind::Text)),
        column("body", "text", ColumnKind::Text(TextKind::Text)),
        column("key", "uuid", ColumnKind::Uuid),
        column("seen", "timestamp with time zone", ColumnKind::TimestampUtc),
        column("day", "date", ColumnKind::Date),
        column("doc", "jsonb", ColumnKind::Text(TextKind::Json)),
        column("note", "text", ColumnKind::Text(TextKind::Text)),
    ]
}

/// Counts the session's rows on their way into batches.
pub(super) fn sink() -> u64 {
    let mut batches = 0;
    counted_by_callgrind(|| {
        tell(|part| batches += u64::from(matches!(part, Part::Batch(_))));
    });
    batches
}

/// The header and the batches of the session's rows.
pub(super) fn parts() -> (pb::Header, Vec<pb::Batch>) {
    let (mut header, mut batches) = (None, Vec::new());
    tell(|part| match part {
        Part::Header(told) => header = Some(told.clone()),
        Part::Batch(batch) => batches.push(batch.clone()),
        _ => {}
    });
    (header.expect("a result has a header"), batches)
}

fn tell(mut each: impl FnMut(&Part)) {
    let heard = block_on(execute_directly(&Fixed, query(""), CELL_BYTES_MAX, None, |part| {
        each(part);
        ControlFlow::Continue(())
    }));
    heard.ended.expect("nothing of it can fail");
}

pub(super) fn query(sql: &str) -> Query {
    Query {
        sql: sql.to_owned(),
        on_error: OnError::Stop,
        single_transaction: false,
        one_shot: false,
        bindings: Vec::new(),
        rows_max: None,
        bytes_max: None,
        column_facts: false,
        cancelled: CancellationToken::new(),
    }
}

struct Fixed;

impl Session for Fixed {
    fn server(&self) -> pb::ServerFacts {
        pb::ServerFacts::default()
    }

    async fn execute(&self, _query: Query, mut results: Results) -> Result<(), ExecuteError> {
        let mut rows = results.statement(0..0).rows(&columns()).await?;
        for i in 0..ROWS.cast_signed() {
            if !rows.begin_row() {
                break;
            }
            let is_null = |column: i64| i % NULL_EVERY == column;
            rows.int(i);
            if is_null(1) {
                rows.null()
            } else {
                rows.int(i * 7919 % 1_000_003)
            }
            if is_null(2) {
                rows.null()
            } else {
                rows.float(i as f64 * 1.618_033_988_749)
            }
            if is_null(3) {
                rows.null()
            } else {
                rows.decimal(i128::from(i * 104_729))
            }
            if is_null(4) {
                rows.null()
            } else {
                rows.bool(i % 3 == 0)
            }
            if is_null(5) {
                rows.null()
            } else {
                rows.text(&LONG_TEXT[..9])
            }
            if is_null(6) {
                rows.null()
            } else {
                rows.text(LONG_TEXT)
            }
            if is_null(7) {
                rows.null()
            } else {
                rows.uuid((i as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c).to_be_bytes())
            }
            if is_null(8) {
                rows.null()
            } else {
                rows.int(1_577_836_800_000_000 + i * 37_000_001)
            }
            if is_null(9) {
                rows.null()
            } else {
                rows.int(10_957 + i % 20_000)
            }
            if is_null(10) {
                rows.null()
            } else {
                rows.text(DOCUMENT)
            }
            if is_null(11) {
                rows.null()
            } else {
                rows.text("{1,2,NULL}")
            }
            if rows.end_row() {
                rows.flush().await?;
            }
        }
        let transaction_state = pb::TransactionState::Idle;
        rows.finish(Done { affected_rows: None, command_tag: "SELECT".into(), transaction_state }).await
    }

    async fn schema(&self, _: pb::GetSchemaRequest, _: SchemaObjects) -> Result<(), SchemaError> {
        Err(Error::unsupported("there is none").into())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}
