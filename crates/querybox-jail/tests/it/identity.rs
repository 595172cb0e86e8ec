//! Whom a driver runs as, and that nothing else is left.

use std::collections::BTreeSet;

use querybox_jail::{Mechanism, Report};

use crate::trial::{Starter, Trial, line};

#[test]
fn a_driver_has_no_privilege_left() {
    for starter in Starter::all() {
        let trial = Trial::new(starter);
        let outcome = trial.run(&["print", "/proc/self/status"]);
        let status = &outcome.stdout;
        let driver = starter.driver();
        assert_eq!(line(status, "Uid"), format!("{0}\t{0}\t{0}\t{0}", driver.uid), "{outcome:?}");
        assert_eq!(line(status, "Gid"), format!("{0}\t{0}\t{0}\t{0}", driver.gid));
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(line(status, set), "0000000000000000", "{set}");
        }
        assert_eq!(line(status, "NoNewPrivs"), "1");
        assert_eq!(line(status, "Seccomp"), "2");
        assert_eq!(line(status, "Umask"), "0077");
        if starter == Starter::Root {
            assert_eq!(line(status, "CapBnd"), "0000000000000000");
            assert_eq!(line(status, "Groups"), "");
        }
    }
}

#[test]
fn the_report_says_what_holds_and_what_is_missing() {
    for starter in Starter::all() {
        let Some(Report::Entered(enforced)) = Trial::new(starter).run(&["folder"]).report else { panic!() };
        assert_eq!((enforced.uid, enforced.gid), (starter.driver().uid, starter.driver().gid));
        let named =
            enforced.mechanisms.iter().map(|mechanism| format!("{mechanism:?}")).collect::<BTreeSet<_>>();
        assert_eq!(named.len(), enforced.mechanisms.len(), "each once");
        for mechanism in [Mechanism::NoCapabilities, Mechanism::DiesWithParent, Mechanism::SystemCallFilter] {
            assert!(enforced.mechanisms.contains(&mechanism), "{mechanism:?}");
        }
        match starter {
            Starter::Root => {
                assert!(enforced.mechanisms.contains(&Mechanism::OtherIds));
                assert_eq!(enforced.degraded, [""; 0]);
            }
            Starter::OrdinaryUser => {
                assert!(!enforced.mechanisms.contains(&Mechanism::OtherIds));
                assert!(enforced.degraded[0].contains("the same user as QueryBox"));
            }
        }
    }
}
