//! The services to be tested.

use std::{path::PathBuf, sync::Arc, time::Duration};

use querybox_api::{Api, MESSAGE_BYTES_MAX};
use querybox_contracts::{
    core::v1::{
        self as pb, connection_ref::Key, connection_service_client::ConnectionServiceClient,
        credential_service_client::CredentialServiceClient, draft_service_client::DraftServiceClient,
        event_service_client::EventServiceClient, execute_response::Part,
        history_service_client::HistoryServiceClient, key_service_client::KeyServiceClient,
        plugin_service_client::PluginServiceClient, query_service_client::QueryServiceClient,
        result_service_client::ResultServiceClient, schema_service_client::SchemaServiceClient,
        script_service_client::ScriptServiceClient, session_service_client::SessionServiceClient,
    },
    plugin::v1::{self as plugin, execute_response::Part as ResultPart},
};
use querybox_core::{
    Clock, Config, Core, HistorySettings, KeepLimits, KeySource, Limits, OsKeyring, ResultSettings, Secrets,
    Store, TextStorage,
};
use querybox_fixtures::{Folder, User, copy_program, example, is_root, ordinary_user, program, unprivileged};
use querybox_launcher::{Ids, Launcher, MemoryControl};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

pub(crate) struct House {
    pub(crate) core: Arc<Core>,
    api: Api,
    folder: Folder,
}

pub(crate) fn limits() -> Limits {
    Limits {
        sessions_max: 2,
        leases_max: 2,
        lease_idle: Duration::from_secs(600),
        deadline: Duration::from_secs(30),
        deadline_max: None,
        stream_idle: None,
        connect: Duration::from_secs(10),
        cancel_grace: Duration::from_secs(2),
        memory_bytes: 512 << 20,
        descriptors: 64,
        file_bytes: None,
    }
}

/// Results that are kept in a folder, with little memory.
fn results(folder: PathBuf) -> ResultSettings {
    let limits = KeepLimits {
        result_memory_bytes: 1 << 20,
        all_memory_bytes: 4 << 20,
        result_bytes: 1 << 30,
        all_bytes: 2 << 30,
        free_disk_percent: 90,
        cache_bytes: 4 << 20,
        files_max: 256,
    };
    ResultSettings { folder, limits, results_max: 128, idle: Duration::from_secs(600) }
}

/// A connection named `shop`, whose database is empty.
pub(crate) const SHOP: &str = "shop";

impl House {
    /// With the SQLite driver, the launcher's test driver, of type `test`.
    pub(crate) async fn new() -> Self {
        Self::with_limits(limits()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::with(limits, KeySource::none()).await
    }

    /// With master keys.
    pub(crate) async fn with_keys(keys: KeySource) -> Self {
        Self::with(limits(), keys).await
    }

    async fn with(limits: Limits, keys: KeySource) -> Self {
        Self::open(Self::folder(), limits, keys).await
    }

    fn folder() -> Folder {
        let owner = if is_root() { User { uid: 0, gid: 0 } } else { ordinary_user() };
        let folder = Folder::make(owner, 0o755).unwrap();
        let plugins = folder.add_folder("plugins", owner, 0o755).unwrap();
        copy_program(&program("querybox-driver-sqlite"), &plugins).unwrap();
        copy_program(&example("test-driver"), &plugins).unwrap();
        folder.add_folder("data", if is_root() { unprivileged() } else { owner }, 0o755).unwrap();
        folder
    }

    /// Another Core on what this one has kept, with master keys.
    pub(crate) async fn again(self, keys: KeySource) -> Self {
        let Self { core, folder, .. } = self;
        core.shutdown(Duration::ZERO).await;
        Self::open(folder, limits(), keys).await
    }

    /// The same, which keeps texts so.
    pub(crate) async fn again_with_texts(self, keys: KeySource, texts: TextStorage) -> Self {
        let Self { core, folder, .. } = self;
        core.shutdown(Duration::ZERO).await;
        Self::open_all(folder, limits(), keys, |results| results, texts, HistorySettings::USUAL).await
    }

    /// The same, whose history is kept so.
    pub(crate) async fn again_with_history(self, keys: KeySource, history: HistorySettings) -> Self {
        let Self { core, folder, .. } = self;
        core.shutdown(Duration::ZERO).await;
        Self::open_all(folder, limits(), keys, |results| results, TextStorage::Sealed, history).await
    }

    /// With the connection [`SHOP`], and results that are kept so.
    pub(crate) async fn keeping(limits: Limits, set: impl FnOnce(ResultSettings) -> ResultSettings) -> Self {
        let house = Self::open_keeping(Self::folder(), limits, KeySource::none(), set).await;
        house.create(house.spec(SHOP)).await.unwrap();
        house
    }

    async fn open(folder: Folder, limits: Limits, keys: KeySource) -> Self {
        Self::open_keeping(folder, limits, keys, |results| results).await
    }

    async fn open_keeping(
        folder: Folder,
        limits: Limits,
        keys: KeySource,
        set: impl FnOnce(ResultSettings) -> ResultSettings,
    ) -> Self {
        Self::open_all(folder, limits, keys, set, TextStorage::Sealed, HistorySettings::USUAL).await
    }

    async fn open_all(
        folder: Folder,
        limits: Limits,
        keys: KeySource,
        set: impl FnOnce(ResultSettings) -> ResultSettings,
        texts: TextStorage,
        history: HistorySettings,
    ) -> Self {
        let User { uid, gid } = unprivileged();
        let launcher = querybox_launcher::Config {
            jail: program("querybox-jail"),
            unprivileged: Ids { uid, gid },
            memory: MemoryControl::Groups,
            spares: None,
        };
        let core = Arc::new(Core::new(Config {
            store: Store::open(&folder.path().join("store.db")).await.unwrap(),
            launcher: Launcher::new(launcher).unwrap(),
            plugin_folders: vec![folder.path().join("plugins")],
            limits,
            clock: Clock::new(jiff::Timestamp::now),
            secrets: Secrets { keys, keyring: Arc::new(OsKeyring::new()) },
            results: set(results(folder.path().to_owned())),
            texts,
            history,
        }));
        Self { api: Api::new(Arc::clone(&core)), core, folder }
    }

    /// With the connection [`SHOP`].
    pub(crate) async fn with_shop() -> Self {
        let house = Self::new().await;
        house.create(house.spec(SHOP)).await.unwrap();
        house
    }

    /// Adds the driver that misbehaves as its parameter `wish` says, of type `misbehaving`.
    pub(crate) fn add_misbehaving(&self) {
        copy_program(&program("querybox-driver-misbehaving"), &self.folder.path().join("plugins")).unwrap();
    }

    /// Adds the driver of PostgreSQL.
    pub(crate) fn add_postgres(&self) {
        copy_program(&program("querybox-driver-postgres"), &self.folder.path().join("plugins")).unwrap();
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data/shop.db")
    }

    /// A connection to a database that is made when it is missing.
    pub(crate) fn spec(&self, name: &str) -> pb::ConnectionSpec {
        pb::ConnectionSpec {
            name: name.to_owned(),
            driver_type: "sqlite".to_owned(),
            parameters: vec![text("file", self.database().to_str().unwrap()), text("create", "true")],
            ..pb::ConnectionSpec::default()
        }
    }

    pub(crate) async fn create(&self, spec: pb::ConnectionSpec) -> Result<pb::Connection, Status> {
        let request = pb::CreateConnectionRequest { spec: Some(spec), secret: None };
        Ok(self.connections().create_connection(request).await?.into_inner().connection.unwrap())
    }

    pub(crate) fn connections(&self) -> ConnectionServiceClient<Api> {
        ConnectionServiceClient::new(self.api.clone())
    }

    pub(crate) fn credentials(&self) -> CredentialServiceClient<Api> {
        CredentialServiceClient::new(self.api.clone())
    }

    pub(crate) fn drafts(&self) -> DraftServiceClient<Api> {
        DraftServiceClient::new(self.api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn history(&self) -> HistoryServiceClient<Api> {
        HistoryServiceClient::new(self.api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn keys(&self) -> KeyServiceClient<Api> {
        KeyServiceClient::new(self.api.clone())
    }

    pub(crate) fn plugins(&self) -> PluginServiceClient<Api> {
        PluginServiceClient::new(self.api.clone())
    }

    pub(crate) fn queries(&self) -> QueryServiceClient<Api> {
        QueryServiceClient::new(self.api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn sessions(&self) -> SessionServiceClient<Api> {
        SessionServiceClient::new(self.api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn events(&self) -> EventServiceClient<Api> {
        EventServiceClient::new(self.api.clone())
    }

    pub(crate) fn schemas(&self) -> SchemaServiceClient<Api> {
        SchemaServiceClient::new(self.api.clone())
    }

    pub(crate) fn scripts(&self) -> ScriptServiceClient<Api> {
        ScriptServiceClient::new(self.api.clone())
    }

    pub(crate) fn results(&self) -> ResultServiceClient<Api> {
        ResultServiceClient::new(self.api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Runs a script on [`SHOP`].
    pub(crate) async fn execute(&self, sql: &str) -> Answer {
        self.execute_with(sql, pb::ExecuteOptions::default()).await
    }

    pub(crate) async fn execute_with(&self, sql: &str, options: pb::ExecuteOptions) -> Answer {
        let request = pb::ExecuteRequest {
            session_id: session_id(),
            connection: named(SHOP),
            sql: sql.to_owned(),
            options: Some(options),
            credential: None,
        };
        self.ask(request).await.unwrap()
    }

    pub(crate) async fn ask(&self, request: pb::ExecuteRequest) -> Result<Answer, Status> {
        let session_id = request.session_id.clone();
        let stream = self.queries().execute(request).await?.into_inner();
        Ok(Answer { stream, session_id })
    }
}

/// So many milliseconds.
pub(crate) fn ms(milliseconds: i32) -> prost_types::Duration {
    prost_types::Duration { seconds: i64::from(milliseconds / 1000), nanos: milliseconds % 1000 * 1_000_000 }
}

/// A request that may take so many milliseconds.
pub(crate) fn within(milliseconds: i32) -> pb::ExecuteOptions {
    let deadline = Some(pb::Deadline { limit: Some(pb::deadline::Limit::After(ms(milliseconds))) });
    pb::ExecuteOptions { deadline, ..pb::ExecuteOptions::default() }
}

/// A request that may take as long as it takes.
pub(crate) fn without_end() -> pb::ExecuteOptions {
    let deadline = Some(pb::Deadline { limit: Some(pb::deadline::Limit::None(pb::NoDeadline {})) });
    pb::ExecuteOptions { deadline, ..pb::ExecuteOptions::default() }
}

/// The running answer to a script.
pub(crate) struct Answer {
    pub(crate) stream: Streaming<pb::ExecuteResponse>,
    pub(crate) session_id: String,
}

impl Answer {
    pub(crate) async fn next(&mut self) -> Result<Option<Part>, Status> {
        Ok(self.stream.message().await?.map(|message| message.part.unwrap()))
    }

    pub(crate) async fn opened(&mut self) -> pb::SessionOpened {
        match self.next().await.unwrap() {
            Some(Part::Session(opened)) => opened,
            other => panic!("{other:?}"),
        }
    }

    /// Opens, and reads to the first part that has a row.
    pub(crate) async fn first_row(&mut self) -> pb::SessionOpened {
        let opened = self.opened().await;
        while !matches!(
            self.next().await.unwrap(),
            Some(Part::Result(plugin::ExecuteResponse { part: Some(ResultPart::Batch(_)) }))
        ) {}
        opened
    }

    /// The rest, without the parts that come when they come.
    pub(crate) async fn rest(mut self) -> Rest {
        let mut rest = Rest { results: Vec::new(), end: Err(Status::unknown("no end")) };
        loop {
            match self.next().await {
                Ok(Some(Part::Session(_))) => {}
                Ok(Some(Part::Result(result))) => match result.part.unwrap() {
                    ResultPart::Notice(_)
                    | ResultPart::Progress(_)
                    | ResultPart::ColumnFacts(_)
                    | ResultPart::CopyIn(_) => {}
                    part => rest.results.push(part),
                },
                Ok(Some(Part::Ended(ended))) => {
                    assert!(self.next().await.unwrap().is_none(), "nothing follows the end");
                    return Rest { end: Ok(ended), ..rest };
                }
                Ok(None) => panic!("a stream says how it ended"),
                Err(status) => return Rest { end: Err(status), ..rest },
            }
        }
    }
}

pub(crate) struct Rest {
    pub(crate) results: Vec<ResultPart>,
    pub(crate) end: Result<pb::SessionEnded, Status>,
}

impl Rest {
    pub(crate) fn rows(&self) -> u64 {
        let rows = |part: &ResultPart| {
            if let ResultPart::Batch(batch) = part { u64::from(batch.row_count) } else { 0 }
        };
        self.results.iter().map(rows).sum()
    }

    pub(crate) fn rejections(&self) -> Vec<&plugin::Rejection> {
        let mut rejections = Vec::new();
        for part in &self.results {
            if let ResultPart::Rejection(rejection) = part {
                rejections.push(rejection);
            }
        }
        rejections
    }
}

pub(crate) fn session_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

pub(crate) fn text(name: &str, value: &str) -> plugin::Parameter {
    plugin::Parameter { name: name.into(), value: Some(plugin::parameter::Value::Text(value.into())) }
}

pub(crate) fn named(name: &str) -> Option<pb::ConnectionRef> {
    Some(pb::ConnectionRef { key: Some(Key::Name(name.to_owned())) })
}

pub(crate) fn by_id(id: &str) -> Option<pb::ConnectionRef> {
    Some(pb::ConnectionRef { key: Some(Key::Id(id.to_owned())) })
}

/// Checks a status: its code, its reason, its message.
#[track_caller]
pub(crate) fn check(status: &Status, code: Code, reason: &str, message: &str) {
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        (info.domain.as_str(), info.reason.as_str(), status.code()),
        ("querybox", reason, code),
        "{status}"
    );
    assert_eq!(status.message(), message);
}

pub(crate) fn metadata(status: &Status, name: &str) -> String {
    status.get_details_error_info().unwrap().metadata[name].clone()
}

/// Whether a process is gone within two seconds.
pub(crate) async fn is_gone(pid: u32) -> bool {
    let path = PathBuf::from(format!("/proc/{pid}"));
    let end = tokio::time::Instant::now() + Duration::from_secs(2);
    while path.exists() {
        if tokio::time::Instant::now() > end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}
