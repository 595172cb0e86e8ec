//! Where a driver misbehaves: a folder with copies of it, and a launcher.

use std::{fs, path::PathBuf, time::Duration};

use querybox_fixtures::{Folder, copy_program, is_root, program, unprivileged};
use querybox_launcher::{
    Deadline, Driver, DriverFile, FileGrant, Launcher, Limits, MemoryControl, OpenDriver, OpenOutcome,
    StartOrder,
};

use crate::house::{launcher_with, open_order, owner};

/// The driver that does nothing wrong.
const GOOD: &str = "misbehaving";

const LIMITS: Limits =
    Limits { memory_bytes_max: 512 << 20, descriptors_max: 64, file_bytes_max: Some(64 << 20) };

/// A database's file, for a driver that may write.
const DATABASE: &str = "hoard.db";

/// Drivers are named by their wish; each is the same program under another name.
pub(crate) struct Pen {
    pub(crate) launcher: Launcher,
    pub(crate) limits: Limits,
    grant: Option<FileGrant>,
    folder: Folder,
    original: PathBuf,
}

impl Pen {
    pub(crate) fn new() -> Self {
        Self::with(MemoryControl::Groups)
    }

    pub(crate) fn with(memory: MemoryControl) -> Self {
        let folder = Folder::make(owner(), 0o755).unwrap();
        let original = copy_program(&program("querybox-driver-misbehaving"), folder.path()).unwrap();
        Self { launcher: launcher_with(memory), limits: LIMITS, grant: None, folder, original }
    }

    /// Lets its drivers write files of any size.
    pub(crate) fn grant_a_file(mut self) -> Self {
        let owner = if is_root() { unprivileged() } else { owner() };
        let folder = self.folder.add_folder("data", owner, 0o755).unwrap();
        fs::write(folder.join(DATABASE), "").unwrap();
        self.grant = Some(FileGrant::resolve(&folder.join(DATABASE)).unwrap());
        self.limits.file_bytes_max = None;
        self
    }

    /// The driver's file under the name of a wish.
    pub(crate) fn file(&self, wish: &str) -> PathBuf {
        let path = self.folder.path().join(format!("querybox-driver-{}", wish.replace('_', "-")));
        if !path.exists() {
            fs::hard_link(&self.original, &path).unwrap();
        }
        path
    }

    pub(crate) async fn start(&self, wish: &str, limit: Duration) -> Driver {
        let order = StartOrder {
            driver: DriverFile::look_at(&self.file(wish)).unwrap(),
            grant: self.grant.clone(),
            limits: self.limits,
            deadline: Some(Deadline::after(limit)),
        };
        self.launcher.start(&order).await.unwrap()
    }

    /// An open driver that behaves.
    pub(crate) async fn open_good(&self, limit: Duration) -> Box<OpenDriver> {
        let mut order = open_order("");
        order.parameters.clear();
        match self.start(GOOD, limit).await.open(order).await.unwrap() {
            OpenOutcome::Opened(driver, server) => {
                assert_eq!(server.product, "Misbehaving");
                driver
            }
            OpenOutcome::Rejected(rejection) => panic!("{rejection:?}"),
        }
    }
}
