//! When the jail does not let a driver start.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    process::{Command, Stdio},
};

use querybox_fixtures::program;
use querybox_jail::{EXIT_REFUSED, Pin, Refused, Report, Step};

use crate::trial::{Outcome, Starter, Trial};

#[track_caller]
fn check_refused(outcome: &Outcome, step: Step, reason: &str) {
    let Some(Report::Refused(Refused { step: found, message })) = &outcome.report else {
        panic!("{outcome:?}")
    };
    assert_eq!(*found, step, "{message}");
    assert!(message.contains(reason), "{message}");
    assert_eq!(outcome.code, Some(EXIT_REFUSED));
    assert_eq!(outcome.stdout, "", "nothing was executed");
}

#[test]
fn a_jail_whose_parent_is_gone_starts_nothing() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        trial.policy.parent = 1;
        check_refused(&trial.run(&["folder"]), Step::DieWithParent, "the parent 1 is gone");
    }
}

#[test]
fn a_file_that_was_replaced_is_not_executed() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        trial.policy.pin = Some(Pin::of(&fs::metadata(&trial.policy.driver).unwrap()));
        assert_eq!(trial.run(&["folder"]).stdout, "/\n");
        let replacement = fs::read(&trial.policy.driver).unwrap();
        fs::remove_file(&trial.policy.driver).unwrap();
        fs::write(&trial.policy.driver, replacement).unwrap();
        fs::set_permissions(&trial.policy.driver, fs::Permissions::from_mode(0o755)).unwrap();
        check_refused(&trial.run(&["folder"]), Step::OpenDriver, "is not the file that was looked at");
    }
}

#[test]
fn what_is_no_executable_file_is_named() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        let programs = trial.programs().path().to_owned();
        trial.policy.driver = programs.join("absent");
        check_refused(&trial.run(&[]), Step::OpenDriver, "absent: No such file");
        trial.policy.driver = programs.clone();
        check_refused(&trial.run(&[]), Step::OpenDriver, "is not a regular file");
        trial.policy.driver = trial.programs().add_file("text", starter.user(), 0o755, "echo text").unwrap();
        check_refused(&trial.run(&[]), Step::OpenDriver, "is neither a program of this machine nor a script");
        trial.policy.driver = trial.programs().add_file("plain", starter.user(), 0o644, "#!/bin/sh").unwrap();
        check_refused(&trial.run(&[]), Step::OpenDriver, "is not executable for the user with id");
    }
}

#[test]
fn root_is_no_unprivileged_user() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        trial.policy.unprivileged.uid = 0;
        check_refused(&trial.run(&[]), Step::ChooseIds, "must not be root");
    }
}

#[test]
fn a_grant_in_a_folder_that_does_not_exist_is_refused() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        trial.policy.granted_file = Some("/nowhere/shop.db".into());
        let outcome = trial.run(&[]);
        assert!(
            matches!(&outcome.report, Some(Report::Refused(refused)) if refused.message.contains("/nowhere"))
        );
    }
}

#[test]
fn without_a_launcher_the_jail_ends_with_a_sentence() {
    let run = |stdin: Stdio| Command::new(program("querybox-jail")).stdin(stdin).output().unwrap();

    let output = run(Stdio::null());
    assert_eq!(output.status.code(), Some(EXIT_REFUSED));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not the launcher's socket"));

    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    assert_eq!(run(std::os::fd::OwnedFd::from(theirs).into()).status.code(), Some(EXIT_REFUSED));
}
