//! Exports: from kept rows and from a stream, to each format and each kind of place.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use arrow_array::{BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray};
use querybox_results::{
    Backslashes, ByteLiterals, CellNote, ChannelSink, CsvOptions, Display, Existing, ExportError,
    ExportFormat, ExportWatch, Exported, FileSink, Formulas, InsertOptions, KeptSource, LineEnd, Note,
    Quoting, RawBatch, Rows, Shape, Sink, Source, SpoolWriter, StreamSink, XlsxOptions, export,
};

use crate::{
    ipc::{Filled, Sent, filled, send},
    keeping::{budget, limits, numbered, raw, rows},
};

/// Keeps a batch.
pub(crate) fn keep(sent: &Sent, notes: Vec<CellNote>, folder: &Path) -> Rows {
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let kept = rows(&writer, sent);
    writer.push(raw(sent, notes)).unwrap();
    writer.end().unwrap();
    kept
}

/// Exports a source into memory.
pub(crate) fn exported(
    source: &mut impl Source,
    format: ExportFormat,
) -> Result<(Vec<u8>, Exported), ExportError> {
    let mut document = Vec::new();
    let cancel = AtomicBool::new(false);
    let sink = ChannelSink::new(1000, |piece| {
        document.extend_from_slice(&piece);
        Ok(())
    });
    let mut watch = ExportWatch { progress: &mut |_| (), cancel: &cancel };
    let exported = export(source, format, sink, &mut watch)?;
    assert_eq!(exported.bytes, document.len() as u64);
    Ok((document, exported))
}

/// Exports one batch of columns as text.
fn text(columns: Vec<Filled>, format: ExportFormat) -> String {
    let folder = tempfile::tempdir().unwrap();
    let row_count = columns.first().map_or(2, |column| column.array.len());
    let kept = keep(&send(columns, row_count), Vec::new(), folder.path());
    let (document, exported) = exported(&mut KeptSource::new(&kept), format).unwrap();
    assert_eq!(exported.rows, row_count as u64);
    String::from_utf8(document).unwrap()
}

fn texts(values: &[Option<&str>]) -> Filled {
    filled("text", Display::Text, StringArray::from(values.to_vec()))
}

fn numbers(values: &[&str]) -> Filled {
    filled("n", Display::FloatPg, StringArray::from(values.to_vec()))
}

#[track_caller]
fn check_csv(options: CsvOptions, columns: Vec<Filled>, expected: &str) {
    assert_eq!(text(columns, ExportFormat::Csv(options)), expected);
}

#[test]
fn a_csv_is_as_it_is_asked_for() {
    let plain = CsvOptions::postgres();
    let columns = || {
        vec![
            texts(&[Some("a;b"), None, Some(""), Some("it's \"so\"\nhere")]),
            filled("n", Display::Integer, Int64Array::from(vec![1, 2, 3, 4])),
        ]
    };
    check_csv(plain.clone(), columns(), "text,n\na;b,1\n,2\n\"\",3\n\"it's \"\"so\"\"\nhere\",4\n");
    let german = CsvOptions { delimiter: ';', line_end: LineEnd::CrLf, header: false, ..plain.clone() };
    check_csv(german, columns(), "\"a;b\";1\r\n;2\r\n\"\";3\r\n\"it's \"\"so\"\"\nhere\";4\r\n");
    let named = CsvOptions { null: "NULL".to_owned(), quote: '\'', ..plain.clone() };
    check_csv(named, columns(), "text,n\na;b,1\nNULL,2\n,3\n'it''s \"so\"\nhere',4\n");
    let always = CsvOptions { quoting: Quoting::Always, ..plain.clone() };
    check_csv(
        always,
        columns(),
        "\"text\",\"n\"\n\"a;b\",\"1\"\n,\"2\"\n\"\",\"3\"\n\"it's \"\"so\"\"\nhere\",\"4\"\n",
    );
    let wide = CsvOptions { delimiter: '→', ..plain.clone() };
    check_csv(
        wide,
        vec![texts(&[Some("a→b"), Some("a,b")]), numbers(&["1", "2"])],
        "text→n\n\"a→b\"→1\na,b→2\n",
    );
    // What looks like NULL is in quotes, and so is a line that would be empty.
    let named = CsvOptions { null: "NULL".to_owned(), ..plain };
    check_csv(named, vec![texts(&[Some("NULL"), None, Some("")])], "text\n\"NULL\"\nNULL\n\"\"\n");
}

#[test]
fn formulas_are_neutralized_on_request_alone() {
    let columns = || {
        vec![
            filled(
                "=x",
                Display::Text,
                StringArray::from(vec!["=1+1", "-5", "@a", "\tb", "a=b", "＝1", "\n=1"]),
            ),
            numbers(&["-5", "-1.5e-3", "-Infinity", "NaN", "1", "+2", "-.5"]),
        ]
    };
    let neutralized = CsvOptions { formulas: Formulas::Neutralized, ..CsvOptions::postgres() };
    check_csv(
        neutralized,
        columns(),
        "'=x,n\n'=1+1,-5\n'-5,-1.5e-3\n'@a,'-Infinity\n'\tb,NaN\na=b,1\n'＝1,+2\n\"'\n=1\",-.5\n",
    );
    check_csv(
        CsvOptions::postgres(),
        columns(),
        "=x,n\n=1+1,-5\n-5,-1.5e-3\n@a,-Infinity\n\tb,NaN\na=b,1\n＝1,+2\n\"\n=1\",-.5\n",
    );
}

#[test]
fn a_csv_that_nobody_could_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let kept = keep(&send(vec![texts(&[None])], 1), Vec::new(), folder.path());
    let plain = CsvOptions::postgres();
    for options in [
        CsvOptions { delimiter: '"', ..plain.clone() },
        CsvOptions { delimiter: '\n', ..plain.clone() },
        CsvOptions { quote: '\r', ..plain.clone() },
        CsvOptions { null: "a,b".to_owned(), ..plain.clone() },
    ] {
        let refused = exported(&mut KeptSource::new(&kept), ExportFormat::Csv(options));
        assert!(matches!(refused, Err(ExportError::Refused(_))), "{refused:?}");
    }
}

fn insert() -> InsertOptions {
    InsertOptions {
        table: vec!["my\"schema".to_owned(), "t".to_owned()],
        identifier_quote: '"',
        backslashes: Backslashes::Plain,
        bytes: ByteLiterals::Postgres,
        statement_rows: 2,
    }
}

#[test]
fn inserts_have_a_literal_for_each_kind() {
    let columns = || {
        vec![
            filled("a\"b", Display::BoolTF, BooleanArray::from(vec![Some(true), Some(false), None])),
            filled("f", Display::FloatPg, Float64Array::from(vec![-1.5, f64::NAN, 1e300])),
            filled("t", Display::Text, StringArray::from(vec!["it's", "a\\b", ""])),
            filled("b", Display::BytesHex, BinaryArray::from_vec(vec![b"\x00\xff", b"", b"'"])),
        ]
    };
    let head = r#"INSERT INTO "my""schema"."t" ("a""b", "f", "t", "b") VALUES"#;
    assert_eq!(
        text(columns(), ExportFormat::Insert(insert())),
        format!(
            "{head}\n  (TRUE, -1.5, 'it''s', '\\x00ff'),\n  (FALSE, 'NaN', 'a\\b', '\\x');\n\
             {head}\n  (NULL, 1e+300, '', '\\x27');\n"
        )
    );
    let other = InsertOptions {
        table: vec!["t`".to_owned()],
        identifier_quote: '`',
        backslashes: Backslashes::Escape,
        bytes: ByteLiterals::Standard,
        statement_rows: 1000,
    };
    assert_eq!(
        text(columns(), ExportFormat::Insert(other.clone())),
        "INSERT INTO `t``` (`a\"b`, `f`, `t`, `b`) VALUES\n  (TRUE, -1.5, 'it''s', X'00ff'),\n  \
         (FALSE, 'NaN', 'a\\\\b', X''),\n  (NULL, 1e+300, '', X'27');\n"
    );
    let brackets = InsertOptions { identifier_quote: '[', bytes: ByteLiterals::Number, ..other };
    let document = text(columns(), ExportFormat::Insert(brackets));
    assert!(document.starts_with("INSERT INTO [t`] ([a\"b], [f]"), "{document}");
    assert!(document.contains("0x00ff)") && document.contains("''),\n"), "{document}");
    assert_eq!(
        text(Vec::new(), ExportFormat::Insert(insert())),
        "INSERT INTO \"my\"\"schema\".\"t\" DEFAULT VALUES;\n".repeat(2)
    );
}

#[test]
fn a_statement_ends_before_it_is_too_long_for_databases() {
    let long = "x".repeat(100_000);
    let all = InsertOptions { statement_rows: u32::MAX, ..insert() };
    let document = text(vec![texts(&[Some(long.as_str()); 10])], ExportFormat::Insert(all));
    let lengths: Vec<usize> = document.split(";\n").map(str::len).collect();
    assert!(lengths.len() > 3 && lengths.iter().all(|length| *length < 500_000), "{lengths:?}");
}

/// A stream of batches, as a query that runs hands them on.
struct Streamed {
    shape: Shape,
    batches: mpsc::Receiver<RawBatch>,
}

impl Source for Streamed {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn row_count(&self) -> Option<u64> {
        None
    }

    fn inexact_columns(&self) -> Vec<usize> {
        Vec::new()
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, ExportError> {
        Ok(self.batches.recv().ok())
    }
}

#[test]
fn a_query_that_runs_is_exported_while_it_runs() {
    let sent = numbered(0..100, |number| format!("text {number}"));
    let (sender, batches) = mpsc::sync_channel(1);
    let shape = Shape::new(&sent.schema, sent.columns.clone()).unwrap();
    let running = std::thread::spawn(move || {
        for first in (0..1000).step_by(100) {
            let sent = numbered(first..first + 100, |number| format!("text {number}"));
            sender.send(raw(&sent, Vec::new())).unwrap();
        }
    });
    let mut streamed = Streamed { shape, batches };
    let (document, exported) = exported(&mut streamed, ExportFormat::NdJson).unwrap();
    running.join().unwrap();
    let document = String::from_utf8(document).unwrap();
    assert_eq!((exported.rows, document.lines().count()), (1000, 1000));
    assert_eq!(document.lines().last(), Some(r#"{"n":999,"t":"text 999"}"#));
}

/// A decimal of which one is no number, and a text that was cut.
pub(crate) fn inexact() -> (Sent, Vec<CellNote>) {
    let decimals =
        Decimal128Array::from(vec![Some(150), None, None]).with_precision_and_scale(10, 2).unwrap();
    let sent =
        send(vec![filled("d", Display::Decimal, decimals), texts(&[Some("first"), None, Some("")])], 3);
    let note = |row, column, note| CellNote { row, column, note, display: None, full_size: None };
    (sent, vec![note(1, 0, Note::ExactText("NaN".to_owned())), note(0, 1, Note::CutAtSize(1 << 20))])
}

#[test]
fn cells_outside_of_their_type_are_exact_from_kept_rows_and_counted_from_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let (sent, notes) = inexact();
    let kept = keep(&sent, notes.clone(), folder.path());
    for format in [ExportFormat::Parquet, ExportFormat::Arrow] {
        let (document, found) = exported(&mut KeptSource::new(&kept), format.clone()).unwrap();
        assert_eq!((found.cells_left_out, found.cells_cut, found.rows), (0, 1, 3));
        let batch = read_typed(&format, document);
        let texts = batch.column(0).as_any().downcast_ref::<arrow_array::LargeStringArray>().unwrap();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("1.50"), Some("NaN"), None]);

        let (sender, batches) = mpsc::sync_channel(1);
        sender.send(raw(&sent, notes.clone())).unwrap();
        drop(sender);
        let mut streamed = Streamed { shape: kept.shape().clone(), batches };
        let (document, found) = exported(&mut streamed, format.clone()).unwrap();
        assert_eq!((found.cells_left_out, found.cells_cut, found.rows), (1, 1, 3));
        let batch = read_typed(&format, document);
        let decimals = batch.column(0).as_any().downcast_ref::<Decimal128Array>().unwrap();
        assert_eq!(decimals.iter().collect::<Vec<_>>(), [Some(150), None, None]);
    }
}

/// Reads a document of one batch.
pub(crate) fn read_typed(format: &ExportFormat, document: Vec<u8>) -> arrow_array::RecordBatch {
    let mut batches = match format {
        ExportFormat::Parquet => {
            let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(
                bytes::Bytes::from(document),
                10_000,
            );
            reader.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
        }
        _ => arrow_ipc::reader::StreamReader::try_new(io::Cursor::new(document), None)
            .unwrap()
            .collect::<Result<Vec<_>, _>>()
            .unwrap(),
    };
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

#[test]
fn typed_formats_keep_each_type() {
    let folder = tempfile::tempdir().unwrap();
    let sent = send(crate::view_types::all_types(), 50);
    let kept = keep(&sent, Vec::new(), folder.path());
    let (document, _) = exported(&mut KeptSource::new(&kept), ExportFormat::Arrow).unwrap();
    let as_sent = read_typed(&ExportFormat::Arrow, document);
    let (document, _) = exported(&mut KeptSource::new(&kept), ExportFormat::Parquet).unwrap();
    let parquet = read_typed(&ExportFormat::Parquet, document);
    for (index, column) in crate::view_types::all_types().into_iter().enumerate() {
        assert_eq!(as_sent.column(index), &column.array, "{}", column.column.name);
        if column.column.name == "d256" {
            let texts =
                parquet.column(index).as_any().downcast_ref::<arrow_array::LargeStringArray>().unwrap();
            assert_eq!(texts.value(1), "0.001");
        } else {
            assert_eq!(parquet.column(index).to_data(), column.array.to_data(), "{}", column.column.name);
        }
    }
}

#[test]
fn names_that_repeat_are_told_apart_and_parquet_needs_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let number = || filled("n", Display::Integer, Int64Array::from(vec![1]));
    let kept = keep(&send(vec![number(), number()], 1), Vec::new(), folder.path());
    let (document, _) = exported(&mut KeptSource::new(&kept), ExportFormat::Parquet).unwrap();
    let batch = read_typed(&ExportFormat::Parquet, document);
    let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["n", "n_2"]);
    let kept = keep(&send(Vec::new(), 3), Vec::new(), folder.path());
    let refused = exported(&mut KeptSource::new(&kept), ExportFormat::Parquet);
    assert!(matches!(refused, Err(ExportError::Refused(_))), "{refused:?}");
    let (document, found) = exported(&mut KeptSource::new(&kept), xlsx()).unwrap();
    assert!(document.starts_with(b"PK") && found.rows == 3 && found.sheets == 1);
}

/// Every format there is.
pub(crate) fn formats() -> Vec<ExportFormat> {
    use ExportFormat as F;

    let csv = F::Csv(CsvOptions::postgres());
    vec![csv, F::Tsv, F::Json, F::NdJson, F::Markdown, F::Insert(insert()), xlsx(), F::Parquet, F::Arrow]
}

fn xlsx() -> ExportFormat {
    ExportFormat::Xlsx(XlsxOptions::excel())
}

fn many(folder: &Path) -> Rows {
    let mut writer = SpoolWriter::new(&budget(folder, limits()));
    let text = |number: i64| format!("text {number}");
    let kept = rows(&writer, &numbered(0..1, text));
    for first in (0..5000).step_by(500) {
        writer.push(raw(&numbered(first..first + 500, text), Vec::new())).unwrap();
    }
    writer.end().unwrap();
    kept
}

#[test]
fn an_export_tells_how_far_it_is_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let kept = many(folder.path());
    for format in formats() {
        let cancel = AtomicBool::new(false);
        let mut told = Vec::new();
        let mut progress = |progress| told.push(progress);
        let mut watch = ExportWatch { progress: &mut progress, cancel: &cancel };
        let sink = StreamSink(io::sink());
        export(&mut KeptSource::new(&kept), format.clone(), sink, &mut watch).unwrap();
        assert_eq!(told.len(), 10);
        assert!(told.iter().zip(1..).all(|(told, at)| (told.rows, told.all) == (at * 500, Some(5000))));
        assert!(told.is_sorted_by_key(|told| told.bytes));

        let path = folder.path().join("document");
        let sink = FileSink::create(&path, Existing::Replaced).unwrap();
        let mut progress = |_| cancel.store(true, Ordering::Relaxed);
        let mut watch = ExportWatch { progress: &mut progress, cancel: &cancel };
        let ended = export(&mut KeptSource::new(&kept), format.clone(), sink, &mut watch);
        assert!(matches!(ended, Err(ExportError::Canceled)), "{format:?}: {ended:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{format:?} left something");
    }
}

#[test]
fn a_sink_that_fails_ends_the_export_with_its_error() {
    let folder = tempfile::tempdir().unwrap();
    let kept = many(folder.path());
    for format in formats() {
        let cancel = AtomicBool::new(false);
        let mut watch = ExportWatch { progress: &mut |_| (), cancel: &cancel };
        let sink = ChannelSink::new(100, |_| Err(io::ErrorKind::BrokenPipe.into()));
        let ended = export(&mut KeptSource::new(&kept), format.clone(), sink, &mut watch);
        let Err(ExportError::Write(error)) = ended else { panic!("{format:?}: {ended:?}") };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format:?}");
    }
}

#[test]
fn a_file_appears_whole_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document");
    fs::write(&path, "old").unwrap();
    let mut sink = FileSink::create(&path, Existing::Replaced).unwrap();
    sink.write_all(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_str().unwrap().ends_with(".part")), "{names:?}");
    sink.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let refused = FileSink::create(&path, Existing::Kept).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    // Also one that comes meanwhile stays.
    let other = folder.path().join("other");
    let sink = FileSink::create(&other, Existing::Kept).unwrap();
    fs::write(&other, "theirs").unwrap();
    assert_eq!(sink.finish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&other).unwrap(), b"theirs");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_channel_gets_pieces_of_one_length() {
    let mut pieces = Vec::new();
    let mut sink = ChannelSink::new(4, |piece: bytes::Bytes| {
        pieces.push(piece.len());
        Ok(())
    });
    sink.write_all(b"ab").unwrap();
    sink.write_all(b"cdefghi").unwrap();
    sink.finish().unwrap();
    assert_eq!(pieces, [4, 4, 1]);
}
