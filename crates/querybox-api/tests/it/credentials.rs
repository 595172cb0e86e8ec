//! Stored secrets: used without being asked for, never told, and dropped with what they were for. The launcher's test driver
//! takes the password `right` alone.

use std::sync::{Arc, Mutex};

use querybox_contracts::{
    core::v1::{self as pb, execute_response::Part},
    plugin::v1 as plugin,
};
use querybox_core::{HistoryLevel, HistorySettings, KeySource, KeySourceError};
use querybox_vault::{MasterKey, MasterKeys};
use tonic::{Code, Status};

use crate::house::{House, check, named, session_id, text};

/// A master key in its text form.
pub(crate) fn make_key() -> String {
    MasterKey::make().to_text().expose_text().unwrap().to_owned()
}

/// What a source of keys says, to be changed by a test.
#[derive(Clone, Default)]
pub(crate) struct Source(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    lines: Option<Result<String, String>>,
    reads: u32,
}

impl Source {
    pub(crate) fn says(&self, keys: &[&str]) {
        self.0.lock().unwrap().lines = Some(Ok(keys.join("\n")));
    }

    pub(crate) fn fails(&self, why: &str) {
        self.0.lock().unwrap().lines = Some(Err(why.to_owned()));
    }

    pub(crate) fn is_gone(&self) {
        self.0.lock().unwrap().lines = None;
    }

    fn reads(&self) -> u32 {
        self.0.lock().unwrap().reads
    }

    pub(crate) fn key_source(&self) -> KeySource {
        let said = Arc::clone(&self.0);
        KeySource::new(move || {
            let mut said = said.lock().unwrap();
            said.reads += 1;
            match &said.lines {
                None => Ok(None),
                Some(Ok(lines)) => Ok(Some(MasterKeys::parse(&lines.clone().into()).unwrap())),
                Some(Err(why)) => Err(KeySourceError { message: why.clone() }),
            }
        })
    }
}

/// A house whose vault works, with its source and its key.
pub(crate) async fn house_with_vault() -> (House, Source, String) {
    let source = Source::default();
    let key = make_key();
    source.says(&[&key]);
    let house = House::with_keys(source.key_source()).await;
    register(&house).await.unwrap();
    (house, source, key)
}

/// The same, whose history keeps no texts: nothing is sealed but what a test has sealed.
pub(crate) async fn house_without_texts() -> (House, Source, String) {
    let (house, source, key) = house_with_vault().await;
    let history = HistorySettings { level: HistoryLevel::Facts, ..HistorySettings::USUAL };
    let house = house.again_with_history(source.key_source(), history).await;
    (house, source, key)
}

pub(crate) async fn register(house: &House) -> Result<Vec<pb::Key>, Status> {
    let request = pb::RegisterSourceKeysRequest::default();
    Ok(house.keys().register_source_keys(request).await?.into_inner().registered)
}

fn spec(name: &str, parameters: &[(&str, &str)]) -> pb::ConnectionSpec {
    pb::ConnectionSpec {
        name: name.to_owned(),
        driver_type: "test".to_owned(),
        parameters: parameters.iter().map(|(name, value)| text(name, value)).collect(),
        secret_place: pb::SecretPlace::Vault.into(),
        ..pb::ConnectionSpec::default()
    }
}

pub(crate) async fn add(house: &House, name: &str) -> pb::Connection {
    house.create(spec(name, &[("host", "db"), ("user", "ada")])).await.unwrap()
}

pub(crate) async fn set(house: &House, name: &str, secret: &str) -> Result<pb::StoredCredential, Status> {
    set_in(house, name, secret, pb::SecretPlace::Unspecified).await
}

async fn set_in(
    house: &House,
    name: &str,
    secret: &str,
    place: pb::SecretPlace,
) -> Result<pb::StoredCredential, Status> {
    let request = pb::SetCredentialRequest {
        connection: named(name),
        field: String::new(),
        secret: secret.to_owned().into(),
        place: place.into(),
    };
    Ok(house.credentials().set_credential(request).await?.into_inner().credential.unwrap())
}

pub(crate) async fn stored(house: &House) -> Vec<pb::StoredCredential> {
    let answer = house.credentials().list_credentials(pb::ListCredentialsRequest::default()).await;
    answer.unwrap().into_inner().credentials
}

/// What a log-in came to: whether the driver got the right password.
pub(crate) async fn log_in(house: &House, name: &str, given: Option<&str>) -> Result<bool, Status> {
    let credential = given.map(|value| plugin::Credential {
        fields: vec![plugin::SecretField { name: "password".into(), value: value.to_owned().into() }],
    });
    let request = pb::ExecuteRequest {
        session_id: session_id(),
        connection: named(name),
        sql: "rows 1".into(),
        options: None,
        credential,
    };
    let mut stream = house.queries().execute(request).await?.into_inner();
    let mut is_right = false;
    while let Some(message) = stream.message().await? {
        if let Some(Part::Session(opened)) = message.part {
            is_right |= opened.server.is_some();
        }
    }
    Ok(is_right)
}

async fn update(
    house: &House,
    connection: &mut pb::Connection,
    change: impl FnOnce(&mut pb::ConnectionSpec),
) -> pb::UpdateConnectionResponse {
    let mut spec = connection.spec.clone().unwrap();
    change(&mut spec);
    let request = pb::UpdateConnectionRequest {
        id: connection.id.clone(),
        revision: connection.revision,
        spec: Some(spec),
    };
    let updated = house.connections().update_connection(request).await.unwrap().into_inner();
    *connection = updated.connection.clone().unwrap();
    updated
}

#[tokio::test]
async fn a_stored_password_is_used_without_a_word_of_it() {
    let (house, source, _) = house_with_vault().await;
    add(&house, "shop").await;
    check(
        &log_in(&house, "shop", None).await.unwrap_err(),
        Code::FailedPrecondition,
        "CREDENTIAL_MISSING",
        "no password is stored for this connection",
    );
    let set_first = set(&house, "shop", "wrong").await.unwrap();
    assert_eq!((set_first.field.as_str(), set_first.place()), ("password", pb::SecretPlace::Vault));
    assert_eq!((set_first.owner.as_str(), set_first.last_access), ("", None));
    assert!(!log_in(&house, "shop", None).await.unwrap());
    let replaced = set(&house, "shop", "right").await.unwrap();
    assert_eq!(replaced.created, set_first.created);
    assert!(log_in(&house, "shop", None).await.unwrap());

    // What is given stands in its place, for that session alone.
    assert!(!log_in(&house, "shop", Some("wrong")).await.unwrap());
    assert!(log_in(&house, "shop", None).await.unwrap());

    // The key was asked for once to register, once to seal, and is kept.
    assert_eq!(source.reads(), 2);

    // Known of, and not known.
    while stored(&house).await[0].last_access.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let bytes = std::fs::read(house.store()).unwrap();
    assert!(!bytes.windows(5).any(|window| window == b"right"));

    let request = pb::DeleteCredentialRequest { connection: named("shop"), field: String::new() };
    let deleted = house.credentials().delete_credential(request).await.unwrap().into_inner();
    assert_eq!((deleted.fields, deleted.keyring_entries_left), (vec!["password".to_owned()], 0));
    assert_eq!(stored(&house).await, []);
    let missing = pb::DeleteCredentialRequest { connection: named("shop"), field: "password".into() };
    let status = house.credentials().delete_credential(missing).await.unwrap_err();
    check(
        &status,
        Code::FailedPrecondition,
        "CREDENTIAL_MISSING",
        "no password is stored for this connection",
    );
}

#[tokio::test]
async fn a_request_brings_its_own_where_there_is_neither_keyring_nor_vault() {
    let house = House::new().await;
    for place in [pb::SecretPlace::Vault, pb::SecretPlace::Keyring] {
        let name = place.as_str_name();
        house.create(pb::ConnectionSpec { secret_place: place.into(), ..spec(name, &[]) }).await.unwrap();
        assert!(log_in(&house, name, Some("right")).await.unwrap());
        assert_eq!(stored(&house).await, []);
    }
}

#[tokio::test]
async fn what_leads_elsewhere_loses_its_password() {
    let (house, _, _) = house_with_vault().await;
    let mut shop = add(&house, "shop").await;
    let put = |name: &'static str, value: &'static str| {
        move |spec: &mut pb::ConnectionSpec| {
            spec.parameters.retain(|parameter| parameter.name != name);
            spec.parameters.push(text(name, value));
        }
    };
    // These lead to the same server, as the same user.
    set(&house, "shop", "right").await.unwrap();
    for change in [put("database", "other"), put("port", "7000"), put("open", "")] {
        let updated = update(&house, &mut shop, change).await;
        assert_eq!(updated.credentials_dropped, [""; 0]);
    }
    let renamed = update(&house, &mut shop, |spec| spec.name = "Shop".to_owned()).await;
    assert_eq!(renamed.credentials_dropped_for, [""; 0]);
    assert!(log_in(&house, "shop", None).await.unwrap());

    for (name, value) in
        [("host", "evil"), ("port", "7001"), ("user", "eve"), ("tls", "off"), ("roots", "mine")]
    {
        set(&house, "shop", "right").await.unwrap();
        let updated = update(&house, &mut shop, put(name, value)).await;
        assert_eq!(updated.credentials_dropped, ["password"], "{name}");
        assert_eq!(updated.credentials_dropped_for, [name]);
        assert_eq!(stored(&house).await, [], "{name}");
        let status = log_in(&house, "shop", None).await.unwrap_err();
        assert!(status.message().starts_with("no password is stored"), "{status}");
        // Nothing is stored any more, so nothing is said to be lost.
        let again = update(&house, &mut shop, put(name, "")).await;
        assert_eq!((again.credentials_dropped.len(), again.credentials_dropped_for.len()), (0, 0));
    }

    set(&house, "shop", "right").await.unwrap();
    let asks = update(&house, &mut shop, |spec| spec.set_secret_place(pb::SecretPlace::Ask)).await;
    assert_eq!(asks.credentials_dropped_for, ["secret place"]);
    set_in(&house, "shop", "right", pb::SecretPlace::Vault).await.unwrap();
    let mut shop = house
        .connections()
        .get_connection(pb::GetConnectionRequest { connection: named("shop") })
        .await
        .unwrap()
        .into_inner()
        .connection
        .unwrap();
    assert_eq!(shop.spec.as_ref().unwrap().secret_place(), pb::SecretPlace::Vault);
    let each = update(&house, &mut shop, |spec| spec.set_secret_scope(pb::SecretScope::EachUser)).await;
    assert_eq!(each.credentials_dropped_for, ["secret scope"]);
    set(&house, "shop", "right").await.unwrap();
    let other = update(&house, &mut shop, |spec| {
        spec.driver_type = "sqlite".to_owned();
        spec.parameters = vec![text("file", house.database().to_str().unwrap())];
    })
    .await;
    assert_eq!(other.credentials_dropped_for, ["driver", "file"]);
    assert_eq!(stored(&house).await, []);
}

#[tokio::test]
async fn a_change_that_is_refused_drops_nothing() {
    let (house, _, _) = house_with_vault().await;
    let shop = add(&house, "shop").await;
    set(&house, "shop", "right").await.unwrap();
    let request = pb::UpdateConnectionRequest {
        id: shop.id,
        revision: shop.revision + 1,
        spec: Some(spec("shop", &[("host", "evil")])),
    };
    let status = house.connections().update_connection(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert!(log_in(&house, "shop", None).await.unwrap());
}

#[tokio::test]
async fn each_user_has_a_password_of_their_own() {
    let (house, _, _) = house_with_vault().await;
    let scope = pb::SecretScope::EachUser.into();
    house.create(pb::ConnectionSpec { secret_scope: scope, ..spec("shop", &[]) }).await.unwrap();
    let set = set(&house, "shop", "right").await.unwrap();
    assert_eq!(set.owner, "local");
    assert!(log_in(&house, "shop", None).await.unwrap());
    // A copy has none: secrets are not copied.
    let copy = pb::DuplicateConnectionRequest { connection: named("shop"), name: "copy".into() };
    house.connections().duplicate_connection(copy).await.unwrap();
    assert!(log_in(&house, "copy", None).await.is_err());
    let gone = pb::DeleteConnectionRequest { connection: named("shop") };
    let gone = house.connections().delete_connection(gone).await.unwrap().into_inner();
    assert_eq!(gone.keyring_entries_left, 0);
    assert_eq!(stored(&house).await, []);
}

#[tokio::test]
async fn a_wrong_key_is_refused_before_any_write() {
    let (house, source, key) = house_with_vault().await;
    add(&house, "shop").await;
    add(&house, "other").await;
    set(&house, "shop", "right").await.unwrap();
    let before = stored(&house).await;

    // Another Core on the same store, which has asked for no key yet.
    let wrong = Source::default();
    let house = house.again(wrong.key_source()).await;
    let refused = async |code: Code, reason: &str, message: &str| {
        for status in [
            set(&house, "other", "secret").await.unwrap_err(),
            log_in(&house, "shop", None).await.unwrap_err(),
            house.keys().rotate_keys(pb::RotateKeysRequest {}).await.err().unwrap(),
        ] {
            check(&status, code, reason, message);
        }
        assert_eq!(stored(&house).await, before);
        let places = house.credentials().get_secret_places(pb::GetSecretPlacesRequest {}).await.unwrap();
        let vault = places.into_inner().places.unwrap().vault.unwrap();
        assert_eq!((vault.is_usable, vault.reason.as_str()), (false, reason));
    };
    let id = before[0].key_id.clone();
    let code = Code::FailedPrecondition;
    refused(code, "MASTER_KEY_MISSING", "no source of a master key is configured").await;
    wrong.fails("key file: permission denied");
    refused(code, "MASTER_KEY_UNREADABLE", "key file: permission denied").await;
    wrong.says(&[&make_key()]);
    let unknown = format!("master key 1 of the source is not known to this store, which knows {id}");
    refused(code, "MASTER_KEY_WRONG", &unknown).await;
    // Nor can a key of another store be slipped in.
    check(&register(&house).await.unwrap_err(), code, "MASTER_KEY_WRONG", &unknown);
    wrong.says(&[&key]);
    assert!(log_in(&house, "shop", None).await.unwrap());
    // Read once, it serves; what the source becomes meanwhile does not matter.
    wrong.is_gone();
    assert!(log_in(&house, "shop", None).await.unwrap());
    drop(source);
}

#[tokio::test]
async fn a_key_that_nobody_registered_seals_nothing() {
    let source = Source::default();
    source.says(&[&make_key()]);
    let house = House::with_keys(source.key_source()).await;
    add(&house, "shop").await;
    check(
        &set(&house, "shop", "right").await.unwrap_err(),
        Code::FailedPrecondition,
        "KEYS_NOT_INITIALIZED",
        "no master key is registered with this store",
    );
}

/// The tests' own environment has no session bus.
#[tokio::test]
async fn no_place_falls_back_on_another_one() {
    let (house, source, _) = house_with_vault().await;
    add(&house, "shop").await;
    let status = set_in(&house, "shop", "right", pb::SecretPlace::Keyring).await.unwrap_err();
    check(&status, Code::FailedPrecondition, "KEYRING_ABSENT", "there is no keyring");
    assert_eq!(stored(&house).await, []);
    let to_keyring = pb::MigrateCredentialsRequest {
        to: pb::SecretPlace::Keyring.into(),
        ..pb::MigrateCredentialsRequest::default()
    };
    set(&house, "shop", "right").await.unwrap();
    let status = house.credentials().migrate_credentials(to_keyring).await.err().unwrap();
    check(&status, Code::FailedPrecondition, "KEYRING_ABSENT", "there is no keyring");
    assert!(log_in(&house, "shop", None).await.unwrap());

    // Where nothing says where, the vault is the usual place without a keyring, and without both there is none.
    let asks = pb::SecretPlace::Ask.into();
    house.create(pb::ConnectionSpec { secret_place: asks, ..spec("asks", &[]) }).await.unwrap();
    assert_eq!(set(&house, "asks", "right").await.unwrap().place(), pb::SecretPlace::Vault);
    source.is_gone();
    let house = house.again(source.key_source()).await;
    house.create(pb::ConnectionSpec { secret_place: asks, ..spec("third", &[]) }).await.unwrap();
    check(
        &set(&house, "third", "right").await.unwrap_err(),
        Code::FailedPrecondition,
        "SECRET_PLACE_MISSING",
        "there is no place for a secret: there is no keyring, and no source of a master key is configured",
    );
}

#[tokio::test]
async fn a_vault_that_does_not_work_is_told_rather_than_that_there_is_no_place() {
    let (house, source, _) = house_with_vault().await;
    let asks = pb::SecretPlace::Ask.into();
    house.create(pb::ConnectionSpec { secret_place: asks, ..spec("asks", &[]) }).await.unwrap();
    source.fails("key file: no such file");
    let house = house.again(source.key_source()).await;
    check(
        &set(&house, "asks", "right").await.unwrap_err(),
        Code::FailedPrecondition,
        "MASTER_KEY_UNREADABLE",
        "key file: no such file",
    );
}

#[tokio::test]
async fn a_connection_and_its_secret_are_saved_together_or_not_at_all() {
    let (house, source, _) = house_with_vault().await;
    let create = async |house: &House, name: &str, secret: &str, place: pb::SecretPlace| {
        let request = pb::CreateConnectionRequest {
            spec: Some(pb::ConnectionSpec {
                secret_place: Unspecified.into(),
                ..spec(name, &[("host", "db")])
            }),
            secret: Some(pb::NewSecret {
                field: String::new(),
                secret: secret.to_owned().into(),
                place: place.into(),
            }),
        };
        assert!(!format!("{request:?}").contains(secret) || secret.is_empty());
        Ok::<_, Status>(house.connections().create_connection(request).await?.into_inner())
    };
    use pb::SecretPlace::{Ask, Keyring, Unspecified, Vault};
    // Without a keyring the vault is the usual place.
    for (name, place) in [("one", Vault), ("two", Unspecified)] {
        let created = create(&house, name, "right", place).await.unwrap();
        assert_eq!(created.secret_field, "password");
        let connection = created.connection.unwrap();
        assert_eq!((connection.revision, connection.spec.unwrap().secret_place()), (1, Vault));
        assert!(log_in(&house, name, None).await.unwrap());
    }

    let refused = async |house: &House, name, secret, place, reason: &str| {
        let status = create(house, name, secret, place).await.unwrap_err();
        let message = status.message().to_owned();
        check(&status, status.code(), reason, &message);
        assert_eq!(stored(house).await.len(), 2, "{reason}");
        let listed = house.connections().list_connections(pb::ListConnectionsRequest {}).await.unwrap();
        assert_eq!(listed.into_inner().connections.len(), 2, "{reason}");
    };
    refused(&house, "ONE", "right", Vault, "NAME_TAKEN").await;
    refused(&house, "three", "", Vault, "CREDENTIAL_INVALID").await;
    refused(&house, "three", "right", Ask, "PARAMETER_INVALID").await;
    refused(&house, "three", "right", Keyring, "KEYRING_ABSENT").await;
    source.is_gone();
    let house = house.again(source.key_source()).await;
    refused(&house, "three", "right", Vault, "MASTER_KEY_MISSING").await;
}

#[tokio::test]
async fn what_is_no_secret_is_not_stored() {
    let (house, _, _) = house_with_vault().await;
    add(&house, "shop").await;
    let long = "x".repeat((64 << 10) + 1);
    for (secret, message) in [
        ("", "a secret that is to be stored is not empty"),
        (long.as_str(), "a secret that is to be stored has at most 64 KiB"),
    ] {
        let status = set(&house, "shop", secret).await.unwrap_err();
        check(&status, Code::InvalidArgument, "CREDENTIAL_INVALID", message);
    }
    let of_field = |field: &str| pb::SetCredentialRequest {
        connection: named("shop"),
        field: field.to_owned(),
        secret: "right".into(),
        place: pb::SecretPlace::Vault.into(),
    };
    let status = house.credentials().set_credential(of_field("host")).await.unwrap_err();
    check(
        &status,
        Code::InvalidArgument,
        "PARAMETER_INVALID",
        r#"parameter "host" is not one of this driver's secrets"#,
    );
    let asks = pb::SetCredentialRequest { place: pb::SecretPlace::Ask.into(), ..of_field("") };
    let status = house.credentials().set_credential(asks).await.unwrap_err();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "place is no place where secrets are stored");
    assert_eq!(stored(&house).await, []);
    assert!(!format!("{:?}", of_field("")).contains("right"));
}
