//! A store of version 3, with all that people had in it by then, opened by this program.

use jiff::Timestamp;
use querybox_vault::{KeyRecord, KeyUse, Keyset, MasterKey, MasterKeys, Place, Secret, TextKey};
use rusqlite::{OpenFlags, params};
use uuid::Uuid;

use super::{MIGRATIONS, migrate};
use crate::{
    DraftKey, HistoryLevel, KeyId, Outcome, Owner, RunFilter, Store, Written,
    open::{beside, connect},
};

const DRAFT: Uuid = Uuid::from_u128(0x0197_a3c2_7c00_7abc_8def_0123_4567_89ab);
const CONNECTION: Uuid = Uuid::from_u128(5);
const DELETED: Uuid = Uuid::from_u128(6);

fn place<'a>(store: &'a str, owner: &'a str, kind: &'a str, field: &'a str) -> Place<'a> {
    Place { store, owner, connection: kind, field }
}

#[tokio::test]
async fn drafts_open_and_runs_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut db = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
    migrate(&mut db, &path, &MIGRATIONS[..3]).unwrap();
    let store_id: [u8; 16] = db.query_row("SELECT store_id FROM meta", [], |row| row.get(0)).unwrap();
    let store_id = Uuid::from_bytes(store_id).to_string();

    // A master key, the key of texts under it, and a draft under that, each where its seal belongs.
    let master = MasterKey::make();
    let record = KeyRecord::make(&master);
    let keyset = Keyset::assemble(MasterKeys::from(master), &[(record.clone(), KeyUse::Needed)]).unwrap();
    let text_key = TextKey::make();
    let sealed_key = keyset.seal(&place(&store_id, "", "texts", "key"), &text_key.to_secret()).into_bytes();
    let name = DRAFT.to_string();
    let seal = |kind: &str, text: &str| {
        text_key.seal(&place(&store_id, "local", kind, &name), &Secret::from(text.to_owned())).into_bytes()
    };
    db.execute(
        "INSERT INTO master_key (id, salt, check_value, state, created_us) VALUES (?1, ?2, ?3, 'primary', 1)",
        params![record.id.as_bytes(), record.salt, record.check],
    )
    .unwrap();
    db.execute(
        "INSERT INTO text_key (only_row, sealed, key_id, created_us) VALUES (1, ?1, ?2, 2)",
        params![sealed_key, record.id.as_bytes()],
    )
    .unwrap();
    db.execute(
        "INSERT INTO draft (owner, id, revision, is_sealed, head, body, updated_us)
         VALUES ('local', ?1, 7, 1, ?2, ?3, 3), ('local', zeroblob(16), 1, 0, x'01', x'02', 4)",
        params![DRAFT.as_bytes(), seal("draft head", "head"), seal("draft body", "select 'Ada'")],
    )
    .unwrap();
    db.execute(
        "INSERT INTO connection (id, revision, name, name_key, driver_type, folder, environment, read_only, deadline,
                                 secret_place, created_us, updated_us)
         VALUES (?1, 1, 'Orders', 'orders', 'postgres', '', 'red', 0, 'none', 'ask', 1, 2)",
        [CONNECTION.as_bytes()],
    )
    .unwrap();
    for (number, connection, outcome) in
        [(1, Some(CONNECTION), "done"), (2, Some(DELETED), "rejected"), (3, None, "canceled")]
    {
        db.execute(
            "INSERT INTO run (number, session_id, connection_id, driver_type, started_us, duration_ns, row_count,
                              byte_count, outcome)
             VALUES (?1, ?2, ?3, 'postgres', ?1, 1000, 5, 6, ?4)",
            params![
                number,
                Uuid::from_u128(77).as_bytes(),
                connection.map(|id| id.as_bytes().to_vec()),
                outcome
            ],
        )
        .unwrap();
    }
    drop(db);

    let store = Store::open(&path).await.unwrap();
    assert!(beside(&path, ".backup-v3").exists());
    let kept = store.text_key().await.unwrap().unwrap();
    assert_eq!((kept.key, &kept.blob), (KeyId::from(*record.id.as_bytes()), &sealed_key));
    assert!(!kept.id.is_nil());
    let opened = keyset.open(&place(&store_id, "", "texts", "key"), &kept.blob).unwrap();
    let text_key = TextKey::from_secret(&opened).unwrap();
    let owner: Owner = "local".parse().unwrap();
    let (row, body) = store.draft(&DraftKey { owner: owner.clone(), id: DRAFT }).await.unwrap().unwrap();
    assert_eq!(row.revision, 7);
    for (written, kind, text) in [(row.head, "draft head", "head"), (body, "draft body", "select 'Ada'")] {
        let Written::Sealed(blob) = written else { panic!("it was sealed") };
        let opened = text_key.open(&place(&store_id, "local", kind, &name), &blob).unwrap();
        assert_eq!(opened.expose(), text.as_bytes());
    }
    assert_eq!(store.drafts(owner.clone()).await.unwrap().len(), 2);
    let usage = store.text_key_use().await.unwrap().unwrap();
    assert_eq!((usage.drafts, usage.runs), (1, 0));

    let filter = RunFilter { owner, connection: None, outcomes: Vec::new(), since: None, before: None };
    let runs = store.runs(filter, None, 10).await.unwrap();
    let told: Vec<_> = runs
        .iter()
        .map(|listed| {
            let run = &listed.run;
            let (connection, name) = (run.connection, run.connection_name.as_ref());
            (connection.map(|id| *id.as_uuid()), name.map(ToString::to_string), run.end.outcome)
        })
        .collect();
    assert_eq!(
        told,
        [
            (None, None, Outcome::Canceled),
            (Some(DELETED), None, Outcome::Rejected),
            (Some(CONNECTION), Some("Orders".to_owned()), Outcome::Done),
        ]
    );
    assert!(runs.iter().all(|listed| listed.text.is_none() && listed.run.end.rows == 5));
    assert_eq!(runs[2].run.started, Timestamp::from_microsecond(1).unwrap());
    // Each can be told from all others.
    assert!(runs[0].run.id != runs[1].run.id && runs[1].run.id != runs[2].run.id);
    let connections = store.connections().await.unwrap();
    assert_eq!(connections[0].settings.history, HistoryLevel::Texts);
    store.close().await;
}
