//! The bench of exports: a whole table into a file, by every road.

mod written;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::ensure;

use crate::{
    export::written::Written,
    frame::{Bench, Bound, Contender, Goal, Run, Unit},
    hops::Hops,
    own_program::{CONNECTION, OwnProgram, PASSWORD_LINE},
    process::Process,
    server::as_psql,
    tables::Table,
};

pub(crate) use self::written::Shape;

pub(crate) const FLOOR: &str = "raw COPY csv";
const PSQL: &str = "psql \\copy, CSV";
const CSV: &str = "querybox query, CSV";
const BINARY: &str = "raw COPY binary, dropped";
const PARQUET: &str = "querybox query, Parquet";
const XLSX: &str = "querybox query, XLSX";

/// The formats of `querybox query` that are measured, each with the shape of its file: another one is another line.
const FORMATS: [(&str, &str, Shape); 6] = [
    (CSV, "csv", Shape::Csv),
    ("querybox query, NDJSON", "ndjson", Shape::Lines { beside_rows: 0 }),
    // Its brackets stand on lines of their own.
    ("querybox query, JSON", "json", Shape::Lines { beside_rows: 2 }),
    ("querybox query, Arrow", "arrow", Shape::Arrow),
    (PARQUET, "parquet", Shape::Parquet),
    (XLSX, "xlsx", Shape::Workbook),
];

/// Makes the table and puts the contenders together. `narrow_rows` is ten times how large it is, as in the bench of whole
/// tables; `own` is the program that can be the floor.
///
/// # Errors
///
/// A program is missing.
///
/// # Panics
///
/// When the server cannot make the table.
pub fn bench(hops: &Arc<Hops>, own: &Path, narrow_rows: u64) -> anyhow::Result<Bench> {
    let version = hops.ask("show server_version");
    let table = Table::make_mixed(&hops.server, narrow_rows);
    let stage = Stage { own: own.to_owned(), hops: Arc::clone(hops), table };
    let port = hops.server.port().to_string();

    let floor_port = port.clone();
    let of_floor = "log-in and `copy … to stdout (format csv, header)` on a blocking socket, each message's content written \
                    to the file (this program)";
    let floor = stage.contender(FLOOR, of_floor, own, "", Shape::Csv, move |command, file| {
        command.args(["copy-to-file", &floor_port, table.name]).arg(file);
    });

    let binary = hops.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let of_psql = "`psql -c \"\\copy … to 'FILE' csv header\"`";
    let psql = stage.contender(PSQL, of_psql, &binary, "", Shape::Csv, move |command, file| {
        let copy = format!("\\copy {} to '{}' csv header", table.name, file.display());
        as_psql(command, &port).args(["-c", &copy]);
    });
    let mut contenders = vec![floor, psql, stage.binary()];

    let ours = OwnProgram::settle(hops.folder(), "home", hops.server.port())?;
    for (name, format, shape) in FORMATS {
        let program = ours.clone();
        let what = format!(
            "`querybox query --format {format} -o FILE`: the whole program, Core in its process, one hop from the driver \
             (memory without the driver's)"
        );
        contenders.push(stage.contender(
            name,
            &what,
            &ours.program,
            PASSWORD_LINE,
            shape,
            move |command, file| {
                program.furnish(command);
                command.args(["query", CONNECTION, &table.query(), "--format", format, "--password-stdin"]);
                command.args(["--deadline", "none", "-o"]).arg(file);
            },
        ));
    }
    let goals = vec![
        Goal { of: CSV, bound: Bound::RatioAtMost { to: PSQL, times: 0.85 } },
        Goal { of: PARQUET, bound: Bound::RatioAtMost { to: BINARY, times: 1.4 } },
        // A workbook is written as it comes, however long it is.
        Goal { of: XLSX, bound: Bound::MemoryAtMost(100 << 20) },
    ];
    let title = format!(
        "a table into a file: {} rows of 12 columns, PostgreSQL {version}, loopback, SCRAM, fsync off",
        table.rows
    );
    Ok(Bench { name: "export", title, contenders, goals })
}

/// The file that is written.
pub(crate) fn file(hops: &Hops) -> PathBuf {
    hops.folder().join("exported")
}

/// Another program that writes there, looked at as all others are.
pub(crate) fn written_by(process: Process, hops: &Arc<Hops>, rows: u64, shape: Shape) -> impl Run + use<> {
    Written { process, file: file(hops), shape, rows, _hops: Arc::clone(hops) }
}

/// What all contenders have in common.
struct Stage {
    own: PathBuf,
    hops: Arc<Hops>,
    table: Table,
}

impl Stage {
    /// What the server needs for the rows in the form that drivers read.
    fn binary(&self) -> Contender {
        let (port, name, rows) =
            (self.hops.server.port().to_string(), self.table.name, self.table.rows.to_string());
        let process = Process {
            own: self.own.clone(),
            program: self.own.clone(),
            arrange: Box::new(move |command| {
                command.args(["copy-discard", &port, name, &rows]);
            }),
            input: "",
            answers: String::new(),
            figures: self.hops.folder().join("figures"),
            times: 1,
        };
        Contender {
            name: BINARY,
            what: "log-in and binary COPY on a blocking socket, received and dropped (this program)"
                .to_owned(),
            unit: Unit::Seconds,
            floor: Some(FLOOR),
            run: Box::new(process),
        }
    }

    fn contender(
        &self,
        name: &'static str,
        what: &str,
        program: &Path,
        input: &'static str,
        shape: Shape,
        arrange: impl Fn(&mut Command, &Path) + Send + Sync + 'static,
    ) -> Contender {
        let file = file(&self.hops);
        let target = file.clone();
        let process = Process {
            own: self.own.clone(),
            program: program.to_owned(),
            arrange: Box::new(move |command| arrange(command, &target)),
            input,
            answers: String::new(),
            figures: self.hops.folder().join("figures"),
            times: 1,
        };
        Contender {
            name,
            what: what.to_owned(),
            unit: Unit::Seconds,
            floor: (name != FLOOR).then_some(FLOOR),
            run: Box::new(Written {
                process,
                file,
                shape,
                rows: self.table.rows,
                _hops: Arc::clone(&self.hops),
            }),
        }
    }
}
