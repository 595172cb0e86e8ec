//! Exports read back by readers that have nothing to do with their writers: pyarrow, openpyxl, Python's own.

use std::{env, fs, path::Path, process::Command};

use arrow_array::{Array, StringArray};
use querybox_results::{
    CellNote, CsvOptions, Display, ExportFormat, KeptSource, Note, Rows, SpoolWriter, State,
};
use serde_json::json;

use crate::{
    exports::exported,
    ipc::{Sent, filled, send},
    keeping::{budget, limits, raw, rows, window},
    view_types::all_types,
};

/// Names a Python that has the packages of `tests/readers/requirements.txt`.
const PYTHON: &str = "QUERYBOX_TEST_PYTHON";

/// Columns of every type; texts that formats stumble over; and, in notes, values outside of their types.
fn values() -> (Sent, Vec<CellNote>) {
    let hard = [
        "",
        " a ",
        "'",
        "\"",
        ",",
        "a\nb",
        "a\r\nb",
        "\t",
        "_x0041_",
        "<&>",
        "=1+1",
        "größe 😀",
        "\u{1}",
        "NULL",
        "\\N",
        "\u{feff}",
        "]]>",
        "null",
        "1e5",
        "\u{85}\u{2028}",
    ];
    let texts: StringArray = (0..50).map(|row| hard.get(row).copied()).collect();
    let mut columns: Vec<_> =
        all_types().into_iter().filter(|filled| filled.column.name != "large").collect();
    columns.push(filled("hard", Display::Text, texts));
    columns.push(filled(
        "doc",
        Display::Json,
        StringArray::from(vec![Some("{\"a\": [1, null, \"ä\"]}"); 50]),
    ));
    let place = |name: &str| columns.iter().position(|filled| filled.column.name == name).unwrap() as u32;
    let note = |name, note| CellNote { row: 3, column: place(name), note, display: None, full_size: None };
    let notes = vec![
        note("date", Note::ExactText("infinity".to_owned())),
        note("at", Note::ExactText("0044-03-15 12:00:00 BC".to_owned())),
        note("d256", Note::ExactText("NaN".to_owned())),
    ];
    assert!(columns.iter().all(|filled| filled.array.len() == 50));
    (send(columns, 50), notes)
}

fn keep(folder: &Path) -> Rows {
    let (sent, notes) = values();
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let kept = rows(&writer, &sent);
    for _ in 0..2 {
        writer.push(raw(&sent, notes.clone())).unwrap();
    }
    writer.end().unwrap();
    kept
}

#[test]
#[ignore = "needs a Python with pyarrow and openpyxl, named by QUERYBOX_TEST_PYTHON"]
fn what_was_exported_is_what_others_read() {
    let python = env::var_os(PYTHON).expect("the variable names a Python");
    let folder = tempfile::tempdir().unwrap();
    let kept = keep(folder.path());
    let formats = [
        ("csv", ExportFormat::Csv(CsvOptions::postgres())),
        ("ndjson", ExportFormat::NdJson),
        ("xlsx", ExportFormat::Xlsx(querybox_results::XlsxOptions::excel())),
        ("parquet", ExportFormat::Parquet),
        ("arrow", ExportFormat::Arrow),
    ];
    for (name, format) in &formats {
        let (document, found) = exported(&mut KeptSource::new(&kept), format.clone()).unwrap();
        assert_eq!((found.rows, found.cells_left_out, found.cells_shortened), (100, 0, 0), "{name}");
        fs::write(folder.path().join(name), document).unwrap();
    }
    let window = window(&kept, 0, u32::MAX).unwrap();
    let cell = |row, column| {
        let cell = window.cell(row, column);
        (cell.state != State::Null).then(|| cell.text.to_owned())
    };
    let columns = kept.columns();
    let texts: Vec<Vec<_>> = (0..window.row_count())
        .map(|row| (0..columns.len()).map(|column| cell(row, column)).collect())
        .collect();
    let kind = |display: &Display| match display {
        Display::Array(element) => format!("Array:{element:?}"),
        display => format!("{display:?}"),
    };
    let kinds: Vec<_> = columns.iter().map(|column| kind(&column.display)).collect();
    let names: Vec<_> = formats.iter().map(|(name, _)| name).collect();
    let expected = json!({ "kinds": kinds, "rows": texts, "formats": names });
    fs::write(folder.path().join("expected.json"), expected.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/read.py");
    let read = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let (told, complained) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    assert!(read.status.success(), "{told}{complained}");
    assert_eq!(told.lines().count(), formats.len(), "{told}");
}
