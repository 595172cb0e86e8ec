//! What a driver may do, as data.

use std::{fs::Metadata, os::unix::fs::MetadataExt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// What one driver process may do. Built by the launcher, obeyed by the jail; nothing is taken from anywhere else.
///
/// There is no `Default`: whoever starts a process says each line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The driver's file, absolute.
    pub driver: PathBuf,
    /// What the file was when somebody last looked into it. Absent: any file at the path is taken.
    pub pin: Option<Pin>,
    /// The driver's arguments, without its name.
    pub arguments: Vec<String>,
    /// The whole environment of the driver, in order.
    pub environment: Vec<(String, String)>,
    /// The process that starts the jail, and with which the driver dies.
    pub parent: u32,
    /// The database's file, which the driver may read and write, and beside which it may make files. Absolute, and no
    /// part of its folder is a symbolic link. The file need not exist, its folder must.
    pub granted_file: Option<PathBuf>,
    /// Whom a root process turns into when no granted file says it. Neither id is 0.
    pub unprivileged: Ids,
    /// What the driver may use up.
    pub limits: Limits,
    /// What the driver finds at descriptor 0.
    pub stdin: Stdin,
}

/// A user and a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    pub uid: u32,
    pub gid: u32,
}

/// Bounds that the kernel keeps. Memory is kept by the launcher's watch as well: see `limits.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Private memory that the driver may have mapped writable, in bytes.
    pub memory_bytes_max: u64,
    /// One more than the highest descriptor that the driver may open.
    pub descriptors_max: u64,
    /// The size to which the driver may make a file grow, in bytes. Absent: no bound, for a database grows.
    pub file_bytes_max: Option<u64>,
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub device: u64,
    pub inode: u64,
    pub size_bytes: u64,
    /// Time of the last change of the content: whole seconds since 1970.
    pub modified_s: i64,
    /// The rest of that time.
    pub modified_ns: i64,
}

impl Pin {
    /// The pin of the file that `metadata` was asked of.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            modified_s: metadata.mtime(),
            modified_ns: metadata.mtime_nsec(),
        }
    }
}

/// What stands at the driver's descriptor 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stdin {
    /// The socket that the policy came on; gRPC follows.
    Channel,
    /// `/dev/null`: the driver prints something and exits.
    Null,
}
