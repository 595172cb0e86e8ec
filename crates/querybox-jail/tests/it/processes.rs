//! One process, which signals nobody and looks into nobody.

use crate::trial::{Starter, Trial, check_allowed, check_prevented};

#[test]
fn a_driver_starts_no_process() {
    check_prevented(&["start-a-process"]);
}

#[test]
fn a_driver_starts_threads() {
    check_allowed(&["start-a-thread"]);
}

#[test]
fn a_driver_cannot_outlive_its_parent_by_clearing_the_death_signal() {
    check_prevented(&["clear-the-death-signal"]);
    for starter in Starter::all() {
        assert_eq!(Trial::new(starter).run(&["death-signal"]).stdout, "killed with the parent\n");
    }
}

#[test]
fn a_driver_signals_no_process_of_its_own_user() {
    // Root's driver is another user than its parent; the filter is put to the test where both are one.
    let trial = Trial::new(Starter::OrdinaryUser);
    for attempt in ["signal-the-parent", "signal-by-descriptor", "limit-the-parent"] {
        let jailed = trial.run(&[attempt]);
        assert!(jailed.stdout.starts_with("failed PermissionDenied"), "{attempt}: {jailed:?}");
    }
    check_allowed(&["signal-itself"]);
}

#[test]
fn a_driver_makes_no_user_namespace() {
    check_prevented(&["make-a-user-namespace"]);
}

#[test]
fn a_driver_has_no_memory_that_no_limit_counts() {
    check_prevented(&["memory-file"]);
}

#[test]
fn an_abort_is_an_abort() {
    const SIGABRT: i32 = 6;
    for starter in Starter::all() {
        let trial = Trial::new(starter);
        assert_eq!(trial.run(&["abort"]).signal, Some(SIGABRT));
        assert_eq!(trial.run_free(&["abort"]).signal, Some(SIGABRT));
    }
}

#[test]
fn a_driver_is_the_leader_of_a_session_without_a_terminal() {
    for starter in Starter::all() {
        let stat = Trial::new(starter).run(&["print", "/proc/self/stat"]).stdout;
        let fields = stat.rsplit(')').next().unwrap().split_whitespace().collect::<Vec<_>>();
        let [_state, _parent, group, session, terminal, ..] = fields.as_slice() else { panic!("{stat}") };
        assert_eq!(group, session);
        assert_eq!(stat.split(' ').next().unwrap(), *session);
        assert_eq!(*terminal, "0");
    }
}
