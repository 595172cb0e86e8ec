//! Resource limits of the kernel.
//!
//! - Memory is `RLIMIT_DATA`, which counts private writable mappings. `RLIMIT_AS` counts reserved addresses as well, and
//!   allocators and language runtimes reserve far more than they use. Shared mappings are not counted; the launcher
//!   watches the resident set for them.
//! - `RLIMIT_NPROC` is left alone: it counts all processes of a user together, so it would depend on what else runs, and
//!   the system call filter already keeps a driver to one process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    policy::Limits,
    report::{Refused, Step},
};

/// A core dump of a driver would hold its credentials. Zero would still feed a program named in the kernel's
/// `core_pattern`; one byte is too small for a file, and the one value at which the kernel skips such a program too.
const CORE_BYTES_MAX: u64 = 1;

pub(crate) fn apply(limits: &Limits) -> Result<(), Refused> {
    let bounds = [
        (Resource::Core, Some(CORE_BYTES_MAX)),
        (Resource::Data, Some(limits.memory_bytes_max)),
        (Resource::Nofile, Some(limits.descriptors_max)),
        (Resource::Fsize, limits.file_bytes_max),
        // Locked memory is beyond the reach of the machine's memory pressure.
        (Resource::Memlock, Some(0)),
    ];
    for (resource, bound) in bounds {
        let Some(bound) = bound else { continue };
        // A bound that is already tighter stays: only root could raise it, and whoever set it meant it.
        let bound = getrlimit(resource).maximum.map_or(bound, |present| present.min(bound));
        setrlimit(resource, Rlimit { current: Some(bound), maximum: Some(bound) }).map_err(
            Refused::because(Step::LimitResources, format_args!("limiting {resource:?} to {bound}")),
        )?;
    }
    Ok(())
}
