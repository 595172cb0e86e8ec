//! The granted file and its folder.

use querybox_fixtures::{Folder, User, ordinary_user, root_only, unprivileged};
use querybox_jail::{Enforced, Mechanism, Refused, Report, Step};

use crate::trial::{Outcome, Starter, Trial, text};

const ROOT: User = User { uid: 0, gid: 0 };

#[track_caller]
fn enforced(outcome: &Outcome) -> &Enforced {
    let Some(Report::Entered(enforced)) = &outcome.report else { panic!("{outcome:?}") };
    enforced
}

#[track_caller]
fn check_done(outcome: &Outcome, said: &str) {
    assert_eq!(outcome.stdout, format!("done {said}\n"), "{outcome:?}");
}

#[test]
fn an_ordinary_users_driver_reads_the_granted_file_and_writes_beside_it() {
    let user = ordinary_user();
    let home = Folder::make(user, 0o700).unwrap();
    let file = home.add_file("shop.db", user, 0o600, "rows").unwrap();
    let mut trial = Trial::new(Starter::OrdinaryUser);
    trial.policy.granted_file = Some(file.clone());
    check_done(&trial.run(&["read", text(&file)]), "rows");
    check_done(&trial.run(&["write", text(&home.path().join("shop.db-wal")), "log"]), "");
}

#[test]
fn roots_driver_runs_as_the_owner_of_the_granted_file() {
    if !root_only("roots_driver_runs_as_the_owner_of_the_granted_file") {
        return;
    }
    let owner = ordinary_user();
    let home = Folder::make(owner, 0o700).unwrap();
    let file = home.add_file("shop.db", owner, 0o600, "rows").unwrap();
    let mut trial = Trial::new(Starter::Root);
    trial.policy.granted_file = Some(file.clone());
    let outcome = trial.run(&["read", text(&file)]);
    check_done(&outcome, "rows");
    assert_eq!((enforced(&outcome).uid, enforced(&outcome).gid), (owner.uid, owner.gid));
    assert!(!enforced(&outcome).mechanisms.contains(&Mechanism::PrivateView), "the owner can go there");

    let absent = home.path().join("new.db");
    trial.policy.granted_file = Some(absent.clone());
    let outcome = trial.run(&["write", text(&absent), "made"]);
    check_done(&outcome, "");
    assert_eq!(enforced(&outcome).uid, owner.uid, "the folder's owner");
}

#[test]
fn roots_own_file_is_used_without_capabilities_and_the_report_says_so() {
    if !root_only("roots_own_file_is_used_without_capabilities_and_the_report_says_so") {
        return;
    }
    let home = Folder::make(ROOT, 0o700).unwrap();
    let file = home.add_file("shop.db", ROOT, 0o600, "rows").unwrap();
    let foreign = Folder::make(ordinary_user(), 0o700).unwrap();
    let secret = foreign.add_file("secret", ordinary_user(), 0o600, "secret").unwrap();
    let mut trial = Trial::new(Starter::Root);
    trial.policy.granted_file = Some(file.clone());

    let outcome = trial.run(&["read", text(&file)]);
    check_done(&outcome, "rows");
    assert_eq!(enforced(&outcome).uid, 0);
    assert!(enforced(&outcome).degraded[0].contains("runs as root, without capabilities"));

    let outcome = trial.run(&["read", text(&secret)]);
    assert!(
        outcome.stdout.starts_with("failed PermissionDenied"),
        "root without its capabilities: {outcome:?}"
    );
    let status = trial.run(&["print", "/proc/self/status"]).stdout;
    assert_eq!(crate::trial::line(&status, "CapPrm"), "0000000000000000");
    assert_eq!(crate::trial::line(&status, "CapBnd"), "0000000000000000");
}

/// `<closed, root, 0700>/home/files/shop.db`, the file and its folder owned by the unprivileged user.
struct ClosedHome {
    home: Folder,
    folder: std::path::PathBuf,
    file: std::path::PathBuf,
}

fn make_closed_home() -> ClosedHome {
    let home = Folder::make(ROOT, 0o700).unwrap();
    home.add_file("key", ROOT, 0o644, "secret").unwrap();
    home.add_folder("home", ROOT, 0o711).unwrap();
    home.add_file("home/store.db", ROOT, 0o644, "secret").unwrap();
    let folder = home.add_folder("home/files", unprivileged(), 0o700).unwrap();
    let file = home.add_file("home/files/shop.db", unprivileged(), 0o600, "rows").unwrap();
    ClosedHome { home, folder, file }
}

#[test]
fn a_file_under_a_closed_folder_is_at_its_own_path_and_nothing_else_is() {
    if !root_only("a_file_under_a_closed_folder_is_at_its_own_path_and_nothing_else_is") {
        return;
    }
    let ClosedHome { home, folder, file } = make_closed_home();
    let mut trial = Trial::new(Starter::Root);
    let without = trial.run_free(&["read", text(&file)]);
    assert!(without.stdout.starts_with("failed PermissionDenied"), "{without:?}");

    trial.policy.granted_file = Some(file.clone());
    let outcome = trial.run(&["read", text(&file)]);
    check_done(&outcome, "rows");
    assert_eq!(enforced(&outcome).uid, unprivileged().uid);
    assert!(enforced(&outcome).mechanisms.contains(&Mechanism::PrivateView));

    check_done(&trial.run(&["look-at-each-part", text(&file)]), "");
    check_done(&trial.run(&["write", text(&folder.join("shop.db-wal")), "log"]), "");
    check_done(&trial.run(&["list", text(&folder)]), "shop.db shop.db-wal");
    assert_eq!(std::fs::read_to_string(folder.join("shop.db-wal")).unwrap(), "log", "it is the same folder");
    for hidden in ["key", "home/store.db"] {
        let outcome = trial.run(&["read", text(&home.path().join(hidden))]);
        assert!(outcome.stdout.starts_with("failed NotFound"), "{hidden}: {outcome:?}");
    }
}

#[test]
fn a_private_view_leaves_the_machines_mounts_alone() {
    if !root_only("a_private_view_leaves_the_machines_mounts_alone") {
        return;
    }
    let ClosedHome { home: _home, file, .. } = make_closed_home();
    let mut trial = Trial::new(Starter::Root);
    trial.policy.granted_file = Some(file.clone());
    let before = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let seen = trial.run(&["print", "/proc/self/mountinfo"]).stdout;
    assert!(seen.contains("/home/files"), "{seen}");
    assert_eq!(std::fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}

#[test]
fn a_folder_that_the_files_owner_may_not_enter_is_refused() {
    if !root_only("a_folder_that_the_files_owner_may_not_enter_is_refused") {
        return;
    }
    let home = Folder::make(ROOT, 0o700).unwrap();
    let file = home.add_file("shop.db", unprivileged(), 0o600, "rows").unwrap();
    let mut trial = Trial::new(Starter::Root);
    trial.policy.granted_file = Some(file);
    let Some(Report::Refused(Refused { step, message })) = trial.run(&["folder"]).report else { panic!() };
    assert_eq!(step, Step::ReachGrant);
    assert!(message.contains("may not be entered by the user with id 65534"), "{message}");
}

#[test]
fn a_link_in_place_of_the_granted_file_is_refused() {
    if !root_only("a_link_in_place_of_the_granted_file_is_refused") {
        return;
    }
    let home = Folder::make(ordinary_user(), 0o755).unwrap();
    let link = home.path().join("shop.db");
    std::os::unix::fs::symlink("/etc/shadow", &link).unwrap();
    let mut trial = Trial::new(Starter::Root);
    trial.policy.granted_file = Some(link);
    let Some(Report::Refused(Refused { step, message })) = trial.run(&["folder"]).report else { panic!() };
    assert_eq!(step, Step::ChooseIds);
    assert!(message.contains("is a symbolic link"), "{message}");
}
