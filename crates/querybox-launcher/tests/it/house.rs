//! A launcher and its drivers, as the tests want them.

use std::{path::PathBuf, time::Duration};

use querybox_fixtures::{Folder, User, copy_program, example, is_root, ordinary_user, program, unprivileged};
use querybox_launcher::{
    Config, Deadline, Driver, DriverFile, ExecuteOrder, Ids, Launcher, Limits, MemoryControl, OnError,
    OpenDriver, OpenOrder, OpenOutcome, Parameter, ParameterValue, StartOrder,
};

/// A launcher with the built jail, and the test driver where every user can execute it.
pub(crate) struct House {
    pub(crate) launcher: Launcher,
    pub(crate) driver: DriverFile,
    pub(crate) folder: Folder,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = Folder::make(owner(), 0o755).unwrap();
        let driver = copy_program(&example("test-driver"), folder.path()).unwrap();
        Self { launcher: launcher(), driver: DriverFile::look_at(&driver).unwrap(), folder }
    }

    pub(crate) fn order(&self) -> StartOrder {
        StartOrder { driver: self.driver.clone(), grant: None, limits: limits(), deadline: None }
    }

    pub(crate) async fn start(&self) -> Driver {
        self.launcher.start(&self.order()).await.unwrap()
    }

    pub(crate) async fn open(&self) -> Box<OpenDriver> {
        open(self.start().await).await
    }

    /// Puts an executable script beside the driver.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        self.folder.add_file(name, owner(), 0o755, text).unwrap()
    }
}

pub(crate) fn owner() -> User {
    if is_root() { User { uid: 0, gid: 0 } } else { ordinary_user() }
}

pub(crate) fn launcher() -> Launcher {
    launcher_with(MemoryControl::Groups)
}

pub(crate) fn launcher_with(memory: MemoryControl) -> Launcher {
    let User { uid, gid } = unprivileged();
    let jail = program("querybox-jail");
    Launcher::new(Config { jail, unprivileged: Ids { uid, gid }, memory, spares: None }).unwrap()
}

pub(crate) fn limits() -> Limits {
    Limits { memory_bytes_max: 512 << 20, descriptors_max: 64, file_bytes_max: None }
}

pub(crate) async fn open(driver: Driver) -> Box<OpenDriver> {
    match driver.open(open_order("")).await.unwrap() {
        OpenOutcome::Opened(driver, server) => {
            assert_eq!(server.product, "Test");
            driver
        }
        OpenOutcome::Rejected(rejection) => panic!("{rejection:?}"),
    }
}

pub(crate) fn open_order(how: &str) -> OpenOrder {
    OpenOrder {
        session_id: "01990000-0000-7000-8000-000000000000".to_owned(),
        parameters: vec![Parameter { name: "open".to_owned(), value: ParameterValue::Text(how.to_owned()) }],
        credential: Vec::new(),
        read_only: false,
        startup_sql: String::new(),
        default_schema: String::new(),
        connections_max: 1,
        connect_limit: Duration::from_secs(10),
        memory_bytes_max: 512 << 20,
        cell_bytes_max: 16 << 20,
    }
}

pub(crate) fn script(sql: &str) -> ExecuteOrder {
    ExecuteOrder {
        sql: sql.to_owned(),
        on_error: OnError::Stop,
        single_transaction: false,
        rows_max: None,
        bytes_max: None,
        bindings: Vec::new(),
        gives_copy_data: false,
        column_facts: false,
        one_shot: false,
    }
}

pub(crate) fn deadline(milliseconds: u64) -> Option<Deadline> {
    Some(Deadline::after(Duration::from_millis(milliseconds)))
}
