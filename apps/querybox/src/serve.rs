//! `querybox serve`: Core for front ends on this machine, until it is told to end.

mod audit;
mod descriptors;
mod download;
mod listener;
mod lock;
mod metrics;
mod router;
mod settings;
mod stalling;
mod tls;
mod token;
mod ui;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use querybox_api::{Access, HostNames, Scheme};
use querybox_core::Token;
use tokio::net::TcpListener;
use tracing::info;

use self::{audit::Audit, listener::Listener, lock::Lock, settings::Settings, tls::Shown, token::TokenFile};
pub(crate) use self::{descriptors::Room, lock::running, settings::File};
use crate::{
    app::Place,
    channel::Channel,
    cli::serve::ServeArgs,
    composition::{self, Host},
    config::Config,
    exit::Exit,
    failure::{Failure, describe},
    first_run,
    home::Home,
    log,
    messages::Messages,
    signals::Interrupts,
    stdout,
};

/// What a server logs unless QUERYBOX_LOG says otherwise: its own day, and of its libraries what is wrong.
const LOG_DEFAULT: &str = "info,h2=warn,hyper=warn,tonic=warn,tower=warn";
/// Calls of token holders that run at once: some for each session that there may be.
const CALLS_MAX: usize = 1024;
/// Time for answers to be sent once Core has ended, for all that Core would say is said then.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// How serving ended.
enum Ended {
    Drained,
    /// The user asked twice.
    AtOnce,
}

/// Serves until a signal comes.
pub(crate) async fn run(args: ServeArgs, place: &Place, messages: &Messages) -> Result<Exit, Failure> {
    if place.server.is_some() {
        return Err(Failure::usage("a server is to be asked and to be started")
            .with_hint("leave `--server` or QUERYBOX_SERVER out"));
    }
    let programs = composition::programs()?;
    let config = Config::read(place.home(), &programs)?;
    let settings = Settings::layer(args, config.serve.clone(), &config.home)?;
    log::to_stderr(Some(LOG_DEFAULT), settings.log_format)?;
    let home = Home::open(config.home.clone())?;
    let mut lock = Lock::take(&home.serve_lock())?;
    let tls = settings.tls.map(Shown::read).transpose()?;
    let (socket, address) = listen(settings.listen).await?;
    let scheme = if tls.is_some() { Scheme::Https } else { Scheme::Http };
    let names = HostNames::new(address, scheme, &settings.hosts)
        .map_err(|error| Failure::usage(format!("the name of a host is none: {error}")))?;
    let mut interrupts = Interrupts::listen()
        .map_err(|error| Failure::machinery(format!("cannot wait for signals: {}", describe(&error))))?;

    let room = descriptors::take();
    let core =
        composition::compose(&config, &home, &programs, Host::Server(room), settings.query_text).await?;
    let audit = settings.audit.map(|path| Audit::begin(path, &core)).transpose()?;
    first_run::make_sample(&home, &Channel::here(Arc::clone(&core)), messages).await;
    let token = Token::make();
    let token_file = TokenFile::write(&home.token(), &token)?;
    let access = Arc::new(Access::new(token, names, &router::OPEN, CALLS_MAX));
    let (offer, readiness) = router::offer(Arc::clone(&core), Arc::clone(&access));
    let mut listener = Listener::new(socket, offer, tls.as_ref().map(Shown::acceptor), room.connections);
    let url = format!("{scheme}://{address}");
    lock.announce(&url).map_err(|error| Failure::keeping(&home.serve_lock(), &error))?;
    info!(%address, pid = std::process::id(), "serving");
    let (code, _) = access.make_code();
    stdout::print(&format!("QueryBox serves at {}\n", link(&url, &code)))?;

    let ending = async {
        interrupts.next().await;
        info!(sessions = core.running_sessions().len(), "told to end");
        readiness.end().await;
        tokio::select! {
            () = core.shutdown(settings.drain) => Ended::Drained,
            () = interrupts.next() => Ended::AtOnce,
        }
    };
    let ended = tokio::select! {
        ended = ending => ended,
        // Also while it drains: who calls then is told that no new work is taken.
        never = listener.accept() => match never {},
        never = follow(tls.as_deref()) => match never {},
    };
    drop(token_file);
    let end_audit = || {
        if let Some(audit) = audit {
            audit.end();
        }
    };
    Ok(match ended {
        Ended::Drained => {
            listener.close(CLOSE_WITHIN).await;
            end_audit();
            info!("ended");
            Exit::Done
        }
        // The end of this process ends its drivers, and the store stands a cut.
        Ended::AtOnce => {
            end_audit();
            info!("ended at once");
            Exit::Cancelled
        }
    })
}

/// Looks after the certificate, if there is one.
async fn follow(tls: Option<&Shown>) -> Infallible {
    match tls {
        Some(shown) => shown.follow().await,
        None => std::future::pending().await,
    }
}

/// The link that lets a browser in. A fragment is sent to no server, and so is in no log.
pub(crate) fn link(url: &str, code: &str) -> String {
    format!("{url}/#code={code}")
}

/// The file that says where the server of a home is.
pub(crate) fn lock_file(home: &Path) -> PathBuf {
    home.join("serve.lock")
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::machinery(format!("{wanted} is in use by another program"))
            .with_hint("`--listen 127.0.0.1:PORT` takes another port, and port 0 any that is free"),
        io::ErrorKind::AddrNotAvailable => Failure::usage(format!("{wanted} is no address of this machine")),
        _ => Failure::machinery(format!("cannot listen on {wanted}: {}", describe(&error))),
    };
    let socket = TcpListener::bind(wanted).await.map_err(refused)?;
    let address = socket.local_addr().map_err(refused)?;
    Ok((socket, address))
}
