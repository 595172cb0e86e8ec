//! Ending in the middle of an answer.

use std::process::{abort, exit};

use querybox_plugin::{ExecuteError, Query, Results};
use rustix::process::{Signal, getpid, kill_process};

use crate::{
    counting::{done, number, tell},
    wish::wishes,
};

wishes! {
    /// How it ends.
    Crash {
        /// It panics in Open.
        PanicInOpen = "panic-in-open",
        /// It exits with 5 in Open.
        ExitInOpen = "exit-in-open",
        /// It exits with 5 after the first stage of a test.
        ExitInTest = "exit-in-test",
        /// It panics between two batches.
        Panic = "panic",
        /// It exits with 0 between two batches.
        ExitWell = "exit-well",
        /// It exits with 7 between two batches, with last words.
        ExitBadly = "exit-badly",
        /// SIGABRT.
        Abort = "abort",
        /// SIGSEGV.
        SegmentationFault = "segmentation-fault",
        /// SIGBUS.
        BusError = "bus-error",
        /// SIGILL.
        IllegalInstruction = "illegal-instruction",
        /// SIGFPE.
        ArithmeticFault = "arithmetic-fault",
        /// SIGSYS.
        BadSystemCall = "bad-system-call",
        /// SIGTERM.
        Terminate = "terminate",
        /// SIGHUP.
        HangUp = "hang-up",
        /// SIGKILL.
        Kill = "kill",
    }
}

pub(crate) async fn run(wish: Crash, query: &Query, mut results: Results) -> Result<(), ExecuteError> {
    let mut rows = results.statement(0..query.sql.len()).rows(&[number()]).await?;
    tell(&mut rows, 0).await?;
    match wish {
        Crash::Panic => panic!("asked to panic"),
        Crash::ExitWell => exit(0),
        Crash::ExitBadly => {
            crate::flood::write("asked to fail\n");
            exit(7)
        }
        Crash::Abort => abort(),
        Crash::SegmentationFault => end_by(Signal::SEGV),
        Crash::BusError => end_by(Signal::BUS),
        Crash::IllegalInstruction => end_by(Signal::ILL),
        Crash::ArithmeticFault => end_by(Signal::FPE),
        Crash::BadSystemCall => end_by(Signal::SYS),
        Crash::Terminate => end_by(Signal::TERM),
        Crash::HangUp => end_by(Signal::HUP),
        Crash::Kill => end_by(Signal::KILL),
        // These happen elsewhere.
        Crash::PanicInOpen | Crash::ExitInOpen | Crash::ExitInTest => rows.finish(done("COUNT")).await,
    }
}

/// Rust's handler of SIGSEGV and SIGBUS takes the first for a fault that will repeat, and only restores the default.
fn end_by(signal: Signal) -> ! {
    loop {
        kill_process(getpid(), signal).expect("a process may signal itself");
    }
}
