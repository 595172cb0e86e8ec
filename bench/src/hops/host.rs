//! The process of Core: its services on a Unix socket, until standard input ends.

use std::path::Path;

use anyhow::Context as _;
use futures::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, stdin, stdout},
    net::UnixListener,
};
use tonic::transport::Server;

use crate::{
    profile::{Begun, Collector},
    site::{Host, spares},
};

/// What it says once it takes connections.
pub(super) const READY: &[u8] = b"ready\n";

/// Several batches, so that neither side waits for the other's word on each.
pub(super) const WINDOW_BYTES: u32 = 1 << 20;
/// A batch in one frame.
pub(super) const FRAME_BYTES_MAX: u32 = 256 << 10;

/// Serves a Core that keeps drivers ready, as a server's does. `folder` has the programs as if installed.
///
/// # Errors
///
/// It does not come up, or its socket cannot be made.
pub async fn host(folder: &Path, socket: &Path, port: u16) -> anyhow::Result<()> {
    let store = format!("host-{}.db", std::process::id());
    let host = Host::start(folder, &store, Some(spares()), port).await?;
    let listener = UnixListener::bind(socket).context("no socket")?;
    let incoming = futures::stream::unfold(listener, async |listener| {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    });
    let mut out = stdout();
    out.write_all(READY).await?;
    out.flush().await?;
    let served = Server::builder()
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES * 2)
        .max_frame_size(FRAME_BYTES_MAX)
        .serve_with_incoming_shutdown(host.api(), incoming.boxed(), async {
            // Whatever comes, and however it ends: who started this process wants it to go.
            stdin().read_to_end(&mut Vec::new()).await.ok();
        });
    served.await.context("the services broke")?;
    host.close().await;
    Ok(())
}

/// The same, and tells where its time went when it ends.
///
/// # Errors
///
/// As [`host`].
pub async fn host_profiled(folder: &Path, socket: &Path, port: u16) -> anyhow::Result<String> {
    let collector = Collector::install()?;
    let begun = Begun::now();
    host(folder, socket, port).await?;
    Ok(serde_json::to_string(&begun.told(&collector))?)
}
