//! From an order to a confined process: sockets, policy, report.

use std::{
    io,
    os::{fd::OwnedFd, unix::net},
    sync::Arc,
    time::Duration,
};

use querybox_jail::{Enforced, Ids, Limits, Policy, Refused, Report, Stdin, channel};
use rustix::{
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    pipe::{PipeFlags, pipe_with},
};
use tokio::{io::AsyncReadExt, net::UnixStream, time::timeout};
use tracing::info;

use crate::{
    order::StartOrder,
    process::{
        Nursery, Process,
        ending::{Bounds, Ending},
    },
    spawner::Standard,
};

/// The jail does a few dozen system calls before it reports. A machine that needs longer than this for them cannot run a
/// driver either.
const REPORT_WITHIN: Duration = Duration::from_secs(10);

/// Why no driver runs.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The jail could not be executed, or the system has no descriptors or processes left.
    #[error("the jail could not be started")]
    Spawn(#[source] io::Error),
    /// The jail could not confine the driver as the policy says, or the file is not what it was.
    #[error("the driver was not started")]
    Refused(#[source] Refused),
    /// The process ended before it was confined.
    #[error("the process ended before it was confined: {0}")]
    Ended(Arc<Ending>),
    /// The process said nothing.
    #[error("the process did not report within {waited:?}")]
    Silent {
        /// How long was waited.
        waited: Duration,
    },
}

/// What becomes of descriptors 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// gRPC on 0, the dial socket on 1.
    Serve,
    /// Nothing on 0, a pipe on 1.
    Info,
}

/// A confined process that is, or is about to become, the driver.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) enforced: Enforced,
    /// Our end of descriptor 0.
    pub(crate) channel: UnixStream,
    /// Our end of descriptor 1.
    pub(crate) output: OwnedFd,
}

/// Starts one process and waits until it is confined. Dropping the future kills it.
pub(crate) async fn start(
    nursery: &Arc<Nursery>,
    unprivileged: Ids,
    order: &StartOrder,
    purpose: Purpose,
) -> Result<Started, StartError> {
    let policy = derive_policy(unprivileged, order, purpose);
    let ends = Ends::make(purpose).map_err(StartError::Spawn)?;
    let mut channel = ends.channel;
    let bounds = Bounds::of(&policy.limits);
    let process = Process::start(nursery, ends.standard, ends.errors, bounds, order.deadline)
        .await
        .map_err(StartError::Spawn)?;
    // Only now, for the process is in its control group: before it knows its policy it does nothing. The socket's buffer
    // holds all of it. If nobody is there to read it, the report fails to come, and why is seen there.
    let _ = channel::send(&mut channel, &policy);
    let mut channel = into_async(channel).map_err(StartError::Spawn)?;
    let report = match timeout(REPORT_WITHIN, read_report(&mut channel)).await {
        Ok(Ok(report)) => report,
        Ok(Err(_)) => {
            // The socket closed or carried something else, which only happens when the process is no jail or is gone.
            process.kill();
            return Err(StartError::Ended(process.ended().await));
        }
        Err(_) => return Err(StartError::Silent { waited: REPORT_WITHIN }),
    };
    match report {
        Report::Refused(refused) => Err(StartError::Refused(refused)),
        Report::Entered(mut enforced) => {
            let memory = process.memory();
            if let Some(fault) = &memory.fault {
                enforced.degraded.push(format!("The driver has no control group for its memory: {fault}."));
            }
            info!(
                pid = process.pid().as_raw_nonzero().get(),
                driver = %policy.driver.display(),
                ?purpose,
                granted = ?policy.granted_file,
                limits = ?policy.limits,
                ?enforced,
                memory = %memory.keeper,
                "driver started"
            );
            Ok(Started { process, enforced, channel, output: ends.output })
        }
    }
}

/// The one place where a policy is built.
fn derive_policy(unprivileged: Ids, order: &StartOrder, purpose: Purpose) -> Policy {
    let mut environment = vec![
        // Many programs misbehave without one; nothing in it can be started anyway.
        ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
    ];
    let (verb, stdin) = match purpose {
        Purpose::Serve => {
            environment.push(("QUERYBOX_SOCKET".to_owned(), "fd:0".to_owned()));
            ("serve", Stdin::Channel)
        }
        Purpose::Info => ("info", Stdin::Null),
    };
    Policy {
        driver: order.driver.path().to_owned(),
        pin: Some(order.driver.pin()),
        arguments: vec![verb.to_owned()],
        environment,
        parent: std::process::id(),
        granted_file: order.grant.as_ref().map(|grant| grant.path().to_owned()),
        unprivileged,
        limits: derive_limits(order),
        stdin,
    }
}

/// A driver without a database file has none to write: it could fill a file system, and one in memory beside every limit of
/// memory that counts by process.
fn derive_limits(order: &StartOrder) -> Limits {
    let file_bytes_max = match order.grant {
        Some(_) => order.limits.file_bytes_max,
        None => Some(0),
    };
    Limits { file_bytes_max, ..order.limits }
}

/// Both ends of everything between us and the process. All close on exec but those that become its 0, 1 and 2.
struct Ends {
    channel: net::UnixStream,
    output: OwnedFd,
    errors: OwnedFd,
    standard: Standard,
}

impl Ends {
    fn make(purpose: Purpose) -> io::Result<Self> {
        let (channel, input) = net::UnixStream::pair()?;
        let (output, standard_output) = match purpose {
            // Whole messages, each with a descriptor: what is dialed will be handed over here.
            Purpose::Serve => {
                socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?
            }
            Purpose::Info => pipe_with(PipeFlags::CLOEXEC)?,
        };
        let (errors, standard_error) = pipe_with(PipeFlags::CLOEXEC)?;
        let standard = Standard { input: input.into(), output: standard_output, error: standard_error };
        Ok(Self { channel, output, errors, standard })
    }
}

fn into_async(channel: net::UnixStream) -> io::Result<UnixStream> {
    channel.set_nonblocking(true)?;
    UnixStream::from_std(channel)
}

async fn read_report(channel: &mut UnixStream) -> io::Result<Report> {
    let mut length = [0; channel::LENGTH_BYTES];
    channel.read_exact(&mut length).await?;
    let mut json = vec![0; channel::message_length(length)?];
    channel.read_exact(&mut json).await?;
    channel::decode(&json)
}
