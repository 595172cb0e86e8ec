//! What is asked for when a script is run.

use querybox_contracts::plugin::v1 as pb;

/// A script to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteOrder {
    /// One or more statements.
    pub sql: String,
    /// What follows a rejected statement.
    pub on_error: OnError,
    /// All statements in one transaction.
    pub single_transaction: bool,
    /// Rows that a statement may return. None: no limit.
    pub rows_max: Option<u64>,
    /// Bytes of batches that a statement may return. None: no limit.
    pub bytes_max: Option<u64>,
    /// Values for the parameters of a script of one statement: name without its sign, and text or NULL.
    pub bindings: Vec<(String, Option<String>)>,
    /// Nothing follows in this session.
    pub one_shot: bool,
    /// Data is given to statements that ask for it: see [`CopySender`](crate::CopySender).
    pub gives_copy_data: bool,
    /// Facts of the columns are told also where the database has to be asked for them.
    pub column_facts: bool,
}

/// What follows a rejected statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Nothing.
    Stop,
    /// The next statement.
    Continue,
}

impl ExecuteOrder {
    pub(crate) fn into_request(self, session_id: String) -> pb::ExecuteRequest {
        let on_error = match self.on_error {
            OnError::Stop => pb::OnError::Stop,
            OnError::Continue => pb::OnError::Continue,
        };
        pb::ExecuteRequest {
            session_id,
            sql: self.sql,
            on_error: on_error.into(),
            single_transaction: self.single_transaction,
            // In the message 0 stands for no limit; a limit of no rows still needs one to be told.
            rows_max: self.rows_max.map_or(0, |rows| rows.max(1)),
            bytes_max: self.bytes_max.map_or(0, |bytes| bytes.max(1)),
            bindings: self.bindings.into_iter().map(|(name, text)| pb::Binding { name, text }).collect(),
            one_shot: self.one_shot,
            gives_copy_data: self.gives_copy_data,
            column_facts: self.column_facts,
        }
    }
}
