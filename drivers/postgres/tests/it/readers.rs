//! Every type, exported in every format that others read, is what they read.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};

use futures::StreamExt as _;
use querybox_fixtures::Postgres;
use querybox_plugin::{pb::execute_response::Part, testkit::Client};
use querybox_results::{
    Budget, CsvOptions, Display, Existing, ExportFormat, ExportWatch, FileSink, KeptSource, Limits, RawBatch,
    Rows, Shape, SpoolWriter, State, WindowQuery, XlsxOptions, export,
};
use serde_json::json;

use crate::{
    rendering::{column, note},
    server::open,
    types::{MAKE, TABLE},
};

/// Names a Python that has the packages of the readers.
const PYTHON: &str = "QUERYBOX_TEST_PYTHON";
const SCRIPT: &str = "../../crates/querybox-results/tests/readers/read.py";

/// Each value of a type with its number, then NULL.
fn query(name: &str, values: &[&str]) -> String {
    let rows = values.iter().chain([&"null"]).enumerate();
    let rows: Vec<_> = rows.map(|(number, value)| format!("({number}, ({value})::{name})")).collect();
    format!("select i, v from (values {}) as t (i, v) order by i", rows.join(", "))
}

/// Runs a query and keeps its rows in a folder.
async fn keep(client: &mut Client, sql: &str, folder: &Path) -> Rows {
    let limits = Limits {
        result_memory_bytes: 0,
        all_memory_bytes: u64::MAX,
        result_bytes: u64::MAX,
        all_bytes: u64::MAX,
        free_disk_percent: 100,
        cache_bytes: 4 << 20,
        files_max: 16,
    };
    let mut writer = SpoolWriter::new(&Budget::new(folder.to_owned(), limits));
    let mut shape = None;
    let mut parts = client.grpc.execute(client.execute_request(sql)).await.unwrap().into_inner();
    while let Some(part) = parts.next().await {
        match part.unwrap().part.unwrap() {
            Part::Header(header) => {
                let columns = header.columns.iter().map(column).collect();
                shape = Some(Shape::new(&header.arrow_schema, columns).unwrap());
            }
            Part::Batch(batch) => {
                let notes = batch.notes.into_iter().map(note).collect();
                let (metadata, body, row_count) = (batch.arrow_metadata, batch.arrow_body, batch.row_count);
                writer.push(RawBatch { metadata, body, row_count, notes }).unwrap();
            }
            Part::Rejection(rejection) => panic!("{sql}: {rejection:?}"),
            _ => {}
        }
    }
    let rows = Rows::new(shape.unwrap(), writer.spool().clone());
    writer.end().unwrap();
    rows
}

/// Writes every format, and what a reader is to find in it.
fn write(rows: &Rows, folder: &Path) {
    let mut written = Vec::new();
    for (name, format) in [
        ("csv", ExportFormat::Csv(CsvOptions::postgres())),
        ("ndjson", ExportFormat::NdJson),
        ("xlsx", ExportFormat::Xlsx(XlsxOptions::excel())),
        ("parquet", ExportFormat::Parquet),
        ("arrow", ExportFormat::Arrow),
    ] {
        let sink = FileSink::create(&folder.join(name), Existing::Kept).unwrap();
        let mut watch = ExportWatch { progress: &mut |_| (), cancel: &AtomicBool::new(false) };
        let exported = export(&mut KeptSource::new(rows), format, sink, &mut watch).unwrap();
        assert_eq!((exported.rows, exported.cells_left_out), (rows.row_count(), 0), "{name}");
        // A cell of a spreadsheet holds less than PostgreSQL's.
        if exported.cells_shortened == 0 {
            written.push(name);
        }
    }
    let columns: Vec<usize> = (0..rows.columns().len()).collect();
    let (cell_bytes, window_bytes) = (64 << 20, 1 << 30);
    let query = WindowQuery { first: 0, count: u32::MAX, columns: &columns, cell_bytes, window_bytes };
    let window = rows.window(&query).unwrap();
    let text = |row, column| {
        let cell = window.cell(row, column);
        (cell.state != State::Null).then(|| cell.text.to_owned())
    };
    let texts = (0..window.row_count()).map(|row| columns.iter().map(|column| text(row, *column)).collect());
    let texts: Vec<Vec<_>> = texts.collect();
    let kind = |display: &Display| match display {
        Display::Array(element) | Display::ArrayText(element) => format!("Array:{element:?}"),
        display => format!("{display:?}"),
    };
    let kinds: Vec<_> = rows.columns().iter().map(|column| kind(&column.display)).collect();
    let expected = json!({ "kinds": kinds, "rows": texts, "formats": written });
    fs::write(folder.join("expected.json"), expected.to_string()).unwrap();
}

#[tokio::test]
#[ignore = "needs a Python with pyarrow and openpyxl, named by QUERYBOX_TEST_PYTHON"]
async fn every_type_is_read_by_others_as_it_is_shown() {
    let python = env::var_os(PYTHON).expect("the variable names a Python");
    let server = Postgres::start();
    server.psql(MAKE);
    let mut client = open(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let mut folders: Vec<PathBuf> = Vec::new();
    for (number, (name, values)) in TABLE.iter().enumerate() {
        let of_type = folder.path().join(format!("{number} {}", name.replace(['/', '"'], "_")));
        fs::create_dir(&of_type).unwrap();
        let rows = keep(&mut client, &query(name, values), &of_type).await;
        assert_eq!(rows.row_count(), values.len() as u64 + 1, "{name}");
        write(&rows, &of_type);
        folders.push(of_type);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
    let read = Command::new(python).arg(script).args(&folders).output().unwrap();
    let (told, complained) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    assert!(read.status.success(), "{told}{complained}");
    assert!(told.lines().count() > folders.len() * 4, "{told}");
}
