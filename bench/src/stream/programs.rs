//! Whole processes: the floor, the driver without anybody around it, `querybox`, and psql in two ways.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::ensure;
use querybox_fixtures::Postgres;

use super::Names;
use crate::{
    frame::{Contender, Unit},
    hops::Hops,
    own_program::{CONNECTION, OwnProgram, PASSWORD_LINE},
    process::Process,
    server::as_psql,
    tables::Table,
};

/// A secret as the driver's `exec` reads it.
const SECRET_LINE: &str = "password=p\u{e4}ss w\u{f6}rd\n";
/// Rows that psql fetches at once, as its users set it for large results.
const FETCH_COUNT: &str = "FETCH_COUNT=10000";

pub(super) fn contenders(
    hops: &Arc<Hops>,
    own: &Path,
    ours: &OwnProgram,
    names: Names,
    table: Table,
) -> anyhow::Result<Vec<Contender>> {
    let port = hops.server.port().to_string();
    let stage = Stage { own: own.to_owned(), figures: hops.folder().join("figures"), floor: names.floor };
    let (query, name, rows) = (table.query(), table.name, table.rows.to_string());

    let of_floor = "log-in and binary COPY on a blocking socket, received and dropped (this program)";
    let floor_port = port.clone();
    let floor = stage.contender(names.floor, of_floor, own, "", move |command| {
        command.args(["copy-discard", &floor_port, name, &rows]);
    });

    let program = hops.folder().join("plugins/querybox-driver-postgres");
    let parameters = [
        format!("host={}", Postgres::HOST),
        format!("port={port}"),
        format!("user={}", Postgres::USER),
        format!("database={}", Postgres::DATABASE),
    ];
    let of_driver = "`querybox-driver-postgres exec`: log-in, the extended protocol in binary, decoded into Arrow record \
                     batches, written to /dev/null; no gRPC, no other process";
    let sql = query.clone();
    let driver =
        stage.contender(names.driver, of_driver, Path::new("/bin/sh"), SECRET_LINE, move |command| {
            to_nothing(command, &program).arg("exec");
            for parameter in &parameters {
                command.args(["--param", parameter]);
            }
            command.args(["--secrets-stdin", &sql]);
        });

    let parallel_query = ours.clone();
    let ours = ours.clone();
    let of_query = "`querybox query --format arrow` to /dev/null: Core in the program's process, one hop from the driver \
                    (memory without the driver's)";
    let sql = query.clone();
    let query_verb =
        stage.contender(names.query, of_query, Path::new("/bin/sh"), PASSWORD_LINE, move |command| {
            ours.furnish(to_nothing(command, &ours.program));
            command.args(["query", CONNECTION, &sql, "--format", "arrow", "--password-stdin"]);
        });

    let of_parallel = "`querybox query --format arrow --parallel 2` to /dev/null: the table in parts by `ctid`, over two \
                       connections of one driver, in one exported snapshot";
    let sql = query.clone();
    let parallel =
        stage.contender(names.parallel, of_parallel, Path::new("/bin/sh"), PASSWORD_LINE, move |command| {
            parallel_query.furnish(to_nothing(command, &parallel_query.program));
            command.args(["query", CONNECTION, &sql, "--format", "arrow", "--password-stdin"]);
            command.args(["--parallel", "2"]);
        });

    let binary = hops.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let copy_port = port.clone();
    let of_copy = "`psql -c \"\\copy … to '/dev/null' csv\"`";
    let copy = stage.contender(names.copy, of_copy, &binary, "", move |command| {
        as_psql(command, &copy_port).args(["-c", &format!("\\copy {name} to '/dev/null' csv")]);
    });
    let of_fetch = "`psql -q -A -t -v FETCH_COUNT=10000 -o /dev/null`";
    let fetch = stage.contender(names.fetch, of_fetch, &binary, "", move |command| {
        as_psql(command, &port).args(["-A", "-t", "-v", FETCH_COUNT, "-o", "/dev/null", "-c", &query]);
    });
    Ok(vec![floor, driver, query_verb, parallel, copy, fetch])
}

/// What all whole processes have in common.
struct Stage {
    own: PathBuf,
    figures: PathBuf,
    floor: &'static str,
}

impl Stage {
    fn contender(
        &self,
        name: &'static str,
        what: &str,
        program: &Path,
        input: &'static str,
        arrange: impl Fn(&mut Command) + Send + Sync + 'static,
    ) -> Contender {
        let run = Process {
            own: self.own.clone(),
            program: program.to_owned(),
            arrange: Box::new(arrange),
            input,
            answers: String::new(),
            figures: self.figures.clone(),
            times: 1,
        };
        Contender {
            name,
            what: what.to_owned(),
            unit: Unit::Seconds,
            floor: (name != self.floor).then_some(self.floor),
            run: Box::new(run),
        }
    }
}

/// Has the shell become a program that writes to nothing, with what follows as its arguments.
fn to_nothing<'c>(command: &'c mut Command, program: &Path) -> &'c mut Command {
    command.args(["-c", "exec \"$0\" \"$@\" > /dev/null"]).arg(program)
}
