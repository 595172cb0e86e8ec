//! Resource limits.

use crate::trial::{Starter, Trial, check_allowed, line};

#[test]
fn the_kernel_keeps_the_limits_of_the_policy() {
    for starter in Starter::all() {
        let mut trial = Trial::new(starter);
        trial.policy.limits.memory_bytes_max = 256 << 20;
        trial.policy.limits.descriptors_max = 99;
        trial.policy.limits.file_bytes_max = Some(1 << 30);
        let limits = trial.run(&["print", "/proc/self/limits"]).stdout;
        let check = |name: &str, expected: u64| {
            let values = line(&limits, name).split_whitespace().take(2).collect::<Vec<_>>();
            assert_eq!(values, [expected.to_string(), expected.to_string()], "{name}");
        };
        check("Max data size", 256 << 20);
        check("Max open files", 99);
        check("Max file size", 1 << 30);
        check("Max core file size", 1);
        check("Max locked memory", 0);
    }
}

#[test]
fn memory_beyond_the_limit_is_not_to_be_had() {
    let megabytes = |count: usize| (count << 20).to_string();
    check_allowed(&["allocate", &megabytes(100)]);
    for starter in Starter::all() {
        let outcome = Trial::new(starter).run(&["allocate", &megabytes(600)]);
        assert!(outcome.stderr.contains("memory allocation of 629145600 bytes failed"), "{outcome:?}");
    }
}

#[test]
fn a_driver_cannot_raise_its_limits() {
    for starter in Starter::all() {
        let outcome = Trial::new(starter).run(&["raise-descriptors"]);
        assert!(outcome.stdout.starts_with("failed PermissionDenied"), "{outcome:?}");
    }
}
