//! The system call filter. It allows by default: drivers are programs of many languages, and what each runtime calls is
//! not known. It refuses what a client of a database never needs and what would undo the rest of the jail.
//!
//! A refused call answers EPERM, which programs report, instead of killing, which nobody understands. Calls of another
//! architecture (`int 0x80`) do kill: no honest program mixes them.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Installs the filter for the calling process, which must have one thread and `no_new_privs`.
pub(crate) fn install() -> Result<(), seccompiler::Error> {
    // A filter has one answer for all that it matches, hence two of them.
    apply_filter(&compile(missing(), libc::ENOSYS)?)?;
    apply_filter(&compile(refused(std::process::id())?, libc::EPERM)?)
}

fn compile(rules: Rules, errno: i32) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}

/// Calls that answer as if the kernel did not know them. The flags of `clone3` lie in memory, out of the filter's sight;
/// every libc then takes `clone`, whose flags are an argument.
fn missing() -> Rules {
    [(libc::SYS_clone3, Vec::new())].into()
}

/// Calls that are refused, in the process `own`.
fn refused(own: u32) -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    for &call in FORBIDDEN.iter().chain(FORBIDDEN_HERE) {
        rules.insert(call, Vec::new());
    }
    rules.insert(libc::SYS_clone, vec![lacks_flag(0, libc::CLONE_THREAD)?]);
    // PR_SCHED_CORE decides with whom another process shares a core of the processor.
    rules.insert(libc::SYS_prctl, vec![is(0, libc::PR_SET_PDEATHSIG)?, is(0, libc::PR_SCHED_CORE)?]);
    for call in SIGNALS {
        rules.insert(*call, vec![other_process(0, own)?]);
    }
    for call in OF_A_PROCESS {
        rules.insert(*call, vec![neither_self_nor(0, own)?]);
    }
    rules.insert(libc::SYS_fcntl, refused_descriptor_commands()?);
    rules.insert(
        libc::SYS_ioctl,
        REFUSED_REQUESTS.iter().map(|request| is(1, *request)).collect::<Result<_, _>>()?,
    );
    // Of a user, 0 is the calling one: Core's, when an ordinary user started it.
    rules.insert(libc::SYS_setpriority, vec![neither_self_nor(1, own)?, is(0, PRIO_USER)?]);
    rules.insert(libc::SYS_ioprio_set, vec![neither_self_nor(1, own)?, is(0, IOPRIO_WHO_USER)?]);
    refuse_x32(&mut rules);
    Ok(rules)
}

/// Calls whose first argument is the process, or the thread, to signal. A driver may signal itself: `abort` does. The main
/// thread's id is the process's; another thread's `tkill` is refused, which only musl's `abort` would notice, and it then
/// ends by a fault instead.
const SIGNALS: &[c_long] = &[
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
];

/// Calls whose first argument is the process, or the thread, that they change. A driver may change itself. A thread that
/// names itself by its id instead of 0 is refused: the filter cannot tell its id from another process's. That hits
/// `pthread_setaffinity_np` and `pthread_setschedparam` off the main thread, which are a matter of speed.
const OF_A_PROCESS: &[c_long] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_setpgid,
];

const PRIO_USER: i32 = 2;
const IOPRIO_WHO_USER: i32 = 3;

/// Signals by way of a descriptor: its owner, any process of the same user, gets any signal when bytes come. A terminal
/// that is asked for signals makes its foreground group the owner by itself, so that asking is refused too. Runtimes wait
/// by `poll` and the like. A lease lets the driver hold up whoever opens the file.
fn refused_descriptor_commands() -> Result<Vec<SeccompRule>, BackendError> {
    const F_SETFL: u32 = 4;
    const F_SETOWN: i32 = 8;
    const F_SETSIG: i32 = 10;
    const F_SETOWN_EX: i32 = 15;
    const F_SETLEASE: i32 = 1024;
    const F_NOTIFY: i32 = 1026;
    let on_bytes = u32::try_from(libc::O_ASYNC).expect("a flag of open is positive");
    [F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETLEASE, F_NOTIFY]
        .into_iter()
        .map(|command| is(1, command))
        .chain([rule([
            (1, SeccompCmpOp::Eq, F_SETFL),
            (2, SeccompCmpOp::MaskedEq(u64::from(on_bytes)), on_bytes),
        ])])
        .collect()
}

const REFUSED_REQUESTS: &[i32] = &[
    // TIOCSTI types into a terminal, TIOCLINUX pastes into one.
    0x5412, 0x541c,
    // FIOSETOWN, SIOCSPGRP and FIOASYNC: F_SETOWN and O_ASYNC in their older form.
    0x8901, 0x8902, 0x5452,
];

const FORBIDDEN: &[c_long] = &[
    // Signals by descriptor, which name no process.
    libc::SYS_pidfd_send_signal,
    // Looking into other processes, and taking their descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Another view of the machine.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // Memory that outlives the process, or that no limit counts.
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    // Large surfaces of the kernel; io_uring also does what the filter refuses, unseen.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_personality,
    // The user's keys in the kernel.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // The machine itself.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
];

/// What only this architecture has.
#[cfg(target_arch = "x86_64")]
const FORBIDDEN_HERE: &[c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS__sysctl,
];
#[cfg(target_arch = "aarch64")]
const FORBIDDEN_HERE: &[c_long] = &[];

/// The same kernel answers calls in the x32 form, under the same architecture and with other numbers: what is refused in
/// one form must be so in the other. 512 to 547 exist in that form only.
#[cfg(target_arch = "x86_64")]
fn refuse_x32(rules: &mut Rules) {
    const X32: i64 = 0x4000_0000;
    let refused = rules.keys().copied().chain([libc::SYS_clone3]).chain(512..=547).collect::<Vec<_>>();
    rules.extend(refused.into_iter().map(|call| (call | X32, Vec::new())));
}
#[cfg(target_arch = "aarch64")]
fn refuse_x32(_rules: &mut Rules) {}

// Processes, flags and requests are 32 bits wide for the kernel, which ignores the upper half of the register.

fn is(argument: u8, value: i32) -> Result<SeccompRule, BackendError> {
    rule([(argument, SeccompCmpOp::Eq, value.unsigned_abs())])
}

fn lacks_flag(argument: u8, flag: i32) -> Result<SeccompRule, BackendError> {
    rule([(argument, SeccompCmpOp::MaskedEq(u64::from(flag.unsigned_abs())), 0)])
}

fn other_process(argument: u8, own: u32) -> Result<SeccompRule, BackendError> {
    rule([(argument, SeccompCmpOp::Ne, own)])
}

/// 0 stands for the calling process.
fn neither_self_nor(argument: u8, own: u32) -> Result<SeccompRule, BackendError> {
    rule([(argument, SeccompCmpOp::Ne, 0), (argument, SeccompCmpOp::Ne, own)])
}

fn rule<const N: usize>(conditions: [(u8, SeccompCmpOp, u32); N]) -> Result<SeccompRule, BackendError> {
    let conditions = conditions
        .into_iter()
        .map(|(argument, operator, value)| {
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, u64::from(value))
        })
        .collect::<Result<_, _>>()?;
    SeccompRule::new(conditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_filters_compile_and_stay_far_below_the_kernels_bound() {
        let missing = compile(missing(), libc::ENOSYS).unwrap();
        let refused = compile(refused(4711).unwrap(), libc::EPERM).unwrap();
        // The kernel takes 4,096 instructions.
        assert!(missing.len() + refused.len() < 2048, "{}", refused.len());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn whatever_is_refused_is_refused_in_its_x32_form() {
        let rules = refused(4711).unwrap();
        for call in rules.keys().filter(|call| **call < 0x4000_0000) {
            assert_eq!(rules.get(&(call | 0x4000_0000)), Some(&Vec::new()), "{call}");
        }
    }
}
