//! A PostgreSQL server, Cores with a connection to it, and their services as a front end meets them.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use querybox_api::{Api, MESSAGE_BYTES_MAX};
use querybox_contracts::{
    core::v1::{
        self as pb, connection_ref::Key, connection_service_client::ConnectionServiceClient,
        execute_response::Part, open_session_response::Outcome, query_service_client::QueryServiceClient,
        session_service_client::SessionServiceClient,
    },
    plugin::v1::{self as plugin, execute_response::Part as ResultPart},
};
use querybox_core::{
    Clock, Config, Core, KeepLimits, KeySource, Limits, OsKeyring, ResultSettings, Secrets, Store,
};
use querybox_fixtures::{Folder, Postgres, User, unprivileged};
use querybox_launcher::{Ids, Launcher, MemoryControl, SpareLimits};

use crate::programs::{Programs, owner};

/// The connection's name.
const PG: &str = "pg";

/// All that sessions need, on loopback.
pub struct Site {
    pub server: Postgres,
    /// Starts each driver when it is needed, as a command does.
    pub cold: Host,
    /// Keeps drivers ready, as a server does.
    pub warm: Host,
    // Removed last.
    folder: Folder,
}

/// Settings under which no result is kept.
pub(crate) fn kept_nowhere(folder: &Path) -> ResultSettings {
    let limits = KeepLimits {
        result_memory_bytes: 0,
        all_memory_bytes: 0,
        result_bytes: 0,
        all_bytes: 0,
        free_disk_percent: 0,
        cache_bytes: 0,
        files_max: 256,
    };
    ResultSettings { folder: folder.to_owned(), limits, results_max: 0, idle: Duration::ZERO }
}

/// A Core and its services.
pub struct Host {
    core: Arc<Core>,
    api: Api,
}

impl Site {
    /// Starts a server with SCRAM and without fsync, and the Cores.
    ///
    /// # Errors
    ///
    /// A program was not built, or Core does not come up.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed.
    pub async fn start(programs: &Programs) -> anyhow::Result<Self> {
        let server = Postgres::start();
        let folder = Folder::make(owner(), 0o755)?;
        programs.install(&["querybox", "querybox-jail", "querybox-driver-postgres"], &folder)?;
        let cold = Host::start(folder.path(), "cold.db", None, server.port()).await?;
        let warm = Host::start(folder.path(), "warm.db", Some(spares()), server.port()).await?;
        Ok(Self { server, cold, warm, folder })
    }

    /// Ends the Cores, then the server.
    pub async fn close(self) {
        self.cold.close().await;
        self.warm.close().await;
    }

    /// Where the programs lie as if installed.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// One value, asked for beside QueryBox.
    #[must_use]
    pub fn ask(&self, sql: &str) -> String {
        String::from_utf8_lossy(&self.server.psql(sql)).trim_end().to_owned()
    }
}

impl Host {
    /// Puts a Core together over the programs in `folder`, with a connection to the server on `port`.
    ///
    /// # Errors
    ///
    /// It does not come up.
    pub(crate) async fn start(
        folder: &Path,
        store: &str,
        spares: Option<SpareLimits>,
        port: u16,
    ) -> anyhow::Result<Self> {
        let core = Arc::new(Core::new(Config {
            store: Store::open(&folder.join(store)).await?,
            launcher: launcher(&folder.join("querybox-jail"), spares)?,
            plugin_folders: vec![folder.join("plugins")],
            limits: limits(),
            clock: Clock::new(jiff::Timestamp::now),
            secrets: Secrets { keys: KeySource::none(), keyring: Arc::new(OsKeyring::new()) },
            results: kept_nowhere(folder),
            texts: querybox_core::TextStorage::Sealed,
            history: querybox_core::HistorySettings::USUAL,
        }));
        let host = Self { api: Api::new(Arc::clone(&core)), core };
        host.save_connection(port).await?;
        Ok(host)
    }

    /// Ends the Core.
    pub(crate) async fn close(&self) {
        self.core.shutdown(Duration::ZERO).await;
    }

    /// Its services.
    pub(crate) fn api(&self) -> Api {
        self.api.clone()
    }

    /// Runs scripts as sessions of their own.
    #[must_use]
    pub fn queries(&self) -> QueryServiceClient<Api> {
        QueryServiceClient::new(self.api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Leases sessions, and stops what any session runs.
    #[must_use]
    pub fn sessions(&self) -> SessionServiceClient<Api> {
        SessionServiceClient::new(self.api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    async fn save_connection(&self, port: u16) -> anyhow::Result<()> {
        let spec = pb::ConnectionSpec {
            name: PG.to_owned(),
            driver_type: "postgres".to_owned(),
            parameters: vec![
                text("host", Postgres::HOST),
                text("port", &port.to_string()),
                text("user", Postgres::USER),
                text("database", Postgres::DATABASE),
            ],
            secret_place: pb::SecretPlace::Ask.into(),
            ..pb::ConnectionSpec::default()
        };
        let request = pb::CreateConnectionRequest { spec: Some(spec), secret: None };
        ConnectionServiceClient::new(self.api.clone()).create_connection(request).await?;
        Ok(())
    }

    /// `select 1` as a session of its own, to the last word. Answers with the driver's process.
    ///
    /// # Errors
    ///
    /// Any answer but 1.
    pub async fn select_one(&self) -> anyhow::Result<u32> {
        let mut stream = self.queries().execute(one_shot(&session_id(), "select 1")).await?.into_inner();
        let (mut answer, mut driver) = (Answer::default(), 0);
        while let Some(message) = stream.message().await? {
            match message.part {
                Some(Part::Session(opened)) => driver = opened.driver_pid,
                Some(Part::Result(part)) => answer.take(part)?,
                Some(Part::Ended(_)) => return answer.check_one().map(|()| driver),
                None => {}
            }
        }
        bail!("the session did not say how it ended")
    }

    /// Leases a session.
    ///
    /// # Errors
    ///
    /// It is refused.
    pub async fn lease(&self) -> anyhow::Result<String> {
        let session_id = session_id();
        leased(self.sessions().open_session(lease_request(&session_id)).await?.into_inner())?;
        Ok(session_id)
    }

    /// `select 1` in a leased session.
    ///
    /// # Errors
    ///
    /// Any answer but 1.
    pub async fn select_one_in(&self, lease: &str) -> anyhow::Result<()> {
        self.run_in(lease, "select 1").await?.check_one()
    }

    /// Runs a script in a leased session to its end.
    ///
    /// # Errors
    ///
    /// The database rejects it, or the session is lost.
    pub async fn run_in(&self, lease: &str, sql: &str) -> anyhow::Result<Answer> {
        let mut stream = self.sessions().execute_in_session(in_lease(lease, sql)).await?.into_inner();
        let mut answer = Answer::default();
        while let Some(message) = stream.message().await? {
            if let Some(pb::execute_in_session_response::Part::Result(part)) = message.part {
                answer.take(part)?;
            }
        }
        Ok(answer)
    }

    /// Ends a leased session.
    ///
    /// # Errors
    ///
    /// It had ended before.
    pub async fn close_lease(&self, lease: &str) -> anyhow::Result<()> {
        self.sessions().close_session(pb::CloseSessionRequest { session_id: lease.to_owned() }).await?;
        Ok(())
    }
}

/// A launcher as an app makes it.
pub(crate) fn launcher(jail: &Path, spares: Option<SpareLimits>) -> anyhow::Result<Launcher> {
    let User { uid, gid } = unprivileged();
    let config = querybox_launcher::Config {
        jail: jail.to_owned(),
        unprivileged: Ids { uid, gid },
        memory: MemoryControl::Groups,
        spares,
    };
    Launcher::new(config).context("no launcher")
}

/// Spares as a server keeps them.
pub(crate) fn spares() -> SpareLimits {
    SpareLimits {
        per_driver: 2,
        total: 8,
        age_max: Duration::from_secs(300),
        available_memory_min_bytes: 256 << 20,
        meminfo: "/proc/meminfo".into(),
    }
}

pub(crate) fn limits() -> Limits {
    Limits {
        sessions_max: 256,
        leases_max: 16,
        lease_idle: Duration::from_secs(600),
        deadline: Duration::from_secs(120),
        deadline_max: None,
        stream_idle: None,
        connect: Duration::from_secs(60),
        cancel_grace: Duration::from_secs(2),
        memory_bytes: 512 << 20,
        descriptors: 256,
        file_bytes: None,
    }
}

/// A new session's id.
pub(crate) fn session_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Runs a script as a session of its own.
pub(crate) fn one_shot(session_id: &str, sql: &str) -> pb::ExecuteRequest {
    pb::ExecuteRequest {
        session_id: session_id.to_owned(),
        connection: Some(connection()),
        sql: sql.to_owned(),
        credential: Some(credential()),
        ..pb::ExecuteRequest::default()
    }
}

/// Leases a session.
pub(crate) fn lease_request(session_id: &str) -> pb::OpenSessionRequest {
    pb::OpenSessionRequest {
        session_id: session_id.to_owned(),
        target: Some(pb::open_session_request::Target::Connection(connection())),
        credential: Some(credential()),
        ..pb::OpenSessionRequest::default()
    }
}

/// Whether a session was leased.
///
/// # Errors
///
/// It was refused.
pub(crate) fn leased(response: pb::OpenSessionResponse) -> anyhow::Result<()> {
    match response.outcome {
        Some(Outcome::Leased(_)) => Ok(()),
        Some(Outcome::Rejection(rejection)) => bail!("no lease: {}", rejection.message),
        None => bail!("no lease"),
    }
}

/// Runs a script in a leased session.
pub(crate) fn in_lease(lease: &str, sql: &str) -> pb::ExecuteInSessionRequest {
    pb::ExecuteInSessionRequest {
        session_id: lease.to_owned(),
        sql: sql.to_owned(),
        ..pb::ExecuteInSessionRequest::default()
    }
}

pub(crate) fn connection() -> pb::ConnectionRef {
    pb::ConnectionRef { key: Some(Key::Name(PG.to_owned())) }
}

pub(crate) fn credential() -> plugin::Credential {
    let password = plugin::SecretField {
        name: "password".to_owned(),
        value: Postgres::PASSWORD.as_bytes().to_vec().into(),
    };
    plugin::Credential { fields: vec![password] }
}

fn text(name: &str, value: &str) -> plugin::Parameter {
    plugin::Parameter { name: name.to_owned(), value: Some(plugin::parameter::Value::Text(value.to_owned())) }
}

/// What a script answered so far.
#[derive(Debug, Default)]
pub struct Answer {
    /// Of all batches.
    pub rows: u64,
    /// The first value, if it is an int4.
    first: Option<i32>,
    /// Statements that were done.
    pub summaries: usize,
}

impl Answer {
    /// Takes the next part.
    ///
    /// # Errors
    ///
    /// The database rejected.
    pub fn take(&mut self, part: plugin::ExecuteResponse) -> anyhow::Result<()> {
        match part.part {
            Some(ResultPart::Batch(batch)) => {
                self.rows += u64::from(batch.row_count);
                // A column without NULLs has no buffer before that of its values.
                self.first = self
                    .first
                    .or_else(|| Some(i32::from_le_bytes(batch.arrow_body.get(..4)?.try_into().ok()?)));
            }
            Some(ResultPart::Summary(_)) => self.summaries += 1,
            Some(ResultPart::Rejection(rejection)) => {
                bail!("rejected: {} ({})", rejection.message, rejection.sqlstate)
            }
            Some(
                ResultPart::Header(_)
                | ResultPart::Notice(_)
                | ResultPart::Progress(_)
                | ResultPart::ColumnFacts(_)
                | ResultPart::CopyIn(_),
            )
            | None => {}
        }
        Ok(())
    }

    fn check_one(&self) -> anyhow::Result<()> {
        ensure!(self.rows == 1 && self.first == Some(1) && self.summaries == 1, "1 was answered as {self:?}");
        Ok(())
    }
}
