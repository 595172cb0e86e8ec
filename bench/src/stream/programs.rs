//! Whole processes: the floor, the driver without anybody around it, `querybox`, and psql in two ways.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::ensure;
use futures::future::BoxFuture;
use querybox_fixtures::Postgres;

use super::{
    Names, Ours,
    checked::{Check, Checked, Form},
};
use crate::{
    frame::{Contender, Run, Sample, Unit},
    hops::Hops,
    own_program::{CONNECTION, OwnProgram, PASSWORD_LINE},
    own_server::OwnServer,
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
    ours: &Ours,
    names: Names,
    table: Table,
) -> anyhow::Result<Vec<Contender>> {
    let port = hops.server.port().to_string();
    let stage = Stage { own: own.to_owned(), hops: Arc::clone(hops), floor: names.floor, table };
    let (query, name, rows) = (table.query(), table.name, table.rows.to_string());

    let floor_port = port.clone();
    let floor = stage.contender(
        names.floor,
        "log-in and binary COPY on a blocking socket, received and dropped (this program)",
        stage.process(own, "", move |command| {
            command.args(["copy-discard", &floor_port, name, &rows]);
        }),
    );

    let parameters = [
        format!("host={}", Postgres::HOST),
        format!("port={port}"),
        format!("user={}", Postgres::USER),
        format!("database={}", Postgres::DATABASE),
    ];
    let sql = query.clone();
    let driver = stage.checked(
        names.driver,
        "`querybox-driver-postgres exec`: log-in, the extended protocol in binary, decoded into Arrow record batches, \
         written to /dev/null; no gRPC, no other process",
        &hops.folder().join("plugins/querybox-driver-postgres"),
        (SECRET_LINE, Form::Arrow),
        move |command| {
            command.arg("exec");
            for parameter in &parameters {
                command.args(["--param", parameter]);
            }
            command.args(["--secrets-stdin", &sql]);
        },
    );

    let of_query = |name, what, program: &OwnProgram, more: Vec<String>| {
        let (program, sql) = (program.clone(), query.clone());
        let binary = program.program.clone();
        stage.checked(name, what, &binary, (PASSWORD_LINE, Form::Arrow), move |command| {
            program.furnish(command);
            command.args(["query", CONNECTION, &sql, "--format", "arrow", "--password-stdin"]).args(&more);
        })
    };
    let query_verb = of_query(
        names.query,
        "`querybox query --format arrow` to /dev/null: Core in the program's process, one hop from the driver (memory \
         without the driver's)",
        &ours.alone,
        Vec::new(),
    );
    let parallel = of_query(
        names.parallel,
        "`querybox query --format arrow --parallel 2` to /dev/null: the table in parts by `ctid`, over two connections of \
         one driver, in one exported snapshot",
        &ours.alone,
        ["--parallel", "2"].map(str::to_owned).to_vec(),
    );
    let server = Arc::clone(&ours.server);
    let Contender { name: served, what, unit, floor: below, run } = of_query(
        names.served,
        "`querybox query --format arrow --server URL` to /dev/null: both hops as they ship, by a `querybox serve` that was \
         running, over TCP (CPU and memory are the client's alone)",
        &ours.served,
        vec!["--server".to_owned(), server.url().to_owned()],
    );
    let run = Box::new(Served { run, _server: server });
    let served = Contender { name: served, what, unit, floor: below, run };

    let psql = hops.server.programs().join("psql");
    ensure!(psql.is_file(), "{} is missing: install PostgreSQL's client", psql.display());
    let copy_port = port.clone();
    let copy = stage.checked(
        names.copy,
        "`psql -c \"\\copy … to stdout csv\"` to /dev/null",
        &psql,
        ("", Form::Lines),
        move |command| {
            as_psql(command, &copy_port).args(["-c", &format!("\\copy {name} to stdout csv")]);
        },
    );
    let fetch = stage.checked(
        names.fetch,
        "`psql -q -A -t -v FETCH_COUNT=10000` to /dev/null",
        &psql,
        ("", Form::Lines),
        move |command| {
            as_psql(command, &port).args(["-A", "-t", "-v", FETCH_COUNT, "-c", &query]);
        },
    );
    Ok(vec![floor, driver, query_verb, parallel, served, copy, fetch])
}

/// What all whole processes have in common.
struct Stage {
    own: PathBuf,
    hops: Arc<Hops>,
    floor: &'static str,
    table: Table,
}

impl Stage {
    fn process(
        &self,
        program: &Path,
        input: &'static str,
        arrange: impl Fn(&mut Command) + Send + Sync + 'static,
    ) -> Process {
        Process {
            own: self.own.clone(),
            program: program.to_owned(),
            arrange: Box::new(arrange),
            input,
            answers: String::new(),
            figures: self.hops.folder().join("figures"),
            times: 1,
        }
    }

    /// A program that writes rows to its standard output, which are looked at once, and go to nothing from then on.
    fn checked(
        &self,
        name: &'static str,
        what: &str,
        program: &Path,
        (input, form): (&'static str, Form),
        arrange: impl Fn(&mut Command) + Send + Sync + 'static,
    ) -> Contender {
        let arrange: Arc<dyn Fn(&mut Command) + Send + Sync> = Arc::new(arrange);
        let (measured, looked_at) = (Arc::clone(&arrange), program.to_owned());
        let binary = program.to_owned();
        let process = self.process(Path::new("/bin/sh"), input, move |command| {
            // The shell becomes the program, with what follows as its arguments.
            command.args(["-c", "exec \"$0\" \"$@\" > /dev/null"]).arg(&binary);
            measured(command);
        });
        let command = Box::new(move || {
            let mut command = Command::new(&looked_at);
            arrange(&mut command);
            command
        });
        let check = Some(Check { command, input, form, table: self.table });
        self.contender(name, what, Checked { process, check })
    }

    fn contender(&self, name: &'static str, what: &str, run: impl Run + 'static) -> Contender {
        Contender {
            name,
            what: what.to_owned(),
            unit: Unit::Seconds,
            floor: (name != self.floor).then_some(self.floor),
            run: Box::new(run),
        }
    }
}

/// A client of a server, which runs as long as there are clients.
struct Served {
    run: Box<dyn Run>,
    _server: Arc<OwnServer>,
}

impl Run for Served {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        self.run.run()
    }
}
