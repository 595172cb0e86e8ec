//! What a driver starts with: descriptors, environment, arguments, folder.

use std::{fs, os::unix::fs::PermissionsExt};

use querybox_jail::{EXIT_NOT_EXECUTED, Report};
use rustix::{
    fs::{Mode, OFlags, open},
    io::{FdFlags, fcntl_setfd},
};

use crate::trial::{Starter, Trial, text};

#[test]
fn a_driver_inherits_no_descriptor_but_the_documented_ones() {
    for starter in Starter::all() {
        let trial = Trial::new(starter);
        // A leak of whoever starts the jail: it stays open over exec.
        let leak = open("/etc/passwd", OFlags::RDONLY, Mode::empty()).unwrap();
        fcntl_setfd(&leak, FdFlags::empty()).unwrap();
        let free = trial.run_free(&["descriptors"]).stdout;
        assert!(free.contains("/etc/passwd"), "{free}");
        let jailed = trial.run(&["descriptors"]).stdout;
        let numbers = jailed.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
        assert_eq!(numbers, ["0", "1", "2"], "{jailed}");
        assert!(jailed.starts_with("0 /dev/null\n"), "{jailed}");
    }
}

#[test]
fn a_driver_gets_the_environment_of_its_policy_alone() {
    for starter in Starter::all() {
        assert_eq!(Trial::new(starter).run(&["environment"]).stdout, "LANG=C.UTF-8\n");
    }
}

#[test]
fn a_driver_sees_its_own_path_and_its_arguments() {
    for starter in Starter::all() {
        let said = Trial::new(starter).run(&["arguments", "two words", ""]).stdout;
        assert_eq!(said, "PROGRAMS/jail-probe\narguments\ntwo words\n\n");
    }
}

#[test]
fn a_driver_stands_in_the_root_folder() {
    for starter in Starter::all() {
        assert_eq!(Trial::new(starter).run(&["folder"]).stdout, "/\n");
    }
}

#[test]
fn a_script_runs_though_its_path_is_out_of_reach() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        let owner = starter.user();
        trial.policy.driver =
            trial.programs().add_file("driver.sh", owner, 0o755, "#!/bin/sh\necho script $1\n").unwrap();
        let outcome = trial.run(&["info"]);
        assert_eq!(outcome.stdout, "script info\n", "{starter:?} {outcome:?}");
    }
}

#[test]
fn a_file_that_the_kernel_cannot_execute_ends_the_jail_with_its_code() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        let script = "#!/nowhere/interpreter\n";
        trial.policy.driver = trial.programs().add_file("driver.sh", starter.user(), 0o755, script).unwrap();
        let outcome = trial.run(&[]);
        assert!(matches!(outcome.report, Some(Report::Entered(_))));
        assert_eq!(outcome.code, Some(EXIT_NOT_EXECUTED));
        assert!(outcome.stderr.contains("driver.sh: No such file"), "{outcome:?}");
    }
}

#[test]
fn programs_under_a_closed_folder_run_for_an_unprivileged_user() {
    if !querybox_fixtures::root_only("programs_under_a_closed_folder_run_for_an_unprivileged_user") {
        return;
    }
    let trial = Trial::new(Starter::Root);
    fs::set_permissions(trial.programs().path(), fs::Permissions::from_mode(0o700)).unwrap();
    let outcome = trial.run(&["read", text(&trial.policy.driver)]);
    assert!(
        outcome.stdout.starts_with("failed PermissionDenied"),
        "it runs, and cannot read itself: {outcome:?}"
    );
}
