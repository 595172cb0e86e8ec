//! Cancel on a real server, after the driver that ran the statement was killed.

use std::time::{Duration, Instant};

use querybox_fixtures::{Certificate, Folder, Postgres, PostgresOptions, copy_program, program};
use querybox_launcher::{
    CallError, CancelOutcome, Cause, DetachedError, DriverFile, Launcher, OpenDriver, OpenOrder, OpenOutcome,
    Parameter, ParameterValue, Reason, StartOrder,
};
use querybox_vault::Secret;
use rustix::process::{Pid, Signal, kill_process};

use crate::house::{House, launcher, limits, open_order, owner, script};

/// From the kill of the driver to the end of its query on the server.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// Servers from 14 on look for their client every two seconds, as the driver sets it. Not here, where it shall be seen what
/// the cancel does.
const BLIND: &str = "set client_connection_check_interval = 0";

/// A server, and what starts its driver.
pub(crate) struct Place {
    pub(crate) launcher: Launcher,
    pub(crate) order: StartOrder,
    server: Postgres,
    _folder: Folder,
}

impl Place {
    fn new(options: &PostgresOptions<'_>) -> Self {
        Self::with(launcher(), options)
    }

    pub(crate) fn with(launcher: Launcher, options: &PostgresOptions<'_>) -> Self {
        let folder = Folder::make(owner(), 0o755).unwrap();
        let driver = copy_program(&program("querybox-driver-postgres"), folder.path()).unwrap();
        let driver = DriverFile::look_at(&driver).unwrap();
        let order = StartOrder { driver, grant: None, limits: limits(), deadline: None };
        Self { launcher, order, server: Postgres::start_with(options), _folder: folder }
    }

    /// A session without TLS.
    pub(crate) async fn open_on(&self, host: &str) -> Box<OpenDriver> {
        self.open(login(host, &self.server)).await
    }

    async fn open(&self, parameters: Vec<Parameter>) -> Box<OpenDriver> {
        let order = OpenOrder {
            parameters,
            credential: vec![("password".to_owned(), Secret::from(Postgres::PASSWORD.to_owned()))],
            startup_sql: BLIND.to_owned(),
            ..open_order("")
        };
        match self.launcher.start(&self.order).await.unwrap().open(order).await.unwrap() {
            OpenOutcome::Opened(driver, _) => driver,
            OpenOutcome::Rejected(rejection) => panic!("{rejection:?}"),
        }
    }

    /// Runs a long statement and kills the driver inside it.
    pub(crate) async fn kill_inside(&self, driver: &OpenDriver, sql: &str) {
        let mut parts = driver.execute(script(sql)).await.unwrap();
        let begun = Instant::now();
        while self.running() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "{sql} begins");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let pid = Pid::from_raw(i32::try_from(driver.pid()).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        assert_eq!(driver.ended().await.cause, Cause::Signal(9));
        while let Ok(Some(_)) = parts.next().await {}
    }

    /// Sessions of drivers that are inside a statement.
    fn running(&self) -> usize {
        let count = self.server.psql(
            "select count(*) from pg_stat_activity where state = 'active' and application_name like 'querybox %'",
        );
        String::from_utf8(count).unwrap().trim().parse().unwrap()
    }

    pub(crate) async fn wait_until_gone(&self, since: Instant) {
        while self.running() > 0 {
            assert!(since.elapsed() < GONE_WITHIN, "the query goes on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn text(name: &str, value: impl ToString) -> Parameter {
    Parameter { name: name.to_owned(), value: ParameterValue::Text(value.to_string()) }
}

fn login(host: impl ToString, server: &Postgres) -> Vec<Parameter> {
    vec![
        text("host", host),
        text("port", server.port()),
        text("user", Postgres::USER),
        text("database", Postgres::DATABASE),
    ]
}

#[tokio::test]
async fn a_killed_drivers_query_ends_on_the_server_when_another_driver_asks_and_not_before() {
    let place = Place::new(&PostgresOptions::default());
    let socket = place.server.socket_folder().display().to_string();
    for host in [Postgres::HOST.to_owned(), socket] {
        let driver = place.open_on(&host).await;
        let cancel = driver.detached_cancel().expect("the driver gives a token");
        assert!(!format!("{cancel:?}").contains("127.0.0.1"), "{cancel:?}");
        place.kill_inside(&driver, "select pg_sleep(60)").await;
        // Its client is gone, and it does not care.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(place.running(), 1, "the query outlives its driver");

        let asked = Instant::now();
        let outcome = place.launcher.cancel_detached(&place.order, cancel).await.unwrap();
        assert_eq!(outcome, CancelOutcome::Requested);
        place.wait_until_gone(asked).await;
    }
    place.launcher.shutdown().await;
}

#[tokio::test]
async fn a_session_over_tls_is_cancelled_too() {
    let certificate = Certificate::make(&["localhost"]);
    let options = PostgresOptions { certificate: Some(&certificate), ..PostgresOptions::default() };
    let place = Place::new(&options);
    let authority = certificate.authority_pem().as_bytes().to_vec();
    let mut parameters = login("localhost", &place.server);
    parameters.push(text("sslmode", "verify-full"));
    parameters.push(Parameter { name: "sslrootcert".to_owned(), value: ParameterValue::Content(authority) });
    let driver = place.open(parameters).await;
    let cancel = driver.detached_cancel().expect("the driver gives a token");
    place.kill_inside(&driver, "select count(*) from generate_series(1, 1e12::bigint)").await;
    let asked = Instant::now();
    place.launcher.cancel_detached(&place.order, cancel).await.unwrap();
    place.wait_until_gone(asked).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_as_a_failure_and_leaves_no_process() {
    let mut place = Place::new(&PostgresOptions::default());
    let driver = place.open_on(Postgres::HOST).await;
    let cancel = driver.detached_cancel().expect("the driver gives a token");
    driver.kill().await;
    place.server.stop();
    let failed = place.launcher.cancel_detached(&place.order, cancel).await.unwrap_err();
    let DetachedError::Call(CallError::Driver { reason: Reason::ConnectFailed, .. }) = failed else {
        panic!("{failed:?}")
    };
    place.launcher.shutdown().await;
    assert!(crate::residue::children().is_empty());
}

#[tokio::test]
async fn a_driver_without_the_means_gives_no_token() {
    let house = House::new();
    assert!(house.open().await.detached_cancel().is_none());
}
