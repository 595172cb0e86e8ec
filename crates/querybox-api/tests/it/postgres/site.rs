//! A PostgreSQL server, and services with a connection to it.

use std::time::{Duration, Instant};

use querybox_contracts::{
    core::v1::{self as pb, open_session_request::Target},
    plugin::v1::{self as plugin, execute_response::Part as ResultPart},
};
use querybox_core::Limits;
use querybox_fixtures::Postgres;
use querybox_results::{Column, Display, Format, Shape, Writer};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    house::{Answer, House, limits, named, session_id, text},
    lease::{Lease, on_shop},
};

/// The connection to the server.
pub(crate) const PG: &str = "pg";
/// Runs for two minutes unless it is stopped.
pub(crate) const SLEEP: &str = "select pg_sleep(120)";
/// With this the server does not look whether its client is there, as versions before 14 do not, so that only a cancel ends
/// what a dead client left.
pub(crate) const BLIND: &str = "set client_connection_check_interval = 0";

pub(crate) struct Site {
    pub(crate) server: Postgres,
    pub(crate) house: House,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_with(limits(), |_| {}).await
    }

    /// With a connection that is changed before it is saved.
    pub(crate) async fn start_with(limits: Limits, change: impl FnOnce(&mut pb::ConnectionSpec)) -> Self {
        let house = House::with_limits(limits).await;
        house.add_postgres();
        let server = Postgres::start();
        let mut spec = pb::ConnectionSpec {
            name: PG.to_owned(),
            driver_type: "postgres".to_owned(),
            parameters: vec![
                text("host", Postgres::HOST),
                text("port", &server.port().to_string()),
                text("user", Postgres::USER),
                text("database", Postgres::DATABASE),
            ],
            ..pb::ConnectionSpec::default()
        };
        change(&mut spec);
        house.create(spec).await.unwrap();
        Self { server, house }
    }

    pub(crate) async fn execute(&self, sql: &str, options: pb::ExecuteOptions) -> Answer {
        self.house.ask(request(sql, options)).await.unwrap()
    }

    pub(crate) async fn lease(&self) -> Lease<'_> {
        self.house.lease_with(on_pg()).await.unwrap()
    }

    /// Sessions of drivers that are inside a statement.
    pub(crate) fn running(&self) -> usize {
        self.count("state = 'active'")
    }

    /// Sessions of drivers.
    pub(crate) fn backends(&self) -> usize {
        self.count("true")
    }

    fn count(&self, condition: &str) -> usize {
        let sql = format!(
            "select count(*) from pg_stat_activity where application_name like 'querybox %' and {condition}"
        );
        String::from_utf8(self.server.psql(&sql)).unwrap().trim().parse().unwrap()
    }

    /// Waits until so many sessions of drivers are inside a statement.
    pub(crate) async fn until_running(&self, count: usize) {
        self.until(Duration::from_secs(20), "statements begin", || self.running() == count).await;
    }

    /// Waits until no session of a driver is left.
    pub(crate) async fn until_alone(&self, within: Duration) {
        self.until(within, "the sessions on the server end", || self.backends() == 0).await;
    }

    pub(crate) async fn until(&self, within: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + within;
        while !is_so() {
            assert!(Instant::now() < end, "{what} within {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(crate) fn password() -> Option<plugin::Credential> {
    let value = Postgres::PASSWORD.as_bytes().to_vec().into();
    Some(plugin::Credential { fields: vec![plugin::SecretField { name: "password".to_owned(), value }] })
}

pub(crate) fn request(sql: &str, options: pb::ExecuteOptions) -> pb::ExecuteRequest {
    pb::ExecuteRequest {
        session_id: session_id(),
        connection: named(PG),
        sql: sql.to_owned(),
        options: Some(options),
        credential: password(),
    }
}

pub(crate) fn on_pg() -> pb::OpenSessionRequest {
    pb::OpenSessionRequest { target: named(PG).map(Target::Connection), credential: password(), ..on_shop() }
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// The first result of numbers and texts as CSV without its head.
pub(crate) fn rows(parts: &[ResultPart]) -> String {
    let mut shape = None;
    let mut writer = None;
    for part in parts {
        match part {
            ResultPart::Header(header) if shape.is_none() => {
                let column = |column: &plugin::Column| Column {
                    name: column.name.clone(),
                    database_type: column.database_type.clone(),
                    display: match column.display() {
                        plugin::Display::Integer => Display::Integer,
                        plugin::Display::Text => Display::Text,
                        other => panic!("{other:?} is not asked for here"),
                    },
                };
                let found =
                    Shape::new(&header.arrow_schema, header.columns.iter().map(column).collect()).unwrap();
                writer = Some(Writer::begin(Format::Csv, found.columns(), Vec::new()).unwrap());
                shape = Some(found);
            }
            ResultPart::Batch(batch) => {
                let (Some(shape), Some(writer)) = (&shape, &mut writer) else { panic!("no header") };
                let body = batch.arrow_body.clone();
                let read = shape.batch(&batch.arrow_metadata, body, batch.row_count, Vec::new()).unwrap();
                writer.batch(&read).unwrap();
            }
            _ => {}
        }
    }
    let (document, _) = writer.expect("a result has a header").end().unwrap();
    let document = String::from_utf8(document).unwrap();
    document.split_once('\n').unwrap().1.to_owned()
}
