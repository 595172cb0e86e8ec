//! A store with secrets under an old key, and a new key to rotate to.

use std::{
    fs,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use futures::StreamExt as _;
use jiff::Timestamp;
use querybox_core::{
    Clock, Config, ConnectionSettings, Core, CredentialKey, Deadline, Environment, Folder, Kept, KeyId,
    KeyRecord, KeySource, Launcher, OsKeyring, Owner, Registering, RotationReport, RotationStep, SecretPlace,
    SecretScope, Secrets, Store,
};
use querybox_launcher::{Ids, MemoryControl};
use querybox_vault::{KeyRecord as VaultKeyRecord, KeyUse, Keyset, MasterKey, MasterKeys, Place, Secret};

use crate::{
    programs::Programs,
    site::{kept_nowhere, limits},
};

pub(super) const SECRETS: usize = 100;

pub(super) struct Site {
    folder: querybox_fixtures::Folder,
    /// The source's text: the new key, then the old one.
    keys: String,
    old: VaultKeyRecord,
    new: VaultKeyRecord,
    programs: Programs,
}

impl Site {
    pub(super) async fn make(programs: &Programs) -> anyhow::Result<Site> {
        let folder = querybox_fixtures::Folder::make(crate::programs::owner(), 0o700)?;
        let (old_key, new_key) = (MasterKey::make(), MasterKey::make());
        let (old, new) = (VaultKeyRecord::make(&old_key), VaultKeyRecord::make(&new_key));
        let line = |key: &MasterKey| -> anyhow::Result<String> {
            // Keys of a test, on their way to another process of it.
            Ok(key.to_text().expose_text().ok().context("a key is text")?.to_owned())
        };
        let keys = format!("{}\n{}\n", line(&new_key)?, line(&old_key)?);
        let site = Site { folder, keys, old, new, programs: programs.clone() };

        let store = Store::open(&site.path("template.db")).await?;
        for record in [&site.old, &site.new] {
            store.register_key(store_record(record), Registering::Beside, now()).await?;
        }
        let keyset = Keyset::assemble(MasterKeys::from(old_key), &[(site.old.clone(), KeyUse::Free)])?;
        for number in 0..SECRETS {
            let connection = store.create_connection(settings(number)?, now()).await?.id;
            let key = CredentialKey { connection, owner: Owner::shared(), field: "password".to_owned() };
            let (store_id, connection) = (store.id().to_string(), connection.to_string());
            let place = Place { store: &store_id, owner: "", connection: &connection, field: &key.field };
            let blob = keyset.seal(&place, &Secret::from(name(number))).into_bytes();
            let kept = Kept::Sealed { key: store_record(&site.old).id, blob };
            store.set_credential(key, 1, None, kept, now()).await?;
        }
        store.close().await;
        Ok(site)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn keys(&self) -> &str {
        &self.keys
    }

    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// A fresh copy for one run.
    pub(super) fn copy(&self) -> anyhow::Result<PathBuf> {
        for ending in ["", "-wal", "-shm"] {
            match fs::remove_file(self.path(&format!("store.db{ending}"))) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        let path = self.path("store.db");
        fs::copy(self.path("template.db"), &path)?;
        Ok(path)
    }

    /// Every secret opens and is what it was.
    pub(super) async fn check_nothing_is_lost(&self, path: &Path) -> anyhow::Result<()> {
        let store = Store::open(path).await?;
        let keys = MasterKeys::parse(&Secret::from(self.keys.clone()))?;
        let records = [(self.old.clone(), KeyUse::Free), (self.new.clone(), KeyUse::Free)];
        let keyset = Keyset::assemble(keys, &records)?;
        let connections = store.connections().await?;
        let credentials = store.credentials(None).await?;
        ensure!(credentials.len() == SECRETS, "{} secrets are there", credentials.len());
        for credential in credentials {
            let id = credential.key.connection;
            let connection = connections.iter().find(|connection| connection.id == id);
            let expected = connection.context("a secret without its connection")?.settings.name.to_string();
            let Kept::Sealed { blob, .. } = &credential.kept else { bail!("{expected} is not sealed") };
            let (store_id, id) = (store.id().to_string(), id.to_string());
            let place = Place { store: &store_id, owner: "", connection: &id, field: "password" };
            let secret = keyset.open(&place, blob).with_context(|| expected.clone())?;
            // Looked at because this is no secret of anybody.
            ensure!(secret.expose() == expected.as_bytes(), "{expected} is another one");
        }
        store.close().await;
        Ok(())
    }

    /// The next rotation does the rest, and the one after it nothing.
    pub(super) async fn check_it_goes_on(&self, path: &Path) -> anyhow::Result<()> {
        let core = open(path, &self.keys, &self.programs).await?;
        for run in 1..=2 {
            let report = rotate(&core).await.with_context(|| format!("rotation {run} after it"))?;
            let (verified, failures) = (report.verified, report.failures.len());
            ensure!(verified == SECRETS as u64 && failures == 0, "{verified} open, {failures} do not");
            ensure!(run == 1 || report.sealed == 0, "a second run sealed {}", report.sealed);
        }
        core.retire_key(store_record(&self.old).id).await.context("retiring the old key")?;
        core.shutdown(Duration::ZERO).await;
        Ok(())
    }
}

/// A Core on a store.
pub(super) async fn open(path: &Path, keys: &str, programs: &Programs) -> anyhow::Result<Core> {
    // Read once, so that what is wrong with them is told here.
    MasterKeys::parse(&Secret::from(keys.to_owned()))?;
    let keys = keys.to_owned();
    let read = move || {
        Ok(Some(MasterKeys::parse(&Secret::from(keys.clone())).expect("they were read a moment ago")))
    };
    let launcher = querybox_launcher::Config {
        jail: programs.find("querybox-jail")?,
        unprivileged: Ids { uid: 65534, gid: 65534 },
        memory: MemoryControl::WatchAlone,
        spares: None,
    };
    Ok(Core::new(Config {
        store: Store::open(path).await?,
        launcher: Launcher::new(launcher)?,
        plugin_folders: Vec::new(),
        limits: limits(),
        clock: Clock::new(now),
        secrets: Secrets { keys: KeySource::new(read), keyring: Arc::new(OsKeyring::new()) },
        results: kept_nowhere(path.parent().unwrap_or(path)),
        texts: querybox_core::TextStorage::Sealed,
        history: querybox_core::HistorySettings::USUAL,
    }))
}

pub(super) async fn rotate(core: &Core) -> anyhow::Result<RotationReport> {
    let mut steps = pin!(core.rotate_keys().await?);
    while let Some(step) = steps.next().await {
        if let RotationStep::Ended(report) = step? {
            return Ok(report);
        }
    }
    bail!("a rotation without an end")
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn store_record(record: &VaultKeyRecord) -> KeyRecord {
    KeyRecord { id: KeyId::from(*record.id.as_bytes()), salt: record.salt, check: record.check }
}

/// The name is the secret, so that each is known again.
fn name(number: usize) -> String {
    format!("secret {number}")
}

fn settings(number: usize) -> anyhow::Result<ConnectionSettings> {
    Ok(ConnectionSettings {
        name: name(number).parse()?,
        driver_type: "test".parse()?,
        parameters: Vec::new(),
        folder: Folder::default(),
        environment: Environment::None,
        read_only: false,
        deadline: Deadline::Default,
        rows_max: None,
        bytes_max: None,
        startup_sql: None,
        default_schema: None,
        secret_place: SecretPlace::Vault,
        secret_scope: SecretScope::Shared,
        history: querybox_core::HistoryLevel::Texts,
    })
}
