//! The driver's file: opened once, early, and executed through that descriptor.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd},
        unix::fs::FileExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, Mode, OFlags, access, open},
    io::{FdFlags, fcntl_setfd},
};

use crate::{
    policy::{Pin, Policy},
    report::{Refused, Step},
};

/// The opened file of a driver. What is executed is what was checked, whatever happens to its path meanwhile.
pub(crate) struct DriverFile {
    file: File,
    path: PathBuf,
}

impl DriverFile {
    /// Opens the file while the process may still reach it: it often lies under a folder that the driver's user cannot
    /// enter.
    pub(crate) fn open(policy: &Policy) -> Result<Self, Refused> {
        let path = &policy.driver;
        let refuse =
            |message: &str| Refused::new(Step::OpenDriver, format_args!("{} {message}", path.display()));
        let failed =
            |error: io::Error| Refused::new(Step::OpenDriver, format_args!("{}: {error}", path.display()));

        // Without NONBLOCK, a FIFO at this path would hold the jail until somebody writes into it.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(open(path, flags, Mode::empty()).map_err(|errno| failed(errno.into()))?);
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(refuse("is not a regular file"));
        }
        if policy.pin.is_some_and(|pin| pin != Pin::of(&metadata)) {
            return Err(refuse("is not the file that was looked at before; rescan the plugins"));
        }

        let driver = Self { file, path: path.clone() };
        match driver.head().map_err(failed)? {
            [b'#', b'!', ..] => {
                // The interpreter opens the script anew, by the path of this descriptor.
                fcntl_setfd(&driver.file, FdFlags::empty()).map_err(|errno| failed(errno.into()))?;
            }
            [0x7f, b'E', b'L', b'F'] => {}
            // What the kernel does not know, the C library would give to a shell.
            _ => return Err(refuse("is neither a program of this machine nor a script")),
        }
        Ok(driver)
    }

    /// Checks that the present user may execute the file, so that a wrong mode is told as such.
    pub(crate) fn check_executable(&self, uid: u32) -> Result<(), Refused> {
        access(self.executable_path(), Access::EXEC_OK).map_err(|errno| {
            let path = self.path.display();
            Refused::new(
                Step::OpenDriver,
                format_args!("{path} is not executable for the user with id {uid}: {errno}"),
            )
        })
    }

    /// The path to execute: it leads to the opened file itself. Needs `/proc`; there is no other way to execute a
    /// descriptor without `unsafe`.
    pub(crate) fn executable_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// The path that the policy named.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn head(&self) -> io::Result<[u8; 4]> {
        let mut head = [0; 4];
        self.file.read_at(&mut head, 0)?;
        Ok(head)
    }
}

impl AsFd for DriverFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
