//! The launcher alone: from a start to a driver that answers.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use futures::future::BoxFuture;
use querybox_fixtures::Folder;
use querybox_launcher::{
    CallError, DriverFile, Launcher, Limits, OpenOrder, Reason, SpareLimits, StartOrder,
};
use tokio::time::sleep;

use crate::{
    frame::{Contender, Run, Sample, Unit},
    programs::{Programs, owner},
    session::{EXEC_FLOOR, SPARE, SPAWN, Turn},
    site::{launcher, session_id, spares},
};

/// Started when it is needed, and taken when it was ready.
pub(super) fn contenders(programs: &Programs, turn: Turn) -> anyhow::Result<[Contender; 2]> {
    let ready =
        "HTTP/2 and the answer to a first call (an Open without a user, which the PostgreSQL driver refuses)";
    let contender = |name, what: &str, spares: Option<SpareLimits>| -> anyhow::Result<Contender> {
        let folder = Folder::make(owner(), 0o755)?;
        programs.install(&["querybox-jail", "querybox-driver-postgres"], &folder)?;
        let driver = DriverFile::look_at(&folder.path().join("plugins/querybox-driver-postgres"))?;
        let limits = Limits { memory_bytes_max: 512 << 20, descriptors_max: 256, file_bytes_max: None };
        let order = StartOrder { driver, grant: None, limits, deadline: None };
        let is_warm = spares.is_some();
        let launcher = launcher(&folder.path().join("querybox-jail"), spares)?;
        Ok(Contender {
            name,
            what: format!("{what}, {ready}"),
            unit: Unit::Seconds,
            floor: Some(EXEC_FLOOR),
            run: Box::new(Launch { launcher, order, is_warm, times: turn.sessions, _folder: folder }),
        })
    };
    Ok([
        contender(SPAWN, "launcher, jail, driver executed", None)?,
        contender(SPARE, "a driver that was confined and ready before, taken", Some(spares()))?,
    ])
}

struct Launch {
    launcher: Launcher,
    order: StartOrder,
    is_warm: bool,
    times: usize,
    _folder: Folder,
}

/// A spare is there again within this, or not at all.
const SPARE_WITHIN: Duration = Duration::from_secs(10);

impl Run for Launch {
    fn run(&mut self) -> BoxFuture<'_, anyhow::Result<Vec<Sample>>> {
        Box::pin(async {
            let mut samples = Vec::with_capacity(self.times);
            for _ in 0..self.times {
                self.until_warm().await?;
                samples.push(self.measure().await?);
            }
            Ok(samples)
        })
    }
}

impl Launch {
    /// Waits until all spares are there, if there are to be any: one that is being made takes the processor.
    async fn until_warm(&self) -> anyhow::Result<()> {
        let wanted = if self.is_warm { spares().per_driver } else { 0 };
        let begun = Instant::now();
        self.launcher.warm(&self.order);
        while self.launcher.spare_counts().ready < wanted {
            ensure!(begun.elapsed() < SPARE_WITHIN, "no spare is made");
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn measure(&self) -> anyhow::Result<Sample> {
        let used = self.launcher.spare_counts().used;
        let begun = Instant::now();
        let driver = self.launcher.start(&self.order).await?;
        let sample = match driver.open(nowhere()).await {
            Err(CallError::Driver { reason: Reason::ParameterInvalid, .. }) => {
                Sample::of_time(begun.elapsed())
            }
            Err(error) => return Err(error.into()),
            Ok(_) => bail!("a driver opened a connection without a user"),
        };
        let taken = self.launcher.spare_counts().used - used;
        ensure!(taken == u64::from(self.is_warm), "{taken} spares were taken");
        Ok(sample)
    }
}

/// What no driver can open, and every driver answers at once.
fn nowhere() -> OpenOrder {
    OpenOrder {
        session_id: session_id(),
        parameters: Vec::new(),
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
