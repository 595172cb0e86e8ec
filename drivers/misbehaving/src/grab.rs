//! Taking more than the limits allow.

use std::{fs::File, hint, io::Write as _};

use querybox_plugin::{ExecuteError, Query, Results};
use rustix::{
    fs::{CWD, MemfdFlags, Mode, OFlags, memfd_create, openat},
    io::Errno,
};

use crate::{
    counting::{done, number, refusal, tell},
    wish::wishes,
};

wishes! {
    /// What it takes.
    Grab {
        /// 2 GiB in one piece.
        Allocate = "allocate",
        /// The same in pieces of a megabyte, each written to.
        AllocateSlowly = "allocate-slowly",
        /// 2 GiB in one file without a name of a file system in memory, written to.
        SharedMemory = "shared-memory",
        /// 2 GiB in a memfd, written to.
        Memfd = "memfd",
        /// A thousand descriptors.
        Descriptors = "descriptors",
        /// A thousand threads.
        Threads = "threads",
    }
}

const MEBIBYTE: usize = 1 << 20;
/// Far beyond the limit that the tests set, and a sum that a machine survives when the limit does not hold.
const MEBIBYTES_WANTED: usize = 2048;
const COUNT_WANTED: usize = 1000;

pub(crate) async fn run(wish: Grab, query: &Query, mut results: Results) -> Result<(), ExecuteError> {
    let mut rows = results.statement(0..query.sql.len()).rows(&[number()]).await?;
    tell(&mut rows, 0).await?;
    match take(wish) {
        Ok(()) => rows.finish(done("GRABBED")).await,
        Err(refused) => rows.rejected(refusal("53000", refused)).await,
    }
}

/// Takes it, and gives it back at the end.
fn take(wish: Grab) -> Result<(), String> {
    match wish {
        Grab::Allocate => {
            let mut memory = vec![0_u8; MEBIBYTES_WANTED * MEBIBYTE];
            memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
            hint::black_box(memory);
        }
        Grab::AllocateSlowly => {
            let memory: Vec<_> = (0..MEBIBYTES_WANTED).map(|_| vec![1_u8; MEBIBYTE]).collect();
            hint::black_box(memory);
        }
        Grab::SharedMemory => {
            let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
            let file = openat(CWD, "/dev/shm", flags, Mode::RUSR | Mode::WUSR);
            fill(file.map_err(refused("a file"))?.into())?;
        }
        Grab::Memfd => {
            let file = memfd_create("querybox-misbehaving", MemfdFlags::CLOEXEC);
            fill(file.map_err(refused("a memfd"))?.into())?;
        }
        Grab::Descriptors => {
            let mut files = Vec::new();
            for count in 0..COUNT_WANTED {
                let file = File::open("/dev/null");
                files.push(file.map_err(|error| format!("descriptor {count} was refused: {error}"))?);
            }
        }
        Grab::Threads => {
            for count in 0..COUNT_WANTED {
                std::thread::Builder::new()
                    .spawn(std::thread::park)
                    .map_err(|error| format!("thread {count} was refused: {error}"))?;
            }
        }
    }
    Ok(())
}

fn fill(mut file: File) -> Result<(), String> {
    let piece = vec![1; MEBIBYTE];
    for count in 0..MEBIBYTES_WANTED {
        file.write_all(&piece).map_err(|error| format!("mebibyte {count} was refused: {error}"))?;
    }
    Ok(())
}

fn refused(what: &str) -> impl Fn(Errno) -> String {
    move |errno| format!("{what} was refused: {errno}")
}
