//! Both hops as an installed QueryBox has them: a driver, a Core in a process of its own, and clients of that over a Unix
//! socket.

mod client;
mod host;
mod process;
mod whole;

use std::{path::Path, sync::Arc};

use querybox_fixtures::{Folder, Postgres};

pub use self::{
    client::read,
    host::{host, host_profiled},
};
pub(crate) use self::{
    client::{Client, Read},
    process::HostProcess,
    whole::{Reading, WholeRead},
};
use crate::programs::{Programs, owner};

/// A server, a Core in another process, and where the programs lie as if installed.
pub struct Hops {
    pub(crate) server: Postgres,
    pub(crate) host: Arc<HostProcess>,
    // Removed last.
    folder: Folder,
}

impl Hops {
    /// Starts a server with SCRAM and without fsync, and the Core. `own` is the program that can be it (with the argument
    /// `host`).
    ///
    /// # Errors
    ///
    /// A program was not built, or Core does not come up.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed.
    pub fn start(programs: &Programs, own: &Path) -> anyhow::Result<Arc<Self>> {
        let server = Postgres::start();
        let folder = Folder::make(owner(), 0o755)?;
        programs.install(&["querybox", "querybox-jail", "querybox-driver-postgres"], &folder)?;
        let host = HostProcess::start(own, folder.path(), server.port())?;
        Ok(Arc::new(Self { server, host: Arc::new(host), folder }))
    }

    /// Another Core over the same server and programs, which nobody else uses.
    pub(crate) fn another_host(&self, own: &Path) -> anyhow::Result<Arc<HostProcess>> {
        Ok(Arc::new(HostProcess::start(own, self.folder.path(), self.server.port())?))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One value, asked for beside QueryBox.
    pub(crate) fn ask(&self, sql: &str) -> String {
        String::from_utf8_lossy(&self.server.psql(sql)).trim_end().to_owned()
    }

    /// A client in this process.
    pub(crate) async fn client(&self) -> anyhow::Result<Client> {
        Client::connect(self.host.socket()).await
    }
}
