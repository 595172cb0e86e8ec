//! Where this process may make control groups, if anywhere.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, access, getxattr},
    process::{geteuid, getpid},
};

use super::set;

/// The leaf into which this process moves, out of the way of its groups. systemd's `DelegateSubgroup=core` makes the same.
const LEAF: &str = "core";

/// The kernel's two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// A group below which groups for drivers can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) version: Version,
    pub(super) path: PathBuf,
}

/// Why there is none. For logs.
#[derive(Debug)]
pub(super) struct Unavailable(String);

impl Unavailable {
    fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Place {
    /// Looks where this process stands, and prepares the place.
    pub(super) fn find() -> Result<Self, Unavailable> {
        let groups = fs::read_to_string("/proc/self/cgroup")?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let (version, own, mount) = locate(&groups, &mounts)
            .ok_or_else(|| Unavailable::new("no mounted control group of this process counts memory"))?;
        match version {
            Version::One => Self::in_version_one(own),
            Version::Two => Self::in_version_two(&own, &mount, getpid().as_raw_nonzero().get()),
        }
    }

    /// The folder is made by whoever may write here, and the thread that starts processes goes there and comes back.
    fn in_version_one(own: PathBuf) -> Result<Self, Unavailable> {
        check_writable(&own)?;
        check_writable(&own.join("tasks"))?;
        Ok(Self { version: Version::One, path: own })
    }

    /// A group of version 2 has either processes or groups with a controller: this process must get out of the way, which
    /// it does only where the group was handed to it, and to it alone.
    fn in_version_two(own: &Path, mount: &Path, pid: i32) -> Result<Self, Unavailable> {
        let in_leaf = own.file_name().is_some_and(|name| name == LEAF) && own != mount;
        let base = match own.parent() {
            Some(parent) if in_leaf && processes(parent)?.is_empty() => parent,
            _ => own,
        };
        if !is_delegated(base, mount) {
            return Err(Unavailable::new(format_args!("{} was not delegated to this user", base.display())));
        }
        check_writable(base)?;
        check_writable(&base.join("cgroup.procs"))?;
        if !has_word(base, "cgroup.controllers", "memory")? {
            return Err(Unavailable::new(format_args!("{} has no memory controller", base.display())));
        }
        if !has_word(base, "cgroup.subtree_control", "memory")? {
            let others = processes(base)?;
            match others.as_slice() {
                [] => set(base, "cgroup.subtree_control", "+memory")?,
                [only] if *only == pid => move_away(base, pid)?,
                _ => {
                    let why = format_args!("other processes live in {} too", base.display());
                    return Err(Unavailable::new(why));
                }
            }
        }
        enable_pids(base);
        Ok(Self { version: Version::Two, path: base.to_owned() })
    }
}

/// Makes room in the group, or leaves all as it was.
fn move_away(base: &Path, pid: i32) -> Result<(), Unavailable> {
    let leaf = base.join(LEAF);
    match fs::create_dir(&leaf) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let moved = set(&leaf, "cgroup.procs", pid).and_then(|()| set(base, "cgroup.subtree_control", "+memory"));
    if let Err(error) = moved {
        // What cannot be undone harms nothing: the leaf has the limits of its parent.
        let _ = set(base, "cgroup.procs", pid);
        let _ = fs::remove_dir(&leaf);
        return Err(error.into());
    }
    Ok(())
}

/// The number of threads is bounded as well, where that can be. The kernel's other limits keep it low without.
pub(super) fn enable_pids(folder: &Path) {
    if has_word(folder, "cgroup.controllers", "pids").unwrap_or(false) {
        let _ = set(folder, "cgroup.subtree_control", "+pids");
    }
}

fn processes(group: &Path) -> io::Result<Vec<i32>> {
    let text = fs::read_to_string(group.join("cgroup.procs"))?;
    // One of another namespace shows as 0, which is nobody's number here.
    Ok(text.lines().map(|line| line.trim().parse().unwrap_or(0)).collect())
}

fn has_word(group: &Path, file: &str, word: &str) -> io::Result<bool> {
    Ok(fs::read_to_string(group.join(file))?.split_whitespace().any(|found| found == word))
}

fn check_writable(path: &Path) -> Result<(), Unavailable> {
    access(path, Access::WRITE_OK)
        .map_err(|errno| Unavailable::new(format_args!("{} is not writable: {errno}", path.display())))
}

/// Whether the group is ours to divide: its owner is this ordinary user, or its maker said so, or it is the root of what
/// this process can see of a tree that goes on above.
fn is_delegated(base: &Path, mount: &Path) -> bool {
    let says_so = |name: &str| {
        let mut value = [0_u8; 8];
        getxattr(base, name, value.as_mut_slice()).is_ok_and(|length| value[..length] == *b"1")
    };
    let owned = || {
        let uid = fs::metadata(base).map(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata));
        !geteuid().is_root() && uid.is_ok_and(|uid| uid == geteuid().as_raw())
    };
    // The true root has no type.
    let root_of_namespace = || base == mount && base.join("cgroup.type").exists();
    owned() || says_so("user.delegate") || says_so("trusted.delegate") || root_of_namespace()
}

/// From `/proc/self/cgroup` and `/proc/self/mountinfo`: the folder of the own group in the tree that counts memory, and
/// where that tree is mounted.
fn locate(groups: &str, mounts: &str) -> Option<(Version, PathBuf, PathBuf)> {
    let mut found = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        if controllers.split(',').any(|controller| controller == "memory") {
            // A controller is in one tree alone.
            found = Some((Version::One, path));
            break;
        }
        if controllers.is_empty() {
            found = Some((Version::Two, path));
        }
    }
    let (version, path) = found?;
    // Of several mounts, the last one lies on top.
    mounts.lines().rev().find_map(|line| {
        let (root, mount) = mount_of(line, version)?;
        // A group above the mount's root, or of another namespace, cannot be reached here.
        let below = Path::new(path).strip_prefix(&root).ok()?;
        if below.components().any(|part| part == std::path::Component::ParentDir) {
            return None;
        }
        let own = if below.as_os_str().is_empty() { mount.clone() } else { mount.join(below) };
        Some((version, own, mount))
    })
}

/// The root within the tree, and the mount point, of a line of mountinfo: see proc(5).
fn mount_of(line: &str, version: Version) -> Option<(PathBuf, PathBuf)> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, mount) = (before.next()?, before.next()?);
    let mut after = after.split(' ');
    let (kind, options) = (after.next()?, after.nth(1)?);
    let fits = match version {
        Version::One => kind == "cgroup" && options.split(',').any(|option| option == "memory"),
        Version::Two => kind == "cgroup2",
    };
    fits.then(|| (unescape(root), unescape(mount)))
}

/// Blanks and the like are written as three octal digits.
fn unescape(field: &str) -> PathBuf {
    let plain = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    plain.into_iter().fold(field.to_owned(), |text, (from, to)| text.replace(from, to)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";

    #[track_caller]
    fn check_located(groups: &str, mounts: &str, expected: Option<(Version, &str)>) {
        let found = locate(groups, mounts).map(|(version, own, _)| (version, own));
        assert_eq!(found, expected.map(|(version, own)| (version, own.into())));
    }

    #[test]
    fn the_tree_that_counts_memory_is_found() {
        check_located(
            "4:cpu,memory:/jobs/a\n0::/\n",
            MOUNTS,
            Some((Version::One, "/sys/fs/cgroup/memory/jobs/a")),
        );
        let unified = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";
        check_located(
            "0::/system.slice/querybox.service\n",
            unified,
            Some((Version::Two, "/sys/fs/cgroup/system.slice/querybox.service")),
        );
        check_located("0::/\n", unified, Some((Version::Two, "/sys/fs/cgroup")));
        // A container that sees a part of the tree.
        let part = "30 23 0:26 /pod/c1 /my\\040groups rw - cgroup2 cgroup2 rw";
        check_located("0::/pod/c1/app\n", part, Some((Version::Two, "/my groups/app")));
    }

    #[test]
    fn a_group_that_cannot_be_seen_is_not_found() {
        check_located("4:memory:/jobs\n", "35 31 0:32 /other /x rw - cgroup cgroup rw,memory", None);
        check_located("0::/../outside\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", None);
        check_located("4:memory:/jobs\n", "", None);
        check_located("", MOUNTS, None);
    }

    /// A group of version 2 as plain files: what the kernel would answer is written down before.
    struct FakeTree {
        mount: tempfile::TempDir,
    }

    impl FakeTree {
        fn new(controllers: &str, subtree_control: &str, processes: &str) -> Self {
            let tree = Self { mount: tempfile::tempdir().unwrap() };
            tree.group("", controllers, subtree_control, processes);
            // What tells the root of a namespace from the root of the machine.
            fs::write(tree.mount.path().join("cgroup.type"), "domain\n").unwrap();
            tree
        }

        fn group(&self, name: &str, controllers: &str, subtree_control: &str, processes: &str) {
            let group = self.mount.path().join(name);
            fs::create_dir_all(&group).unwrap();
            fs::write(group.join("cgroup.controllers"), controllers).unwrap();
            fs::write(group.join("cgroup.subtree_control"), subtree_control).unwrap();
            fs::write(group.join("cgroup.procs"), processes).unwrap();
        }

        fn find(&self, own: &str) -> Result<PathBuf, String> {
            let mount = self.mount.path();
            let own = if own.is_empty() { mount.to_owned() } else { mount.join(own) };
            Place::in_version_two(&own, mount, 4711)
                .map(|place| place.path.strip_prefix(mount).unwrap().to_owned())
                .map_err(|unavailable| unavailable.0.replace(&*mount.to_string_lossy(), "TREE"))
        }

        fn read(&self, file: &str) -> String {
            fs::read_to_string(self.mount.path().join(file)).unwrap()
        }
    }

    #[test]
    fn a_process_alone_in_its_group_moves_into_the_leaf() {
        let tree = FakeTree::new("cpu memory\n", "", "4711\n");
        assert_eq!(tree.find("").unwrap(), Path::new(""));
        assert_eq!(tree.read("core/cgroup.procs"), "4711");
        assert_eq!(tree.read("cgroup.subtree_control"), "+memory");
    }

    #[test]
    fn from_the_leaf_the_group_above_is_used_as_it_is() {
        let tree = FakeTree::new("cpu memory\n", "memory\n", "");
        tree.group("core", "memory\n", "", "4711\n");
        assert_eq!(tree.find("core").unwrap(), Path::new(""));
        assert_eq!(tree.read("core/cgroup.procs"), "4711\n");
        // As systemd's DelegateSubgroup= leaves it.
        fs::write(tree.mount.path().join("cgroup.subtree_control"), "").unwrap();
        assert_eq!(tree.find("core").unwrap(), Path::new(""));
        assert_eq!(tree.read("cgroup.subtree_control"), "+memory");
    }

    #[test]
    fn a_group_with_others_in_it_is_left_alone() {
        let tree = FakeTree::new("memory\n", "", "1\n4711\n");
        assert_eq!(tree.find("").unwrap_err(), "other processes live in TREE too");
        assert!(!tree.mount.path().join("core").exists());
        assert_eq!(tree.read("cgroup.subtree_control"), "");
    }

    #[test]
    fn a_group_without_the_controller_is_no_place() {
        let tree = FakeTree::new("cpu pids\n", "", "4711\n");
        assert_eq!(tree.find("").unwrap_err(), "TREE has no memory controller");
    }

    #[test]
    fn a_group_that_nobody_delegated_is_no_place_for_root() {
        if !geteuid().is_root() {
            return; // What an ordinary user owns was delegated to it.
        }
        let tree = FakeTree::new("memory\n", "memory\n", "");
        tree.group("system", "memory\n", "", "4711\n");
        assert_eq!(tree.find("system").unwrap_err(), "TREE/system was not delegated to this user");
        fs::remove_file(tree.mount.path().join("cgroup.type")).unwrap();
        assert_eq!(tree.find("").unwrap_err(), "TREE was not delegated to this user");
    }
}
