//! Rotation under attack: a kill, a full disk or a broken one at a call to the disk. No secret is lost, the next rotation goes
//! on with the rest, and the one after that does nothing.
//!
//! The gate takes a sample of the calls. `cargo nextest run -p querybox-core --run-ignored ignored-only every_disk_call` takes
//! each of them, which are some hundreds, with each fault.

use std::{
    env, fs,
    io::{BufReader, Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::Instant,
};

use futures::StreamExt as _;
use jiff::Timestamp;
use querybox_core::{
    Clock, Config, ConnectionSettings, Core, CredentialKey, Deadline, Environment, Folder, Kept, KeyError,
    KeyRecord, KeySource, Launcher, OsKeyring, Owner, Registering, RotationReport, RotationStep, SecretPlace,
    SecretScope, Secrets, Store,
};
use querybox_fixtures::program;
use querybox_launcher::{Ids, MemoryControl};
use querybox_store::KeyId;
use querybox_vault::{
    KeyRecord as VaultKeyRecord, KeyUse, Keyset, MasterKey, MasterKeys, Place, Secret, sealed_key_id,
};

use crate::house::limits;

const SECRETS: usize = 100;

/// Calls that change what is on the disk, or bring it there.
const CALLS: [&str; 7] = ["pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "fallocate"];

/// What happens at a call.
const FAULTS: [&str; 3] = ["signal=KILL", "error=ENOSPC", "error=EIO"];

const PATH: &str = "QUERYBOX_CORE_TEST_STORE";
const KEYS: &str = "QUERYBOX_CORE_TEST_KEYS";

/// A store with secrets under an old key, and a new key to rotate to.
struct Site {
    folder: tempfile::TempDir,
    /// The source's text: the new key, then the old one.
    keys: String,
    records: [(VaultKeyRecord, KeyUse); 2],
}

impl Site {
    async fn make() -> Site {
        // The calls are the same in memory, and much quicker.
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let (old, new) = (MasterKey::make(), MasterKey::make());
        let (old_record, new_record) = (VaultKeyRecord::make(&old), VaultKeyRecord::make(&new));
        let line = |key: &MasterKey| key.to_text().expose_text().unwrap().to_owned();
        let site = Site {
            keys: format!("{}\n{}\n", line(&new), line(&old)),
            records: [(old_record.clone(), KeyUse::Free), (new_record.clone(), KeyUse::Free)],
            folder,
        };
        let store = Store::open(&site.template()).await.unwrap();
        let keyset = Keyset::assemble(MasterKeys::from(old), &[(old_record.clone(), KeyUse::Free)]).unwrap();
        for record in [&old_record, &new_record] {
            store.register_key(store_record(record), Registering::Beside, now()).await.unwrap();
        }
        for number in 0..SECRETS {
            let connection = store.create_connection(settings(number), now()).await.unwrap().id;
            let key = CredentialKey { connection, owner: Owner::shared(), field: "password".to_owned() };
            let blob = seal(&store, &keyset, &key, &format!("secret {number}"));
            let kept = Kept::Sealed { key: store_record(&old_record).id, blob };
            store.set_credential(key, 1, None, kept, now()).await.unwrap();
        }
        store.close().await;
        site
    }

    fn template(&self) -> PathBuf {
        self.folder.path().join("template.db")
    }

    /// A fresh copy for one run.
    fn copy(&self) -> PathBuf {
        let path = self.folder.path().join("store.db");
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.folder.path().join(format!("store.db{ending}")));
        }
        fs::copy(self.template(), &path).unwrap();
        path
    }

    /// Starts a rotation in another process, which waits before it begins.
    fn start(&self, path: &Path) -> Rotating {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", "rotation::rotate_child"])
            .env(PATH, path)
            .env(KEYS, &self.keys)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        read_until(&mut said, "ready");
        Rotating { child, said }
    }

    /// Every secret opens and is what it was.
    async fn check_nothing_is_lost(&self, path: &Path, context: &str) {
        let store = Store::open(path).await.unwrap();
        let keys = MasterKeys::parse(&Secret::from(self.keys.clone())).unwrap();
        let keyset = Keyset::assemble(keys, &self.records).unwrap();
        let connections = store.connections().await.unwrap();
        let credentials = store.credentials(None).await.unwrap();
        assert_eq!(credentials.len(), SECRETS, "{context}");
        for credential in credentials {
            let Kept::Sealed { blob, .. } = &credential.kept else { panic!("{context}: not sealed") };
            let (store_id, connection) = (store.id().to_string(), credential.key.connection.to_string());
            let place = Place { store: &store_id, owner: "", connection: &connection, field: "password" };
            let secret = keyset.open(&place, blob).unwrap_or_else(|error| panic!("{context}: {error}"));
            let of = |id| connections.iter().find(|one| one.id == id).unwrap().settings.name.to_string();
            assert_eq!(secret.expose_text().unwrap(), of(credential.key.connection), "{context}");
        }
        store.close().await;
    }

    /// The next rotation does the rest, and the one after it nothing.
    async fn check_it_goes_on(&self, path: &Path, context: &str) {
        let core = core(path, &self.keys).await;
        for run in 1..=2 {
            let report = rotate(&core).await.unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!((report.verified, report.failures.len()), (SECRETS as u64, 0), "{context}");
            assert!(run == 1 || report.sealed == 0, "{context}: a second run sealed {}", report.sealed);
        }
        let old = KeyId::from(*self.records[0].0.id.as_bytes());
        core.retire_key(old).await.unwrap_or_else(|error| panic!("{context}: {error}"));
        core.shutdown(std::time::Duration::ZERO).await;
    }
}

/// A rotation in another process.
struct Rotating {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Rotating {
    /// Lets it begin, under strace with these arguments, and waits for its end. Answers what it said, and how it ended.
    fn run(mut self, strace: &[&str]) -> (String, ExitStatus) {
        let mut tracer = Command::new("strace")
            .args(["-f", "-e", "signal=none", "-p", &self.child.id().to_string()])
            .args(strace)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut attached = BufReader::new(tracer.stderr.take().unwrap());
        read_until(&mut attached, "attached");
        self.child.stdin.take().unwrap().write_all(b"go\n").unwrap();
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        // It may say more than a pipe holds.
        attached.read_to_string(&mut String::new()).unwrap();
        tracer.wait().unwrap();
        (said, status)
    }
}

fn read_until(lines: &mut impl std::io::BufRead, word: &str) {
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it was {word}");
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn store_record(record: &VaultKeyRecord) -> KeyRecord {
    KeyRecord { id: KeyId::from(*record.id.as_bytes()), salt: record.salt, check: record.check }
}

fn seal(store: &Store, keyset: &Keyset, key: &CredentialKey, secret: &str) -> Vec<u8> {
    let (store, connection) = (store.id().to_string(), key.connection.to_string());
    let place = Place { store: &store, owner: "", connection: &connection, field: &key.field };
    keyset.seal(&place, &Secret::from(secret.to_owned())).into_bytes()
}

/// The name is the secret, so that each is known again.
fn settings(number: usize) -> ConnectionSettings {
    ConnectionSettings {
        name: format!("secret {number}").parse().unwrap(),
        driver_type: "test".parse().unwrap(),
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
    }
}

async fn core(path: &Path, keys: &str) -> Arc<Core> {
    let keys = keys.to_owned();
    let read = move || Ok(Some(MasterKeys::parse(&Secret::from(keys.clone())).unwrap()));
    let launcher = querybox_launcher::Config {
        jail: program("querybox-jail"),
        unprivileged: Ids { uid: 65534, gid: 65534 },
        memory: MemoryControl::WatchAlone,
        spares: None,
    };
    Arc::new(Core::new(Config {
        store: Store::open(path).await.unwrap(),
        launcher: Launcher::new(launcher).unwrap(),
        plugin_folders: Vec::new(),
        limits: limits(),
        clock: Clock::new(now),
        secrets: Secrets { keys: KeySource::new(read), keyring: Arc::new(OsKeyring::new()) },
    }))
}

async fn rotate(core: &Core) -> Result<RotationReport, KeyError> {
    let steps = core.rotate_keys().await?;
    let mut steps = std::pin::pin!(steps);
    while let Some(step) = steps.next().await {
        if let RotationStep::Ended(report) = step? {
            return Ok(report);
        }
    }
    panic!("a rotation has an end");
}

#[tokio::test]
#[ignore = "half of the tests of this module, which start it"]
async fn rotate_child() {
    let told = |name| env::var(name).expect("this is half of another test, which starts it");
    let core = core(Path::new(&told(PATH)), &told(KEYS)).await;
    // Read now, so that no thread but the store's has anything to do with files from here on.
    core.keys().await.unwrap();
    let say = |line: &str| std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
    say("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match rotate(&core).await {
        Ok(report) => say(&format!("rotated {}", report.sealed)),
        Err(error) => say(&format!("failed: {error}")),
    }
    core.shutdown(std::time::Duration::ZERO).await;
}

/// How often each call is made in one rotation, by the thread that makes it most often: injections count by thread.
fn count_calls(site: &Site) -> Vec<(&'static str, usize)> {
    let path = site.copy();
    let log = site.folder.path().join("calls");
    let trace = format!("trace={}", CALLS.join(","));
    let store = path.to_str().unwrap();
    let wal = format!("{store}-wal");
    let (said, _) =
        site.start(&path).run(&["-e", &trace, "-P", store, "-P", &wal, "-o", log.to_str().unwrap()]);
    assert!(said.contains(&format!("rotated {SECRETS}")), "{said}");
    let log = fs::read_to_string(log).unwrap();
    let mut counts = Vec::new();
    for call in CALLS {
        let mut by_thread = std::collections::BTreeMap::<&str, usize>::new();
        for line in log.lines() {
            if let Some((thread, what)) = line.split_once(' ')
                && what.trim_start().starts_with(&format!("{call}("))
            {
                *by_thread.entry(thread).or_default() += 1;
            }
        }
        assert!(by_thread.len() <= 1, "{call} is made by several threads: {by_thread:?}");
        counts.extend(by_thread.into_values().max().map(|count| (call, count)));
    }
    std::io::stderr().write_all(format!("{counts:?}\n").as_bytes()).unwrap();
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    assert!(total > SECRETS, "a rotation of {SECRETS} secrets made {counts:?}");
    counts
}

/// Attacks a rotation at so many calls of each kind, from the first to the last.
async fn attack(points_max: usize) {
    let site = Site::make().await;
    let began = Instant::now();
    let (mut runs, mut failed) = (0, 0);
    for (call, count) in count_calls(&site) {
        for fault in FAULTS {
            let points = points_max.min(count);
            for point in 0..points {
                let when = 1 + if points == 1 { 0 } else { point * (count - 1) / (points - 1) };
                let context = format!("{fault} at {call} {when} of {count}");
                let path = site.copy();
                let wal = format!("{}-wal", path.display());
                let inject = format!("inject={call}:{fault}:when={when}");
                let paths = ["-P", path.to_str().unwrap(), "-P", &wal];
                let (said, status) = site.start(&path).run(
                    &[&["-e", &format!("trace={call}"), "-e", &inject, "-o", "/dev/null"], &paths[..]]
                        .concat(),
                );
                let is_kill = fault.contains("KILL");
                assert_eq!(status.signal().is_some(), is_kill, "{context}: {status}");
                failed += usize::from(!is_kill && said.contains("failed: "));
                site.check_nothing_is_lost(&path, &context).await;
                site.check_it_goes_on(&path, &context).await;
                runs += 1;
            }
        }
    }
    // The others were told of nothing, because what failed was made up for: a checkpoint, the removal of the WAL.
    assert!(failed >= 2, "an error of the disk is told");
    let told = format!("{runs} rotations attacked, {failed} told of an error, in {:?}\n", began.elapsed());
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

#[tokio::test]
async fn what_the_store_says_of_a_key_is_not_believed() {
    let site = Site::make().await;
    let path = site.copy();
    let (old, new) = (&site.records[0].0, &site.records[1].0);
    let store = Store::open(&path).await.unwrap();
    for credential in store.credentials(None).await.unwrap().into_iter().take(3) {
        let Kept::Sealed { blob, .. } = credential.kept.clone() else { panic!("not sealed") };
        let untrue = Kept::Sealed { key: store_record(new).id, blob };
        assert!(store.swap_credential(credential.key, credential.kept, untrue, now()).await.unwrap());
    }
    store.close().await;

    let core = core(&path, &site.keys).await;
    let report = rotate(&core).await.unwrap();
    assert_eq!((report.sealed, report.verified, report.failures.len()), (SECRETS as u64, SECRETS as u64, 0));
    core.retire_key(store_record(old).id).await.unwrap();
    core.shutdown(std::time::Duration::ZERO).await;
    let store = Store::open(&path).await.unwrap();
    for credential in store.credentials(None).await.unwrap() {
        let Kept::Sealed { blob, .. } = credential.kept else { panic!("not sealed") };
        assert_eq!(sealed_key_id(&blob), Some(new.id), "nothing is left under the retired key");
    }
    store.close().await;
    site.check_nothing_is_lost(&path, "after a rotation").await;
}

fn can_trace() -> bool {
    let traced = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    traced.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn a_rotation_that_is_struck_at_a_disk_call_loses_nothing() {
    assert!(can_trace(), "strace is needed, and has to be allowed to trace");
    attack(3).await;
}

#[tokio::test]
#[ignore = "takes minutes: every call with every fault"]
async fn a_rotation_that_is_struck_at_every_disk_call_loses_nothing() {
    assert!(can_trace(), "strace is needed, and has to be allowed to trace");
    attack(usize::MAX).await;
}
