//! The granted file's folder, at its own path, for a user who could not get there.
//!
//! A database often lies under a home folder that only root may enter. When root hands it to a driver of another user,
//! the jail takes a mount namespace of its own, lays an empty file system over the first folder in the way, makes the
//! rest of the path in it anew, and binds the granted folder to its end. The driver sees the same path as everybody (SQLite
//! looks at each element of it, and makes files beside the database), and nothing else below that first folder.

use std::{
    ffi::OsStr,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::{Component, Path},
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, chmodat, fstat, mkdirat, openat},
    mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change},
    thread::UnshareFlags,
};

use crate::{
    policy::Ids,
    report::{Mechanism, Refused, Step},
};

/// Sees to it that `ids` can reach the folder of the granted file. Answers with the mechanism if one was needed.
pub(crate) fn make_reachable(file: &Path, ids: Ids) -> Result<Option<Mechanism>, Refused> {
    let folder = Folder::of(file)?;
    if folder.walk()?.first_unreachable(ids).is_none() {
        return Ok(None);
    }
    leave_mount_namespace()?;
    // Descriptors from before lie in the old namespace, whose mounts cannot be bound in the new one: walk again.
    let walk = folder.walk()?;
    let Some(obstacle) = walk.first_unreachable(ids) else {
        return Ok(None);
    };
    let Some(granted) = walk.steps.len().checked_sub(1).filter(|&last| obstacle > 0 && obstacle < last)
    else {
        return Err(folder.refuse(format_args!("may not be entered by the user with id {}", ids.uid)));
    };
    cover(&walk, obstacle, &folder)?;
    rebuild(&walk, obstacle, granted, &folder)?;
    Ok(Some(Mechanism::PrivateView))
}

/// The folder of the granted file, as the names that lead to it.
struct Folder<'a> {
    path: &'a Path,
    names: Vec<&'a OsStr>,
}

impl<'a> Folder<'a> {
    fn of(file: &'a Path) -> Result<Self, Refused> {
        let refuse =
            |what| Refused::new(Step::ReachGrant, format_args!("the granted path {} {what}", file.display()));
        let path = file.parent().ok_or_else(|| refuse("names no file"))?;
        let mut components = path.components();
        if components.next() != Some(Component::RootDir) {
            return Err(refuse("is not absolute"));
        }
        let names = components
            .map(|component| match component {
                Component::Normal(name) => Ok(name),
                Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
                    Err(refuse("is not in its canonical form"))
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { path, names })
    }

    /// Opens every folder from the root to this one, following no link: who owns a folder on the way could otherwise
    /// send root elsewhere.
    fn walk(&self) -> Result<Walk<'a>, Refused> {
        let mut steps = vec![WalkStep::open(CWD, OsStr::new("/")).map_err(|errno| self.refuse(errno))?];
        for name in &self.names {
            let parent = &steps[steps.len() - 1].folder;
            let step = WalkStep::open(parent, name).map_err(|errno| {
                self.refuse(format_args!("cannot be reached at {}: {errno}", name.display()))
            })?;
            steps.push(step);
        }
        Ok(Walk { steps })
    }

    fn refuse(&self, what: impl std::fmt::Display) -> Refused {
        Refused::new(Step::ReachGrant, format_args!("the granted folder {} {what}", self.path.display()))
    }
}

/// The folders from the root to the granted one, opened.
struct Walk<'a> {
    steps: Vec<WalkStep<'a>>,
}

struct WalkStep<'a> {
    name: &'a OsStr,
    folder: OwnedFd,
    stat: Stat,
}

impl<'a> WalkStep<'a> {
    fn open(parent: impl AsFd, name: &'a OsStr) -> rustix::io::Result<Self> {
        let folder = openat(parent, name, FOLDER, Mode::empty())?;
        let stat = fstat(&folder)?;
        Ok(Self { name, folder, stat })
    }
}

impl Walk<'_> {
    /// The first folder that `ids` may not search, by its mode. An access list may allow more, which then is not used,
    /// or less, which the check after the change of ids finds.
    fn first_unreachable(&self, ids: Ids) -> Option<usize> {
        self.steps.iter().position(|step| !may_search(&step.stat, ids))
    }
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn may_search(stat: &Stat, ids: Ids) -> bool {
    let mode = Mode::from_raw_mode(stat.st_mode);
    let needed = if stat.st_uid == ids.uid {
        Mode::XUSR
    } else if stat.st_gid == ids.gid {
        Mode::XGRP
    } else {
        Mode::XOTH
    };
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory && mode.contains(needed)
}

fn leave_mount_namespace() -> Result<(), Refused> {
    #[expect(
        deprecated,
        reason = "its fault, descriptors that threads no longer share, is not in this flag"
    )]
    rustix::thread::unshare(UnshareFlags::NEWNS)
        .map_err(Refused::because(Step::ReachGrant, "taking a mount namespace"))?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(Refused::because(Step::ReachGrant, "making the mount namespace private"))
}

/// Lays an empty file system over the obstacle. It holds folders only, and few.
fn cover(walk: &Walk<'_>, obstacle: usize, folder: &Folder<'_>) -> Result<(), Refused> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let target = descriptor_path(&walk.steps[obstacle].folder);
    mount(c"none", target, c"tmpfs", flags, c"mode=0711,size=64k,nr_inodes=256").map_err(|errno| {
        folder.refuse(format_args!("cannot be made visible, covering a folder above it: {errno}"))
    })
}

/// Makes the way from the obstacle to the granted folder in the empty file system, and binds the folder to its end.
fn rebuild(walk: &Walk<'_>, obstacle: usize, granted: usize, folder: &Folder<'_>) -> Result<(), Refused> {
    let failed = |errno: rustix::io::Errno| folder.refuse(format_args!("cannot be made visible: {errno}"));
    // By name from the folder above: its old descriptor leads below the cover.
    let above = &walk.steps[obstacle - 1].folder;
    let mut end = openat(above, walk.steps[obstacle].name, FOLDER, Mode::empty()).map_err(failed)?;
    for step in &walk.steps[obstacle + 1..] {
        mkdirat(&end, step.name, Mode::RWXU).map_err(failed)?;
        // Apart from mkdirat, which the umask bounds.
        chmodat(&end, step.name, Mode::from_raw_mode(0o711), AtFlags::empty()).map_err(failed)?;
        end = openat(&end, step.name, FOLDER, Mode::empty()).map_err(failed)?;
    }
    let source = descriptor_path(&walk.steps[granted].folder);
    mount_bind(source, descriptor_path(&end)).map_err(failed)
}

fn descriptor_path(folder: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", folder.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(file: &str, reason: &str) {
        let Err(refused) = Folder::of(Path::new(file)) else { panic!("{file} was taken") };
        assert!(refused.message.contains(reason), "{refused}");
    }

    #[test]
    fn a_path_that_could_mean_another_place_is_refused() {
        check_refused("shop.db", "is not absolute");
        check_refused("/", "names no file");
        check_refused("/srv/../etc/shop.db", "is not in its canonical form");
    }

    #[test]
    fn a_link_on_the_way_is_refused() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", home.path().join("link")).unwrap();
        let reached = |name: &str| {
            let file = home.path().join(name).join("shop.db");
            Folder::of(&file).unwrap().walk().map(|walk| walk.steps.len())
        };
        assert!(reached("real").is_ok());
        assert!(reached("link").unwrap_err().message.contains("cannot be reached at link"));
    }
}
