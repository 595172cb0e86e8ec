//! The descriptors that a driver starts with: 0, 1, 2, and a script's own.

use std::{
    fs::File,
    os::fd::{AsFd, AsRawFd},
};

use close_fds::set_fds_cloexec;
use rustix::io::{FdFlags, fcntl_getfd};

use crate::driver_file::DriverFile;

/// Lets every other descriptor close when the driver is executed. Closing them here would need `unsafe`, for the compiler
/// cannot see that nobody owns them; between here and the exec no foreign code runs, so the two are the same.
pub(crate) fn close_on_exec(driver: &DriverFile) {
    let raw = driver.as_fd().as_raw_fd();
    let stays_open = fcntl_getfd(driver).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC));
    set_fds_cloexec(3, if stays_open { std::slice::from_ref(&raw) } else { &[] });
}

/// `/dev/null`, opened while the process may surely reach it.
pub(crate) fn open_null() -> std::io::Result<File> {
    File::open("/dev/null")
}
