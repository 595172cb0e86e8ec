//! Taking more than the limits allow.

use std::{fs::File, hint, io::Write as _};

use memmap2::{MmapOptions, MmapRaw};
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
        /// The same in such a file by way of a mapping.
        SharedMemoryMapped = "shared-memory-mapped",
        /// 2 GiB of shared memory without any file.
        SharedMapping = "shared-mapping",
        /// 2 GiB in a memfd, written to.
        Memfd = "memfd",
        /// 2 GiB in a file without a name in the folder for temporary files.
        TemporaryFile = "temporary-file",
        /// A thousand descriptors.
        Descriptors = "descriptors",
        /// A thousand threads.
        Threads = "threads",
    }
}

const MEBIBYTE: usize = 1 << 20;
/// Far beyond the limit that the tests set, and a sum that a machine survives when the limit does not hold.
const MEBIBYTES_WANTED: usize = 2048;
const BYTES_WANTED: u64 = 2 << 30;
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
        Grab::SharedMemory => fill(unnamed_file("/dev/shm")?)?,
        Grab::SharedMemoryMapped => {
            let file = unnamed_file("/dev/shm")?;
            file.set_len(BYTES_WANTED).map_err(|error| format!("a length was refused: {error}"))?;
            hint::black_box(map(&file)?);
        }
        Grab::SharedMapping => {
            // A shared mapping of it is memory that processes may share.
            let file = File::options().read(true).write(true).open("/dev/zero");
            hint::black_box(map(&file.map_err(|error| format!("/dev/zero was refused: {error}"))?)?);
        }
        Grab::TemporaryFile => fill(unnamed_file("/tmp")?)?,
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

fn unnamed_file(folder: &str) -> Result<File, String> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR);
    Ok(file.map_err(refused("a file"))?.into())
}

/// Maps it, and lets the kernel touch each page.
fn map(file: &File) -> Result<MmapRaw, String> {
    let mapped = MmapOptions::new().len(MEBIBYTES_WANTED * MEBIBYTE).populate().map_raw(file);
    mapped.map_err(|error| format!("a mapping was refused: {error}"))
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
