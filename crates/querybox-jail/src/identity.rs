//! Whom the driver runs as, and how every privilege goes.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use rustix::{
    io::Errno,
    process::{getegid, geteuid},
    thread::{
        CapabilitiesSecureBits as SecureBits, CapabilitySet, CapabilitySets, capabilities,
        clear_ambient_capability_set, no_new_privs, remove_capability_from_bounding_set, set_capabilities,
        set_capabilities_secure_bits, set_no_new_privs, set_thread_groups, set_thread_res_gid,
        set_thread_res_uid,
    },
};

use crate::{
    policy::{Ids, Policy},
    report::{Refused, Step},
};

/// Whom the driver runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Whoever started the jail, an ordinary user, who can become nobody else.
    Kept(Ids),
    /// Another user, which root can become.
    Switched(Ids),
    /// Root still, for the granted file is root's own, but without any capability.
    StrippedRoot(Ids),
}

impl Identity {
    /// Root becomes the owner of the granted file, so that the driver has that file's rights and no others; without a
    /// grant it becomes nobody in particular. An ordinary user stays.
    pub(crate) fn choose(policy: &Policy) -> Result<Self, Refused> {
        let Ids { uid, gid } = policy.unprivileged;
        if uid == 0 || gid == 0 {
            return Err(Refused::new(Step::ChooseIds, "the unprivileged user and group must not be root"));
        }
        if !geteuid().is_root() {
            return Ok(Self::Kept(Ids { uid: geteuid().as_raw(), gid: getegid().as_raw() }));
        }
        let Some(file) = &policy.granted_file else {
            return Ok(Self::Switched(policy.unprivileged));
        };
        let owner = owner_of(file)?;
        if owner.uid == 0 {
            return Ok(Self::StrippedRoot(Ids { uid: 0, gid: 0 }));
        }
        // A file of root's group does not make its owner a member of that group.
        let gid = if owner.gid == 0 { policy.unprivileged.gid } else { owner.gid };
        Ok(Self::Switched(Ids { uid: owner.uid, gid }))
    }

    pub(crate) fn ids(self) -> Ids {
        match self {
            Self::Kept(ids) | Self::Switched(ids) | Self::StrippedRoot(ids) => ids,
        }
    }

    /// What people should know about it. None: nothing is missing.
    pub(crate) fn degraded(self) -> Option<String> {
        match self {
            Self::Switched(_) => None,
            Self::Kept(_) => Some(
                "The driver runs as the same user as QueryBox and can reach this user's files.".to_owned(),
            ),
            Self::StrippedRoot(_) => Some(
                "The database file belongs to root, so the driver runs as root, without capabilities."
                    .to_owned(),
            ),
        }
    }

    /// Becomes that user and lets every capability go, then reads back that nothing is left.
    pub(crate) fn assume(self) -> Result<(), Refused> {
        if !matches!(self, Self::Kept(_)) {
            // In this order: each of these calls needs a capability that ends with the ids.
            empty_bounding_set()?;
            lock_secure_bits()?;
            become_user(self.ids())?;
        }
        clear_ambient_capability_set()
            .map_err(Refused::because(Step::DropPrivileges, "clearing ambient capabilities"))?;
        set_capabilities(None, NO_CAPABILITIES)
            .map_err(Refused::because(Step::DropPrivileges, "dropping capabilities"))?;
        set_no_new_privs(true).map_err(Refused::because(Step::DropPrivileges, "setting no_new_privs"))?;
        self.check()
    }

    fn check(self) -> Result<(), Refused> {
        let Ids { uid, gid } = self.ids();
        if geteuid().as_raw() != uid || getegid().as_raw() != gid {
            return Err(Refused::new(
                Step::DropPrivileges,
                "the kernel kept other ids than those that were set",
            ));
        }
        // Back to root must be closed: a saved id would show here.
        if uid != 0 && set_thread_res_uid(None, rustix::process::Uid::ROOT, None).is_ok() {
            return Err(Refused::new(Step::DropPrivileges, "the process could become root again"));
        }
        if capabilities(None).ok() != Some(NO_CAPABILITIES) {
            return Err(Refused::new(Step::DropPrivileges, "the kernel kept capabilities"));
        }
        if no_new_privs().ok() != Some(true) {
            return Err(Refused::new(Step::DropPrivileges, "the kernel did not set no_new_privs"));
        }
        Ok(())
    }
}

const NO_CAPABILITIES: CapabilitySets = CapabilitySets {
    effective: CapabilitySet::empty(),
    permitted: CapabilitySet::empty(),
    inheritable: CapabilitySet::empty(),
};

/// The owner of the file, or of its folder as long as the file does not exist. A link is not followed: the policy names
/// the file itself.
fn owner_of(file: &Path) -> Result<Ids, Refused> {
    let found = fs::symlink_metadata(file).or_else(|error| match (error.kind(), file.parent()) {
        (std::io::ErrorKind::NotFound, Some(folder)) => fs::symlink_metadata(folder),
        _ => Err(error),
    });
    let metadata = found
        .map_err(Refused::because(Step::ChooseIds, format_args!("the granted file {}", file.display())))?;
    if metadata.is_symlink() {
        let message = format_args!("the granted file {} is a symbolic link", file.display());
        return Err(Refused::new(Step::ChooseIds, message));
    }
    Ok(Ids { uid: metadata.uid(), gid: metadata.gid() })
}

fn empty_bounding_set() -> Result<(), Refused> {
    for number in 0..u64::BITS {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // The kernel's last capability was the one before.
            Err(Errno::INVAL) => return Ok(()),
            Err(errno) => {
                let message = format_args!("removing capability {number} from the bounding set: {errno}");
                return Err(Refused::new(Step::DropPrivileges, message));
            }
        }
    }
    Ok(())
}

/// User 0 gains nothing from being 0, whatever it executes, and none of this can be undone.
fn lock_secure_bits() -> Result<(), Refused> {
    let bits = SecureBits::NO_ROOT
        | SecureBits::NO_ROOT_LOCKED
        | SecureBits::NO_SETUID_FIXUP
        | SecureBits::NO_SETUID_FIXUP_LOCKED
        | SecureBits::KEEP_CAPS_LOCKED
        | SecureBits::NO_CAP_AMBIENT_RAISE
        | SecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
    set_capabilities_secure_bits(bits)
        .map_err(Refused::because(Step::DropPrivileges, "locking the secure bits"))
}

fn become_user(ids: Ids) -> Result<(), Refused> {
    let uid = rustix::process::Uid::from_raw(ids.uid);
    let gid = rustix::process::Gid::from_raw(ids.gid);
    // The calls below change the calling thread; the jail has no other.
    set_thread_groups(&[]).map_err(Refused::because(Step::DropPrivileges, "dropping groups"))?;
    set_thread_res_gid(gid, gid, gid)
        .map_err(Refused::because(Step::DropPrivileges, format_args!("becoming group {}", ids.gid)))?;
    set_thread_res_uid(uid, uid, uid)
        .map_err(Refused::because(Step::DropPrivileges, format_args!("becoming user {}", ids.uid)))
}
