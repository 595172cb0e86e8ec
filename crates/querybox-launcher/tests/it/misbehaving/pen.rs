//! Where a driver misbehaves: a folder with copies of it, and a launcher.

use std::{fs, path::PathBuf, time::Duration};

use querybox_fixtures::{Folder, copy_program, program};
use querybox_launcher::{
    Deadline, Driver, DriverFile, Launcher, Limits, OpenDriver, OpenOutcome, StartOrder,
};

use crate::house::{launcher, open_order, owner};

/// The driver that does nothing wrong.
const GOOD: &str = "misbehaving";

const LIMITS: Limits =
    Limits { memory_bytes_max: 512 << 20, descriptors_max: 64, file_bytes_max: Some(64 << 20) };

/// Drivers are named by their wish; each is the same program under another name.
pub(crate) struct Pen {
    pub(crate) launcher: Launcher,
    folder: Folder,
    original: PathBuf,
}

impl Pen {
    pub(crate) fn new() -> Self {
        let folder = Folder::make(owner(), 0o755).unwrap();
        let original = copy_program(&program("querybox-driver-misbehaving"), folder.path()).unwrap();
        Self { launcher: launcher(), folder, original }
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
            grant: None,
            limits: LIMITS,
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
