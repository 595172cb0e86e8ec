//! A launcher and drivers to be worn out.

use std::{path::Path, time::Duration};

use anyhow::bail;
use querybox_fixtures::{Folder, is_root, ordinary_user, unprivileged};
use querybox_launcher::{
    Deadline, Driver, DriverFile, ExecuteOrder, FileGrant, Launcher, Limits, OnError, OpenDriver, OpenOrder,
    OpenOutcome, Parameter, ParameterValue, StartOrder,
};

use crate::{
    programs::{Programs, owner},
    site::{launcher, session_id, spares},
};

/// What every cycle uses.
pub(super) struct Yard {
    pub(super) launcher: Launcher,
    /// Keeps spares.
    warm: Launcher,
    counting: StartOrder,
    file: StartOrder,
    folder: Folder,
}

impl Yard {
    /// With the driver that misbehaves, and the SQLite driver on a file below a closed folder, so that the jail of root
    /// makes a private view for it.
    pub(super) fn make(programs: &Programs) -> anyhow::Result<Self> {
        let folder = Folder::make(owner(), 0o755)?;
        programs
            .install(&["querybox-jail", "querybox-driver-misbehaving", "querybox-driver-sqlite"], &folder)?;
        folder.add_folder("closed", owner(), 0o700)?;
        let user = if is_root() { unprivileged() } else { ordinary_user() };
        folder.add_folder("closed/data", user, 0o755)?;
        let database = folder.add_file("closed/data/soak.db", user, 0o644, "")?;
        let order = |driver: &str, grant| -> anyhow::Result<StartOrder> {
            let driver = DriverFile::look_at(&folder.path().join("plugins").join(driver))?;
            let limits = Limits { memory_bytes_max: 512 << 20, descriptors_max: 64, file_bytes_max: None };
            Ok(StartOrder { driver, grant, limits, deadline: None })
        };
        Ok(Self {
            launcher: launcher(&folder.path().join("querybox-jail"), None)?,
            warm: launcher(&folder.path().join("querybox-jail"), Some(spares()))?,
            counting: order("querybox-driver-misbehaving", None)?,
            file: order("querybox-driver-sqlite", Some(FileGrant::resolve(&database)?))?,
            folder,
        })
    }

    /// Ends all that is left.
    pub(super) async fn shutdown(&self) {
        self.launcher.shutdown().await;
        self.warm.shutdown().await;
    }

    /// How many spares were taken.
    pub(super) fn spares_used(&self) -> u64 {
        self.warm.spare_counts().used
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The driver that counts, and misbehaves when it is asked to.
    pub(super) fn counting(&self) -> &StartOrder {
        &self.counting
    }

    pub(super) fn counting_until(&self, deadline: Deadline) -> StartOrder {
        StartOrder { deadline: Some(deadline), ..self.counting.clone() }
    }

    pub(super) async fn start(&self) -> anyhow::Result<Driver> {
        Ok(self.launcher.start(&self.counting).await?)
    }

    /// The driver that counts, a spare if there is one.
    pub(super) async fn start_warm(&self) -> anyhow::Result<Driver> {
        Ok(self.warm.start(&self.counting).await?)
    }

    /// A session of the driver that counts.
    pub(super) async fn open(&self) -> anyhow::Result<Box<OpenDriver>> {
        opened(self.start().await?.open(open_order(&[])).await?)
    }

    /// A session on the file.
    pub(super) async fn open_file(&self) -> anyhow::Result<Box<OpenDriver>> {
        let Some(grant) = &self.file.grant else { bail!("the order of a file driver grants a file") };
        let path = grant.path().display().to_string();
        let driver = self.launcher.start(&self.file).await?;
        opened(driver.open(open_order(&[("file", &path)])).await?)
    }
}

pub(super) fn opened(outcome: OpenOutcome) -> anyhow::Result<Box<OpenDriver>> {
    match outcome {
        OpenOutcome::Opened(driver, _) => Ok(driver),
        OpenOutcome::Rejected(rejection) => bail!("not opened: {}", rejection.message),
    }
}

pub(super) fn open_order(parameters: &[(&str, &str)]) -> OpenOrder {
    let parameter = |(name, value): &(&str, &str)| Parameter {
        name: (*name).to_owned(),
        value: ParameterValue::Text((*value).to_owned()),
    };
    OpenOrder {
        session_id: session_id(),
        parameters: parameters.iter().map(parameter).collect(),
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

pub(super) fn script(sql: &str) -> ExecuteOrder {
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
