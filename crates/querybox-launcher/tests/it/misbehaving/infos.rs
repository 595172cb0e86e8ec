//! Files that answer `info` badly.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use querybox_launcher::{Cause, ProbeError};

use crate::{
    misbehaving::{memory::Mark, neighbour::Neighbour, pen::Pen},
    residue::children,
};

/// Two seconds for the answer, and the kill on a machine that is busy.
const PROBED_WITHIN: Duration = Duration::from_secs(10);

/// Declares one test a wish, with the errors that fit.
macro_rules! probes {
    ($($wish:ident => $outcome:pat $(if $also:expr)?,)+) => {
        pub(super) const WISHES: &[&str] = &[$(stringify!($wish)),+];

        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $wish() {
                let error = probe(stringify!($wish)).await;
                assert!(matches!(&*error, $outcome $(if $also)?), "{error:?}");
            }
        )+
    };
}

probes! {
    info_silent => ProbeError::Hung { .. },
    info_lingers => ProbeError::Hung { .. },
    info_drips => ProbeError::Hung { .. },
    info_garbage => ProbeError::Garbage { beginning, .. } if beginning.starts_with("\\u{7f}ELF\\u{1b}[2J\\xff\\xfe\\u{0}"),
    info_endless => ProbeError::Garbage { reason, .. } if reason.contains("longer than 1048576 bytes"),
    info_huge => ProbeError::Garbage { reason, .. } if reason.contains("longer than 1048576 bytes"),
    info_nested => ProbeError::Garbage { reason, .. } if reason.contains("recursion limit"),
    info_other_version => ProbeError::UnsupportedContract { found: 99 },
    info_invalid => ProbeError::Invalid(_),
    info_fails => ProbeError::Ended(ending) if ending.cause == Cause::Exited(3),
    info_aborts => ProbeError::Ended(ending) if ending.cause == Cause::Signal(6),
}

/// Asks a file with this wish what it is, to no avail.
async fn probe(wish: &str) -> Arc<ProbeError> {
    let pen = Pen::new();
    let neighbour = Neighbour::move_in(&pen).await;
    assert_eq!(children().len(), 1);
    let mark = Mark::set();
    let begun = Instant::now();
    let error = pen.launcher.probe(&pen.file(wish)).await.unwrap_err();
    let took = begun.elapsed();
    assert!(took < PROBED_WITHIN, "{took:?}");
    mark.check();
    neighbour.check_unharmed().await;
    pen.launcher.shutdown().await;
    assert_eq!(children().len(), 0, "no process is left");
    error
}
