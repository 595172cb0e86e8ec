//! A database in a folder of its own, and its answers as text.

use std::{fmt::Write as _, path::PathBuf};

use arrow_array::{Array, BinaryArray, Float64Array, Int64Array, StringArray};
use querybox_driver_sqlite::Sqlite;
use querybox_plugin::{
    pb::{self, cell_note::Note, open_response::Outcome},
    testkit::{Answer, Client, Statement},
};
use tempfile::TempDir;

/// A folder with a file for a database in it. The file is there once something was written.
pub(crate) struct Database {
    folder: TempDir,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A database that a script of another program made.
    pub(crate) fn made_by(script: &str) -> Self {
        let database = Self::new();
        database.elsewhere().execute_batch(script).unwrap();
        database
    }

    /// Another program's connection.
    pub(crate) fn elsewhere(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("shop.sqlite")
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let file = self.file().to_str().unwrap().to_owned();
        vec![("file".into(), file), ("create".into(), "true".into())]
    }

    pub(crate) async fn session(&self) -> Session {
        self.session_with(pb::OpenOptions::default()).await
    }

    pub(crate) async fn session_with(&self, options: pb::OpenOptions) -> Session {
        match self.open(self.parameters(), options).await {
            (client, Ok(Outcome::Opened(_))) => Session { client },
            (_, outcome) => panic!("the session does not open: {outcome:?}"),
        }
    }

    pub(crate) async fn read_only(&self) -> Session {
        self.session_with(pb::OpenOptions { read_only: true, ..pb::OpenOptions::default() }).await
    }

    /// Tries to open; the failure is the status's message.
    pub(crate) async fn open(
        &self,
        parameters: Vec<(String, String)>,
        options: pb::OpenOptions,
    ) -> (Client, Result<Outcome, String>) {
        let mut client = Client::connect(Sqlite);
        let request = pb::OpenRequest { options: Some(options), ..client.open_request(parameters, vec![]) };
        let outcome = client.open_with(request).await.map_err(|status| status.message().to_owned());
        (client, outcome)
    }
}

/// An open session.
pub(crate) struct Session {
    pub(crate) client: Client,
}

impl Session {
    pub(crate) async fn run(&mut self, sql: &str) -> Answer {
        self.client.execute(sql).await.unwrap()
    }

    /// Runs a script with a request of one's own.
    pub(crate) async fn run_with(
        &mut self,
        sql: &str,
        change: impl FnOnce(&mut pb::ExecuteRequest),
    ) -> Answer {
        let mut request = self.client.execute_request(sql);
        change(&mut request);
        self.client.execute_with(request).await.unwrap()
    }

    /// What a script answers, as [`show`] writes it.
    #[track_caller]
    pub(crate) fn shows(&mut self, sql: &str, expected: &[&str]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let answer = self.run(sql).await;
            assert_eq!(show(&answer), expected, "{sql}\nat {place}");
        }
    }
}

/// One line a header, row and end.
pub(crate) fn show(answer: &Answer) -> Vec<String> {
    let mut lines: Vec<_> = answer.statements.iter().flat_map(show_statement).collect();
    if let Some(rejection) = &answer.rolled_back_at_end {
        lines.push(format!("{} {}", rejection.sqlstate, rejection.message));
    }
    lines
}

fn show_statement(statement: &Statement) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(header) = statement.header.as_ref().filter(|header| header.returns_rows) {
        let column = |column: &pb::Column| format!("{} {:?}", column.name, column.display());
        lines.push(header.columns.iter().map(column).collect::<Vec<_>>().join(", "));
    }
    lines.extend(cells(statement).iter().map(|row| row.join(", ")));
    if let Some(summary) = &statement.summary {
        lines.push(summary.command_tag.clone());
    }
    if let Some(rejection) = &statement.rejection {
        lines.push(format!("{} {}: {}", rejection.sqlstate, rejection.vendor_code, rejection.message));
    }
    lines
}

/// The cells of a statement: values as they are, noted ones behind their kind.
pub(crate) fn cells(statement: &Statement) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (batch, notes) in &statement.batches {
        for row in 0..batch.num_rows() {
            let cell = |column: usize| {
                let note = notes.iter().find(|note| (note.row, note.column) == (row as u32, column as u32));
                note.map_or_else(|| value(batch.column(column), row), noted)
            };
            rows.push((0..batch.num_columns()).map(cell).collect());
        }
    }
    rows
}

fn noted(note: &pb::CellNote) -> String {
    match note.note.as_ref().unwrap() {
        Note::ExactText(text) => format!("{:?} {text}", note.display()),
        Note::UndecodableBytes(bytes) => format!("undecodable {:02x?}", bytes.to_vec()),
        Note::CutAtSize(size) => format!("cut at {size}"),
    }
}

fn value(array: &dyn Array, row: usize) -> String {
    let any = array.as_any();
    if array.is_null(row) {
        "NULL".into()
    } else if let Some(array) = any.downcast_ref::<Int64Array>() {
        array.value(row).to_string()
    } else if let Some(array) = any.downcast_ref::<Float64Array>() {
        format!("{:?}", array.value(row))
    } else if let Some(array) = any.downcast_ref::<StringArray>() {
        format!("'{}'", array.value(row))
    } else if let Some(array) = any.downcast_ref::<BinaryArray>() {
        let mut text = String::from("x");
        for byte in array.value(row) {
            write!(text, "{byte:02x}").unwrap();
        }
        text
    } else {
        panic!("the driver has no column of type {}", array.data_type())
    }
}
