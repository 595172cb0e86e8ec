//! The list of what is done, in order.

use std::{
    fs::File,
    io,
    os::unix::process::{CommandExt, parent_id},
    path::Path,
    process::Command,
};

use rustix::{
    fs::{Access, Mode, access},
    process::{Signal, parent_process_death_signal, set_parent_process_death_signal, setsid, umask},
    stdio::dup2_stdin,
};

use crate::{
    descriptors,
    driver_file::DriverFile,
    filter,
    identity::Identity,
    limits,
    policy::{Policy, Stdin},
    report::{Enforced, Mechanism, Refused, Step},
    view,
};

/// Confines the calling process, for good. It must have one thread.
///
/// 1. Opens the driver's file, while it can be reached, and checks it against its pin.
/// 2. Leaves the terminal's session, takes a umask of 077, and `/` as working directory: an empty folder would have to be
///    made and removed by somebody, and in `/` no relative path leads to a person's files.
/// 3. Chooses the ids: root becomes the granted file's owner, an ordinary user stays.
/// 4. Makes the granted folder reachable for those ids.
/// 5. Drops groups, ids and capabilities, sets `no_new_privs`, and checks that driver and folder can be reached.
/// 6. Asks to be killed with the parent. The kernel forgets that wish when ids change, hence after 5; and the parent may
///    be gone already, hence the look afterwards.
/// 7. Limits resources.
/// 8. Lets every other descriptor close on exec.
/// 9. Filters system calls; last, for the steps before need some of those.
///
/// # Errors
///
/// The first step that fails. The process is then confined in part, and must end.
pub fn enter(policy: Policy) -> Result<Confined, Refused> {
    let mut mechanisms = Vec::new();

    let driver = DriverFile::open(&policy)?;
    let null = descriptors::open_null().map_err(Refused::because(Step::OpenDriver, "opening /dev/null"))?;

    leave_terminal()?;
    mechanisms.push(Mechanism::OwnSession);

    let identity = Identity::choose(&policy)?;
    if let Identity::Switched(_) = identity {
        mechanisms.push(Mechanism::OtherIds);
    }

    if let Some(file) = &policy.granted_file
        && !matches!(identity, Identity::Kept(_))
    {
        mechanisms.extend(view::make_reachable(file, identity.ids())?);
    }

    identity.assume()?;
    mechanisms.extend([Mechanism::NoCapabilities, Mechanism::NoNewPrivileges]);
    driver.check_executable(identity.ids().uid)?;
    if let Some(file) = &policy.granted_file {
        check_reachable(file)?;
    }

    die_with_parent(policy.parent)?;
    mechanisms.push(Mechanism::DiesWithParent);

    limits::apply(&policy.limits)?;
    mechanisms.push(Mechanism::ResourceLimits);

    descriptors::close_on_exec(&driver);
    mechanisms.push(Mechanism::ClosedDescriptors);

    filter::install().map_err(Refused::because(Step::FilterSystemCalls, "installing the filter"))?;
    mechanisms.push(Mechanism::SystemCallFilter);

    let enforced = Enforced {
        uid: identity.ids().uid,
        gid: identity.ids().gid,
        mechanisms,
        degraded: identity.degraded().into_iter().collect(),
    };
    Ok(Confined { enforced, driver, null, policy })
}

/// A process that obeys its policy and is about to become the driver.
pub struct Confined {
    enforced: Enforced,
    driver: DriverFile,
    null: File,
    policy: Policy,
}

impl Confined {
    /// What holds.
    pub fn enforced(&self) -> &Enforced {
        &self.enforced
    }

    /// The driver's file, as the policy names it.
    pub fn driver(&self) -> &Path {
        self.driver.path()
    }

    /// Becomes the driver. Returns only when that failed.
    pub fn execute(self) -> io::Error {
        if self.policy.stdin == Stdin::Null
            && let Err(errno) = dup2_stdin(&self.null)
        {
            return errno.into();
        }
        let environment = self.policy.environment.iter().map(|(name, value)| (name, value));
        Command::new(self.driver.executable_path())
            .arg0(self.driver.path())
            .args(&self.policy.arguments)
            .env_clear()
            .envs(environment)
            .exec()
    }
}

fn leave_terminal() -> Result<(), Refused> {
    setsid().map_err(Refused::because(Step::LeaveTerminal, "leaving the terminal's session"))?;
    umask(Mode::RWXG | Mode::RWXO);
    std::env::set_current_dir("/").map_err(Refused::because(Step::LeaveTerminal, "changing to /"))
}

fn check_reachable(file: &Path) -> Result<(), Refused> {
    let folder = file.parent().unwrap_or(file);
    access(folder, Access::EXEC_OK)
        .map_err(Refused::because(Step::ReachGrant, format_args!("the granted folder {}", folder.display())))
}

fn die_with_parent(parent: u32) -> Result<(), Refused> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(Refused::because(Step::DieWithParent, "asking to be killed with the parent"))?;
    if parent_process_death_signal().ok().flatten() != Some(Signal::KILL) {
        return Err(Refused::new(Step::DieWithParent, "the kernel forgot to kill with the parent"));
    }
    if parent_id() != parent {
        return Err(Refused::new(Step::DieWithParent, format_args!("the parent {parent} is gone")));
    }
    Ok(())
}
