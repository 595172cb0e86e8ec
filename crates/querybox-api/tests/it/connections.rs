//! Keeping connections.

use querybox_contracts::{core::v1 as pb, plugin::v1 as plugin};
use tonic::Code;

use crate::house::{House, SHOP, by_id, check, metadata, named, session_id, text};

#[tokio::test]
async fn a_connection_lives_through_all_its_calls() {
    let house = House::new().await;
    let mut connections = house.connections();
    let spec = pb::ConnectionSpec {
        folder: "work/eu".into(),
        color: pb::EnvironmentColor::Red.into(),
        read_only: true,
        deadline: Some(pb::Deadline {
            limit: Some(pb::deadline::Limit::After(prost_types::Duration { seconds: 7, nanos: 5 })),
        }),
        rows_max: Some(10),
        bytes_max: Some(20),
        startup_sql: "select 1".into(),
        default_schema: "main".into(),
        secret_scope: pb::SecretScope::Shared.into(),
        history: pb::HistoryLevel::Facts.into(),
        ..house.spec("Orders")
    };
    let created = house.create(spec.clone()).await.unwrap();
    assert_eq!((created.revision, created.last_access), (1, None));
    assert_eq!(created.spec.as_ref(), Some(&spec));

    let request = pb::GetConnectionRequest { connection: named("orders") };
    let got = connections.get_connection(request).await.unwrap().into_inner().connection.unwrap();
    assert_eq!(got, created);

    let changed = pb::ConnectionSpec { name: "Shop orders".into(), rows_max: None, ..spec.clone() };
    let update = |revision| pb::UpdateConnectionRequest {
        id: created.id.clone(),
        revision,
        spec: Some(changed.clone()),
    };
    let updated = connections.update_connection(update(1)).await.unwrap().into_inner().connection.unwrap();
    assert_eq!((updated.revision, updated.spec.as_ref()), (2, Some(&changed)));
    let stale = connections.update_connection(update(1)).await.unwrap_err();
    let message = format!("connection {} was changed meanwhile", created.id);
    check(&stale, Code::Aborted, "CONNECTION_CHANGED", &message);

    let request = pb::DuplicateConnectionRequest { connection: by_id(&created.id), name: "A copy".into() };
    let copy = connections.duplicate_connection(request).await.unwrap().into_inner().connection.unwrap();
    assert_eq!(copy.spec.unwrap(), pb::ConnectionSpec { name: "A copy".into(), ..changed });

    let list = async || {
        let response = house.connections().list_connections(pb::ListConnectionsRequest {}).await;
        let connections = response.unwrap().into_inner().connections;
        connections.into_iter().map(|connection| connection.spec.unwrap().name).collect::<Vec<_>>()
    };
    assert_eq!(list().await, ["A copy", "Shop orders"]);
    let request = pb::DeleteConnectionRequest { connection: named("a copy") };
    connections.delete_connection(request).await.unwrap();
    assert_eq!(list().await, ["Shop orders"]);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_by_any_call() {
    let house = House::new().await;
    let mut connections = house.connections();
    let unknown_id = session_id();
    for (key, shown) in [
        (named("nowhere"), "nowhere"),
        (by_id(&unknown_id), unknown_id.as_str()),
        (by_id("not an id"), "not an id"),
        (named(""), ""),
    ] {
        let message = format!("there is no connection {shown}");
        let message = message.as_str();
        let get = pb::GetConnectionRequest { connection: key.clone() };
        let status = connections.get_connection(get).await.unwrap_err();
        check(&status, Code::NotFound, "CONNECTION_NOT_FOUND", message);
        let delete = pb::DeleteConnectionRequest { connection: key.clone() };
        let status = connections.delete_connection(delete).await.unwrap_err();
        check(&status, Code::NotFound, "CONNECTION_NOT_FOUND", message);
        let copy = pb::DuplicateConnectionRequest { connection: key, name: "copy".into() };
        let status = connections.duplicate_connection(copy).await.unwrap_err();
        check(&status, Code::NotFound, "CONNECTION_NOT_FOUND", message);
    }
    let update =
        pb::UpdateConnectionRequest { id: unknown_id.clone(), revision: 1, spec: Some(house.spec("x")) };
    let status = connections.update_connection(update).await.unwrap_err();
    check(&status, Code::NotFound, "CONNECTION_NOT_FOUND", &format!("there is no connection {unknown_id}"));
    let status = connections.get_connection(pb::GetConnectionRequest { connection: None }).await.unwrap_err();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "connection is missing");
}

#[tokio::test]
async fn a_taken_name_is_refused_in_any_case() {
    let house = House::with_shop().await;
    let status = house.create(house.spec("SHOP")).await.unwrap_err();
    check(&status, Code::AlreadyExists, "NAME_TAKEN", "there already is a connection named SHOP");
}

#[tokio::test]
async fn a_field_that_does_not_fit_is_named() {
    let house = House::new().await;
    let fails = async |spec: pb::ConnectionSpec, field: &str, message: &str| {
        let status = house.create(spec).await.unwrap_err();
        check(&status, Code::InvalidArgument, "PARAMETER_INVALID", message);
        assert_eq!(metadata(&status, "field"), field);
    };
    let spec = || house.spec("new");
    let with = |parameter: plugin::Parameter| {
        let mut spec = spec();
        spec.parameters.push(parameter);
        spec
    };
    fails(with(text("speed", "1")), "speed", r#"parameter "speed" is not one of this driver's"#).await;
    fails(with(text("create", "true")), "create", r#"parameter "create" is given twice"#).await;
    fails(
        with(text("foreign_keys", "on")),
        "foreign_keys",
        r#"parameter "foreign_keys" is neither true nor false"#,
    )
    .await;
    fails(
        with(text("busy_timeout_ms", "5s")),
        "busy_timeout_ms",
        r#"parameter "busy_timeout_ms" is not a whole number"#,
    )
    .await;
    let relative = pb::ConnectionSpec { parameters: vec![text("file", "shop.db")], ..spec() };
    fails(relative, "file", r#"parameter "file" is not an absolute path"#).await;
    let missing = pb::ConnectionSpec { parameters: vec![], ..spec() };
    fails(missing, "file", r#"parameter "file" is missing"#).await;
    let valueless = plugin::Parameter { name: "create".into(), value: None };
    fails(with(valueless), "parameters", r#"parameters has no value for "create""#).await;
    let content = plugin::Parameter {
        name: "create".into(),
        value: Some(plugin::parameter::Value::Content("canary".into())),
    };
    fails(with(content), "create", r#"parameter "create" does not take a file's content"#).await;
    let unnamed = pb::ConnectionSpec { name: " ".into(), ..spec() };
    fails(unnamed, "spec.name", "spec.name is not valid: a name has no space at its start or end").await;
    let color = pb::ConnectionSpec { color: 99, ..spec() };
    fails(color, "spec.color", "spec.color is none that this version knows").await;
    let place = pb::ConnectionSpec { secret_place: 99, ..spec() };
    fails(place, "spec.secret_place", "spec.secret_place is none that this version knows").await;
    let deadline = pb::ConnectionSpec { deadline: Some(pb::Deadline { limit: None }), ..spec() };
    fails(deadline, "spec.deadline", "spec.deadline is neither a time nor none").await;
    let folder = pb::ConnectionSpec { folder: "/work".into(), ..spec() };
    fails(
        folder,
        "spec.folder",
        "spec.folder is not valid: a folder is names joined by single slashes: a name needs at least one character",
    )
    .await;
}

#[tokio::test]
async fn a_connection_outlives_its_driver() {
    let house = House::new().await;
    let oracle = pb::ConnectionSpec { driver_type: "oracle".into(), ..house.spec("legacy") };
    let status = house.create(oracle).await.unwrap_err();
    check(&status, Code::NotFound, "PLUGIN_NOT_FOUND", "there is no usable driver for oracle");
    assert_eq!(metadata(&status, "driver_type"), "oracle");

    house.create(house.spec("legacy")).await.unwrap();
    let listing = house.plugins().list_plugins(pb::ListPluginsRequest {}).await.unwrap().into_inner();
    for plugin in listing.plugins {
        std::fs::remove_file(plugin.path).unwrap();
    }
    let mut connections = house.connections();
    let request = pb::GetConnectionRequest { connection: named("legacy") };
    let id = connections.get_connection(request).await.unwrap().into_inner().connection.unwrap().id;
    let update = pb::UpdateConnectionRequest { id, revision: 1, spec: Some(house.spec("legacy")) };
    let status = connections.update_connection(update).await.unwrap_err();
    check(&status, Code::NotFound, "PLUGIN_NOT_FOUND", "there is no usable driver for sqlite");
    let request = pb::DuplicateConnectionRequest { connection: named("legacy"), name: "copy".into() };
    connections.duplicate_connection(request).await.unwrap();
    let request = pb::DeleteConnectionRequest { connection: named("legacy") };
    connections.delete_connection(request).await.unwrap();
}

#[tokio::test]
async fn urls_are_read_by_the_drivers_that_take_them() {
    let house = House::new().await;
    let mut connections = house.connections();
    let request = |url: &str| pb::ParseUrlRequest { url: url.into() };
    let parsed = connections.parse_url(request("sqlite:a%20b.db?create=true")).await.unwrap().into_inner();
    assert_eq!(parsed.driver_type, "sqlite");
    assert_eq!(parsed.parameters, [text("file", "a b.db"), text("create", "true")]);

    let mut fails = async |url: &str, code, reason: &str| {
        let status = connections.parse_url(request(url)).await.unwrap_err();
        let message = status.message().to_owned();
        check(&status, code, reason, &message);
        assert!(!message.contains("canary"), "{message}");
    };
    fails("oracle://db", Code::NotFound, "PLUGIN_NOT_FOUND").await;
    fails("canary", Code::InvalidArgument, "PARAMETER_INVALID").await;
    fails("sqlite:/a?mode=canary", Code::InvalidArgument, "PARAMETER_INVALID").await;
}

#[tokio::test]
async fn a_test_tells_its_stages() {
    let house = House::with_shop().await;
    let stages = async |target| {
        let request =
            pb::TestConnectionRequest { session_id: session_id(), target: Some(target), credential: None };
        let mut stream = house.connections().test_connection(request).await.unwrap().into_inner();
        let mut stages = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            stages.push(message.stage.unwrap());
        }
        stages
    };
    use pb::test_connection_request::Target;
    use plugin::test_connection_response::Outcome;

    let passed = stages(Target::Connection(named(SHOP).unwrap())).await;
    assert_eq!(passed[0].stage(), plugin::TestStage::DriverStart);
    assert!(passed[0].elapsed.is_some());
    let Some(Outcome::Passed(last)) = &passed.last().unwrap().outcome else { panic!("{passed:?}") };
    assert_eq!(last.server.as_ref().unwrap().product, "SQLite");

    // Nothing makes this one.
    let file = house.database().with_file_name("missing.db");
    let parameters = vec![text("file", file.to_str().unwrap())];
    let failed = stages(Target::Unsaved(pb::ConnectionSpec { parameters, ..house.spec("") })).await;
    let Some(Outcome::Failed(last)) = &failed.last().unwrap().outcome else { panic!("{failed:?}") };
    assert_eq!(last.reason, "FILE_UNUSABLE");
}
