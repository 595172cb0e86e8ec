//! One cell larger than a driver's memory, by the real drivers: a limit by its name, and nothing else is harmed.

use std::time::Duration;

use querybox_fixtures::{Folder, Postgres, copy_program, is_root, program, unprivileged};
use querybox_launcher::{
    CallError, Cause, DriverFile, Ending, Fact, FileGrant, Launcher, MemoryControl, OpenDriver, OpenOrder,
    OpenOutcome, Parameter, ParameterValue, Rejection, StartOrder,
};
use querybox_vault::Secret;
use tokio::time::timeout;

use crate::house::{launcher_with, limits, open_order, owner, script};

/// Of all: the server makes the cell, or the driver reads it, within seconds.
const WITHIN: Duration = Duration::from_secs(30);

/// A driver's file, and the connection that it opens.
struct Desk {
    launcher: Launcher,
    order: StartOrder,
    parameters: Vec<(&'static str, String)>,
    credential: Option<&'static str>,
    _folder: Folder,
}

impl Desk {
    fn postgres(memory: MemoryControl, server: &Postgres) -> Self {
        let parameters = vec![
            ("host", "127.0.0.1".to_owned()),
            ("port", server.port().to_string()),
            ("user", Postgres::USER.to_owned()),
            ("database", Postgres::DATABASE.to_owned()),
        ];
        Self::new(memory, "querybox-driver-postgres", parameters, Some(Postgres::PASSWORD))
    }

    fn sqlite(memory: MemoryControl) -> Self {
        let mut desk = Self::new(memory, "querybox-driver-sqlite", Vec::new(), None);
        let owner = if is_root() { unprivileged() } else { owner() };
        let data = desk._folder.add_folder("data", owner, 0o755).unwrap();
        let grant = FileGrant::resolve(&data.join("shop.db")).unwrap();
        desk.parameters =
            vec![("file", grant.path().to_str().unwrap().to_owned()), ("create", "true".to_owned())];
        desk.order.grant = Some(grant);
        desk
    }

    fn new(
        memory: MemoryControl,
        driver: &str,
        parameters: Vec<(&'static str, String)>,
        credential: Option<&'static str>,
    ) -> Self {
        let folder = Folder::make(owner(), 0o755).unwrap();
        let driver = copy_program(&program(driver), folder.path()).unwrap();
        let driver = DriverFile::look_at(&driver).unwrap();
        let order = StartOrder { driver, grant: None, limits: limits(), deadline: None };
        Self { launcher: launcher_with(memory), order, parameters, credential, _folder: folder }
    }

    async fn open(&self) -> Box<OpenDriver> {
        let parameter = |(name, value): &(&str, String)| Parameter {
            name: (*name).to_owned(),
            value: ParameterValue::Text(value.clone()),
        };
        let credential = self.credential.map(|word| ("password".to_owned(), Secret::from(word.to_owned())));
        let order = OpenOrder {
            parameters: self.parameters.iter().map(parameter).collect(),
            credential: credential.into_iter().collect(),
            ..open_order("")
        };
        match self.launcher.start(&self.order).await.unwrap().open(order).await.unwrap() {
            OpenOutcome::Opened(driver, _) => driver,
            OpenOutcome::Rejected(rejection) => panic!("{rejection:?}"),
        }
    }
}

/// How a statement ended.
#[derive(Debug)]
enum End {
    Done,
    Rejected(Box<Rejection>),
    Gone(Ending),
}

async fn run(driver: &OpenDriver, sql: &str) -> End {
    let mut parts = driver.execute(script(sql)).await.unwrap();
    let mut end = End::Done;
    loop {
        match timeout(WITHIN, parts.next()).await.unwrap() {
            Ok(Some(part)) => {
                if let Fact::Rejection(rejection) = part.fact {
                    end = End::Rejected(Box::new(rejection));
                }
            }
            Ok(None) => return end,
            Err(CallError::Ended(ending)) => return End::Gone((*ending).clone()),
            Err(other) => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_beyond_the_memory_of_the_postgresql_driver_ends_as_the_memory_limit() {
    let server = Postgres::start();
    for memory in [MemoryControl::Groups, MemoryControl::WatchAlone] {
        let desk = Desk::postgres(memory, &server);
        let (driver, neighbor) = (desk.open().await, desk.open().await);
        let end = run(&driver, "select repeat('x', 700 * 1024 * 1024)").await;
        let End::Gone(ending) = end else { panic!("{memory:?}: {end:?}") };
        assert!(
            matches!(ending.cause, Cause::Memory { limit_bytes, .. } if limit_bytes == 512 << 20),
            "{memory:?}: {ending:?}"
        );
        assert!(matches!(run(&neighbor, "select 1").await, End::Done));
        desk.launcher.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_beyond_the_memory_of_the_sqlite_driver_ends_as_a_named_limit() {
    for memory in [MemoryControl::Groups, MemoryControl::WatchAlone] {
        let desk = Desk::sqlite(memory);
        let driver = desk.open().await;
        let end = run(&driver, "select zeroblob(700 * 1024 * 1024)").await;
        let End::Rejected(rejection) = end else { panic!("{memory:?}: {end:?}") };
        assert_eq!((&*rejection.sqlstate, &*rejection.vendor_code), ("53200", "SQLITE_NOMEM"));
        assert!(rejection.hint.contains("the driver's memory limit"), "{rejection:?}");
        assert!(matches!(run(&driver, "select 1").await, End::Done), "the session goes on");
        desk.launcher.shutdown().await;
    }
}
