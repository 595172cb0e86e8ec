//! A store with master keys and a keyring, and programs on it.

use std::{path::Path, sync::Arc};

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use querybox_core::{
    Clock, Config, Connection, ConnectionKey, ConnectionSettings, Core, CredentialError, Deadline,
    Environment, Kept, KeySource, KeyringEntry, KeyringPort, Launcher, MigrationOutcome, Parameter,
    Registering, Secret, SecretPlace, SecretScope, Secrets, Store, StoredPlace, local_user,
};
use querybox_fixtures::{Folder, copy_program, example, program};
use querybox_launcher::{Ids, MemoryControl};
use querybox_vault::{KeyId, KeyRecord, KeyUse, Keyset, MasterKey, MasterKeys, Place};

use super::double::FolderKeyring;
use crate::house::{limits, owner, results};

pub(super) struct Site {
    folder: Folder,
    key: String,
}

impl Site {
    pub(super) async fn new() -> Site {
        let folder = Folder::make(owner(), 0o755).unwrap();
        for name in ["plugins", "keyring"] {
            folder.add_folder(name, owner(), 0o755).unwrap();
        }
        copy_program(&example("test-driver"), &folder.path().join("plugins")).unwrap();
        let key = MasterKey::make().to_text().expose_text().unwrap().to_owned();
        let site = Site { folder, key };
        let core = site.core(Arc::new(site.keyring())).await;
        core.register_source_keys(Registering::First).await.unwrap();
        core.shutdown(std::time::Duration::ZERO).await;
        site
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Entries as files.
    pub(super) fn keyring(&self) -> FolderKeyring {
        FolderKeyring::in_folder(&self.path().join("keyring"))
    }

    /// A program on this store.
    pub(super) async fn core(&self, keyring: Arc<dyn KeyringPort>) -> Core {
        open(self.path(), &self.key, keyring, Clock::new(Timestamp::now)).await
    }

    /// One whose clock is past the time that anything may take to be made.
    pub(super) async fn later_core(&self, keyring: Arc<dyn KeyringPort>) -> Core {
        let clock = Clock::new(|| Timestamp::now() + SignedDuration::from_secs(61));
        open(self.path(), &self.key, keyring, clock).await
    }

    /// Where secrets of a connection lie: nothing that a credential names is lost.
    pub(super) async fn kept(&self, keyring: &dyn KeyringPort, name: &str) -> Option<(Kept, String)> {
        let store = Store::open(&self.path().join("store.db")).await.unwrap();
        let connection = store.connection_named(&name.parse().unwrap()).await.unwrap();
        let mut credentials = store.credentials(Some(connection.id)).await.unwrap();
        assert!(credentials.len() <= 1, "{credentials:?}");
        let credential = credentials.pop()?;
        let store_id = store.id().to_string();
        let secret = match &credential.kept {
            Kept::Keyring(entry) => {
                let id = entry.to_string();
                let found = keyring.get(&KeyringEntry { store: &store_id, id: &id }).unwrap();
                found.unwrap_or_else(|| panic!("{name}: its entry {id} is not in the keyring"))
            }
            Kept::Sealed { blob, .. } => {
                let keys = MasterKeys::parse(&Secret::from(self.key.clone())).unwrap();
                let records: Vec<_> = store.keys().await.unwrap().into_iter().map(|key| key.record).collect();
                let record = |record: &querybox_core::KeyRecord| KeyRecord {
                    id: KeyId::from_bytes(*record.id.as_bytes()),
                    salt: record.salt,
                    check: record.check,
                };
                let records: Vec<_> = records.iter().map(|one| (record(one), KeyUse::Free)).collect();
                let keyset = Keyset::assemble(keys, &records).unwrap();
                let connection = connection.id.to_string();
                let place = Place { store: &store_id, owner: "", connection: &connection, field: "password" };
                keyset.open(&place, blob).unwrap()
            }
        };
        store.close().await;
        Some((credential.kept, secret.expose_text().unwrap().to_owned()))
    }
}

/// A program on a store.
pub(super) async fn open(path: &Path, key: &str, keyring: Arc<dyn KeyringPort>, clock: Clock) -> Core {
    let key = key.to_owned();
    let read = move || Ok(Some(MasterKeys::parse(&Secret::from(key.clone())).unwrap()));
    let launcher = querybox_launcher::Config {
        jail: program("querybox-jail"),
        unprivileged: Ids { uid: 65534, gid: 65534 },
        memory: MemoryControl::WatchAlone,
        spares: None,
    };
    Core::new(Config {
        store: Store::open(&path.join("store.db")).await.unwrap(),
        launcher: Launcher::new(launcher).unwrap(),
        plugin_folders: vec![path.join("plugins")],
        limits: limits(),
        clock,
        secrets: Secrets { keys: KeySource::new(read), keyring },
        results: results(path),
        texts: querybox_core::TextStorage::Sealed,
        history: querybox_core::HistorySettings::USUAL,
    })
}

pub(super) fn settings(name: &str, host: &str) -> ConnectionSettings {
    ConnectionSettings {
        name: name.parse().unwrap(),
        driver_type: "test".parse().unwrap(),
        parameters: vec![Parameter { name: "host".to_owned(), value: host.to_owned() }],
        folder: querybox_core::Folder::default(),
        environment: Environment::None,
        read_only: false,
        deadline: Deadline::Default,
        rows_max: None,
        bytes_max: None,
        startup_sql: None,
        default_schema: None,
        secret_place: SecretPlace::Ask,
        secret_scope: SecretScope::Shared,
        history: querybox_core::HistoryLevel::Texts,
    }
}

pub(super) fn named(name: &str) -> ConnectionKey {
    ConnectionKey::Name(name.parse().unwrap())
}

pub(super) async fn set(
    core: &Core,
    name: &str,
    secret: &str,
    place: StoredPlace,
) -> Result<Connection, CredentialError> {
    let secret = Secret::from(secret.to_owned());
    let set = core.set_credential(&named(name), local_user(), None, secret, Some(place)).await;
    set.map(|(connection, _)| connection)
}

/// Moves all, and answers with what became of each.
pub(super) async fn migrate(core: &Core, to: StoredPlace) -> Vec<MigrationOutcome> {
    let moved = core.migrate_credentials(to, Vec::new(), false).await.unwrap();
    moved.map(|moved| moved.unwrap().outcome).collect().await
}
