//! The bench of the catalog: what it takes to know thousands of tables.

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use anyhow::{bail, ensure};
use futures::future::BoxFuture;
use querybox_contracts::{
    core::v1::{GetSchemaRequest, get_schema_response::Part},
    plugin::v1::SchemaObjectKind as Kind,
};
use querybox_fixtures::Postgres;

use crate::{
    frame::{Bench, Bound, Contender, Goal, Run, Sample, Unit},
    hops::{Client, Hops},
    one_query::OneQuery,
    process::Process,
};

const FLOOR: &str = "four plain queries";
const HOPS: &str = "QueryBox, the same facts";
const FIRST: &str = "QueryBox, first page of them";
const ALL: &str = "QueryBox, every kind";
const PSQL: &str = "psql, the four queries";

/// Of all tables.
const COLUMNS: u64 = 12;

/// Tables, columns, indexes and foreign keys, as tools ask for them.
const QUERIES: [&str; 4] = [
    "select n.nspname, c.relname, c.relkind, c.reltuples from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'v', 'm', 'p', 'f') \
     order by 1, 2",
    "select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
     pg_get_expr(d.adbin, d.adrelid) from pg_attribute a join pg_class c on c.oid = a.attrelid \
     join pg_namespace n on n.oid = c.relnamespace \
     left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum \
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'v', 'm', 'p', 'f') \
     and a.attnum > 0 and not a.attisdropped order by 1, 2, a.attnum",
    "select n.nspname, c.relname, x.relname, i.indisunique, i.indisprimary, pg_get_indexdef(i.indexrelid) \
     from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid \
     join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1, 2, 3",
    "select n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid) from pg_constraint k \
     join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace \
     where k.contype = 'f' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1, 2, 3",
];

/// Makes the tables and puts the contenders together. `own` is the program that can be a Core.
///
/// # Errors
///
/// A program is missing, or no session is leased.
///
/// # Panics
///
/// When the server cannot make the tables.
pub async fn bench(hops: &Arc<Hops>, own: &Path, tables: u64, quick: bool) -> anyhow::Result<Bench> {
    let version = hops.ask("show server_version");
    make(&hops.server, tables);
    let times = if quick { 1 } else { 3 };
    let client = hops.client().await?;
    let lease = client.lease().await?;
    let look = |name, what: &str, kinds: &[Kind], until| Contender {
        name,
        what: format!("an open session: GetSchema by a client of a Core in another process, {what}"),
        unit: Unit::Seconds,
        floor: Some(FLOOR),
        run: Box::new(Look {
            client: client.clone(),
            lease: lease.clone(),
            kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
            until,
            times,
            _hops: Arc::clone(hops),
        }),
    };
    let kinds = [Kind::Relation, Kind::Column, Kind::Key, Kind::Index];
    // Relations, columns, an index and a key for each primary key, an index for each foreign key, and these.
    let objects = tables * (1 + COLUMNS + 2 + 1) + tables - 1;
    let rows = tables * (1 + COLUMNS + 2) + tables - 1;
    let contenders = vec![
        Contender {
            name: FLOOR,
            what: "an open connection: the simple protocol on a blocking socket, rows counted and dropped"
                .to_owned(),
            unit: Unit::Seconds,
            floor: None,
            run: Box::new(Plain { connection: OneQuery::connect(hops.server.port())?, rows, times }),
        },
        look(HOPS, "tables, columns, keys and indexes, to the last", &kinds, Until::End(Some(objects))),
        look(FIRST, "the same, to the first message", &kinds, Until::First),
        look(ALL, "every kind there is, to the last", &[], Until::End(None)),
        psql(hops, own, rows, times)?,
    ];
    let goals = vec![Goal { of: HOPS, bound: Bound::RatioAtMost { to: FLOOR, times: 1.3 } }];
    let title = format!(
        "{tables} tables of {COLUMNS} columns with indexes and foreign keys, PostgreSQL {version}, loopback, SCRAM, fsync off"
    );
    Ok(Bench { name: "catalog", title, contenders, goals })
}

fn make(server: &Postgres, tables: u64) {
    server.psql("create schema shop");
    // In pieces: each new table holds a lock until the transaction ends.
    server.psql(&format!(
        "do $$ begin for i in 1..{tables} loop
           execute format('create table shop.t%s (id bigint primary key, parent bigint %s, number int not null, note text,
               price numeric(10,2) default 0, made timestamptz not null default now(), active boolean, key uuid,
               doc jsonb, day date, label varchar(40), wave double precision)',
             i, case when i > 1 then 'references shop.t' || i - 1 else '' end);
           execute format('create index on shop.t%s (parent)', i);
           if i % 100 = 0 then commit; end if;
         end loop; end $$"
    ));
    server.psql("vacuum analyze");
}

fn psql(hops: &Hops, own: &Path, rows: u64, times: usize) -> anyhow::Result<Contender> {
    let binary = hops.server.programs().join("psql");
    ensure!(binary.is_file(), "{} is missing: install PostgreSQL's client", binary.display());
    let port = hops.server.port().to_string();
    let commands = QUERIES.map(|sql| format!("-c \"{sql}\"")).join(" ");
    let script = format!(
        "\"$0\" -X -q -A -t -h {} -p {port} -U {} -d {} {commands} | wc -l",
        Postgres::HOST,
        Postgres::USER,
        Postgres::DATABASE
    );
    let run = Process {
        own: own.to_owned(),
        program: "/bin/sh".into(),
        arrange: Box::new(move |command: &mut Command| {
            command.env_clear().env("PATH", "/usr/bin:/bin").env("PGPASSWORD", Postgres::PASSWORD);
            command.args(["-c", &script]).arg(&binary);
        }),
        input: "",
        answers: format!("{rows}\n"),
        figures: hops.folder().join("figures"),
        times,
    };
    Ok(Contender {
        name: PSQL,
        what: "`psql -A -t`, whole processes with log-in".to_owned(),
        unit: Unit::Seconds,
        floor: Some(FLOOR),
        run: Box::new(run),
    })
}

struct Plain {
    connection: OneQuery,
    rows: u64,
    times: usize,
}

impl Run for Plain {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        // Nothing else runs in this process meanwhile, so it may block here.
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                let begun = Instant::now();
                let mut rows = 0;
                for sql in QUERIES {
                    rows += self.connection.count_rows(sql)?;
                }
                samples.push(Sample::of_time(begun.elapsed()));
                ensure!(rows as u64 == self.rows, "{rows} rows came, and not {}", self.rows);
            }
            Ok(samples)
        })
    }
}

/// How far a catalog is read.
#[derive(Clone, Copy)]
enum Until {
    First,
    /// With so many objects, when that is known.
    End(Option<u64>),
}

struct Look {
    client: Client,
    lease: String,
    kinds: Vec<i32>,
    until: Until,
    times: usize,
    _hops: Arc<Hops>,
}

impl Run for Look {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                samples.push(self.measure().await?);
            }
            Ok(samples)
        })
    }
}

impl Look {
    async fn measure(&self) -> anyhow::Result<Sample> {
        let request = GetSchemaRequest {
            session_id: self.lease.clone(),
            kinds: self.kinds.clone(),
            ..GetSchemaRequest::default()
        };
        let begun = Instant::now();
        let mut stream = self.client.schemas().get_schema(request).await?.into_inner();
        let mut objects = 0;
        let mut first = None;
        while let Some(message) = stream.message().await? {
            let Some(Part::Objects(part)) = message.part else { bail!("the database refused: {message:?}") };
            if let Some(rejection) = part.rejection {
                bail!("the database refused: {}", rejection.message);
            }
            first.get_or_insert_with(|| begun.elapsed());
            objects += part.objects.len() as u64;
        }
        // The rest is read in any case: the session is to be free again.
        let elapsed = match self.until {
            Until::First => first.unwrap_or_else(|| begun.elapsed()),
            Until::End(_) => begun.elapsed(),
        };
        if let Until::End(Some(expected)) = self.until {
            ensure!(objects == expected, "{objects} objects came, and not {expected}");
        }
        Ok(Sample::of_time(elapsed))
    }
}
