//! What can be wrong with a result that a driver sent.

use arrow_schema::{ArrowError, DataType};

use crate::Display;

/// A driver broke the contract: its schema or batch cannot be shown.
///
/// Always the driver's fault, never the query's; the result cannot be continued after it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema message is not an Arrow schema.
    #[error("the driver's schema is not valid")]
    Schema(#[source] ArrowError),
    /// The schema and the column descriptions are of different results.
    #[error("the driver's schema has {fields} fields for {columns} columns")]
    ColumnCount { fields: usize, columns: usize },
    /// The column's display kind does not go with its Arrow type.
    #[error(
        "column {column} ({name:?}) has Arrow type {data_type}, which display {display:?} does not go with"
    )]
    Unshowable { column: usize, name: String, data_type: DataType, display: Display },
    /// The batch message is not an Arrow record batch of this schema.
    #[error("the driver's batch is not valid")]
    Batch(#[source] ArrowError),
    /// The batch is well-formed Arrow, but outside the contract.
    #[error("the driver's batch is refused: {0}")]
    Refused(&'static str),
    /// A cell note does not go with the array.
    #[error("the driver's note on row {row}, column {column} is refused: {why}")]
    Note { row: u32, column: u32, why: &'static str },
}
