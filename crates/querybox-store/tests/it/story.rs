//! One story of a person and their connections, then single facts about them.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use jiff::Timestamp;
use querybox_store::{
    ConnectionId, ConnectionSettings, Deadline, Environment, Error, Outcome, Run, RunEnd, RunText,
    SecretPlace, Written,
};

use crate::{
    Site, at,
    history::{self, RUN_LIMITS},
    names, parameters, settings,
};

#[tokio::test]
async fn a_person_keeps_connections() {
    let site = Site::new();
    let store = site.open().await;
    assert_eq!(store.connections().await.unwrap(), []);

    // Set up in any order, listed by folder and name.
    let orders = ConnectionSettings {
        driver_type: "postgres".parse().unwrap(),
        parameters: parameters(&[("port", "5432"), ("host", "db.example.org"), ("application name", "")]),
        folder: "work/eu".parse().unwrap(),
        environment: Environment::Red,
        read_only: true,
        deadline: Deadline::After(Duration::new(90, 1)),
        rows_max: Some(u64::MAX),
        bytes_max: Some(0),
        startup_sql: Some("SET search_path = 'заказы';\n-- \u{0} 🐘".to_owned()),
        default_schema: Some("Shop".to_owned()),
        secret_place: SecretPlace::Keyring,
        ..settings("Orders")
    };
    let orders = store.create_connection(orders, at(0)).await.unwrap();
    assert_eq!((orders.revision, orders.created, orders.updated), (1, at(0), at(0)));
    assert_eq!(orders.last_access, None);
    let in_eu = |name: &str| ConnectionSettings { folder: "work/eu".parse().unwrap(), ..settings(name) };
    store.create_connection(in_eu("archive"), at(1)).await.unwrap();
    store.create_connection(settings("sample"), at(2)).await.unwrap();
    assert_eq!(names(&store.connections().await.unwrap()), ["sample", "archive", "Orders"]);

    // Found by id and by name in any case.
    assert_eq!(store.connection(orders.id).await.unwrap(), orders);
    assert_eq!(store.connection_named(&"oRDERS".parse().unwrap()).await.unwrap(), orders);

    // Edited: a new revision, and the old one no longer counts.
    let edited = ConnectionSettings {
        name: "ORDERS".parse().unwrap(),
        parameters: parameters(&[("host", "db2.example.org")]),
        deadline: Deadline::None,
        startup_sql: None,
        ..orders.settings.clone()
    };
    let updated = store.update_connection(orders.id, 1, edited.clone(), at(3)).await.unwrap();
    assert_eq!((updated.revision, updated.created, updated.updated), (2, at(0), at(3)));
    assert_eq!(updated.settings, edited);
    let stale = store.update_connection(orders.id, 1, orders.settings.clone(), at(4)).await;
    assert!(matches!(stale, Err(Error::Conflict(id)) if id == orders.id));

    // Copied under a new name.
    let copy = store.duplicate_connection(orders.id, "Orders copy".parse().unwrap(), at(5)).await.unwrap();
    assert_ne!(copy.id, orders.id);
    assert_eq!((copy.revision, copy.created, copy.updated, copy.last_access), (1, at(5), at(5), None));
    assert_eq!(
        copy.settings,
        ConnectionSettings { name: "Orders copy".parse().unwrap(), ..updated.settings.clone() }
    );

    // Used: the latest time stays, and neither the revision nor the time of the last edit moves.
    store.touch(orders.id, at(20));
    store.touch(orders.id, at(10));
    let run = Run {
        connection: Some(orders.id),
        connection_name: Some("orders".parse().unwrap()),
        driver_type: "postgres".parse().unwrap(),
        text_bytes: 8,
        end: RunEnd {
            outcome: Outcome::Canceled,
            error_code: "57014".to_owned(),
            duration: Duration::new(3, 141_592_653),
            rows: u64::MAX,
            bytes: 1 << 40,
        },
        ..history::run(20)
    };
    let text = RunText { written: Written::Plain(b"select 1".to_vec()), text_key: None };
    store.record_run(run.clone(), Some(text.clone()), RUN_LIMITS, at(20));
    let store_id = store.id();
    store.close().await;

    // The next day everything is there.
    let store = site.open().await;
    assert_eq!(store.id(), store_id);
    let found = store.connection(orders.id).await.unwrap();
    assert_eq!(found.last_access, Some(at(20)));
    assert_eq!(found, querybox_store::Connection { last_access: Some(at(20)), ..updated });
    assert_eq!(store.connection(copy.id).await.unwrap(), copy);
    let listed = store.runs(history::filter(), None, 10).await.unwrap();
    assert_eq!((&listed[0].run, &listed[0].text, listed.len()), (&run, &Some(text.written), 1));

    // Deleted: the name is free again, the history stays.
    store.delete_connection(orders.id).await.unwrap();
    assert!(matches!(store.connection(orders.id).await, Err(Error::NotFound(_))));
    assert!(matches!(store.delete_connection(orders.id).await, Err(Error::NotFound(_))));
    store.create_connection(settings("orders"), at(30)).await.unwrap();
    assert_eq!(store.runs(history::filter(), None, 10).await.unwrap(), listed);
    assert_eq!(store.notes_dropped(), 0);
    store.close().await;
}

#[tokio::test]
async fn names_clash_without_case_in_every_script() {
    let site = Site::new();
    let store = site.open().await;
    for (taken, wanted) in [("Orders", "orders"), ("Straße 東京 🐘", "STRASSE 東京 🐘"), ("Заказы", "ЗАКАЗЫ")]
    {
        let first = store.create_connection(settings(taken), at(0)).await.unwrap();
        assert_eq!(store.connection(first.id).await.unwrap().settings.name.as_str(), taken);
        let other = store.create_connection(settings(&format!("not {taken}")), at(0)).await.unwrap();
        let name = wanted.parse().unwrap();

        let created = store.create_connection(settings(wanted), at(1)).await;
        assert!(matches!(created, Err(Error::NameTaken(clash)) if clash == name), "{wanted}");
        let renamed = store.update_connection(other.id, 1, settings(wanted), at(1)).await;
        assert!(matches!(renamed, Err(Error::NameTaken(_))), "{wanted}");
        let copied = store.duplicate_connection(other.id, name, at(1)).await;
        assert!(matches!(copied, Err(Error::NameTaken(_))), "{wanted}");
        assert_eq!(store.connection(other.id).await.unwrap(), other, "{wanted}");
    }
    assert_eq!(store.connections().await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_missing_connection_is_named() {
    let site = Site::new();
    let store = site.open().await;
    let id = ConnectionId::make(at(0));
    let missing = [
        store.connection(id).await.map(drop),
        store.update_connection(id, 1, settings("a"), at(0)).await.map(drop),
        store.duplicate_connection(id, "a".parse().unwrap(), at(0)).await.map(drop),
        store.delete_connection(id).await.map(drop),
    ];
    for answer in missing {
        assert_eq!(answer.unwrap_err().to_string(), format!("there is no connection {id}"));
    }
    let by_name = store.connection_named(&"sampel".parse().unwrap()).await;
    assert_eq!(by_name.unwrap_err().to_string(), "there is no connection sampel");
}

#[tokio::test]
async fn a_write_whose_future_is_dropped_is_whole_or_not_there() {
    let site = Site::new();
    let store = site.open().await;
    let mut cx = Context::from_waker(Waker::noop());
    {
        // Polled once: handed to the writer. Never polled: nothing has begun.
        let mut accepted = pin!(store.create_connection(settings("accepted"), at(0)));
        let _ = accepted.as_mut().poll(&mut cx);
        drop(store.create_connection(settings("never begun"), at(0)));
    }
    store.close().await;

    let store = site.open().await;
    let connections = store.connections().await.unwrap();
    assert_eq!(names(&connections), ["accepted"]);
    assert_eq!(connections[0].settings, settings("accepted"));
}

#[tokio::test]
async fn ids_are_uuid_v7_of_the_given_time() {
    let id = ConnectionId::make(at(0));
    assert_eq!(id.as_uuid().get_version_num(), 7);
    let (seconds, _) = id.as_uuid().get_timestamp().unwrap().to_unix();
    assert_eq!(seconds, 1_800_000_000);
    assert!(ConnectionId::make(Timestamp::MIN) < id && id < ConnectionId::make(Timestamp::MAX));
    assert_eq!(id.to_string().parse::<ConnectionId>().unwrap(), id);
}

#[tokio::test]
async fn times_of_every_year_are_kept_in_microseconds() {
    let site = Site::new();
    let store = site.open().await;
    let before_1970 = Timestamp::new(-1, -999_999_999).unwrap();
    for (name, now) in [("first", Timestamp::MIN), ("old", before_1970), ("last", Timestamp::MAX)] {
        let created = store.create_connection(settings(name), now).await.unwrap();
        assert_eq!(created.created.as_microsecond(), now.as_microsecond());
        assert_eq!(store.connection(created.id).await.unwrap(), created);
    }
}

#[tokio::test]
async fn a_row_that_does_not_parse_is_an_error_not_a_default() {
    for damage in [
        "UPDATE connection SET environment = 'Red'",
        "UPDATE connection SET deadline = 'never'",
        "UPDATE connection SET deadline = 'after', deadline_ns = -1",
        "UPDATE connection SET name = ' x'",
        "UPDATE connection SET folder = '/'",
        "UPDATE connection SET created_us = 9223372036854775807",
    ] {
        let site = Site::new();
        let store = site.open().await;
        store.create_connection(settings("a"), at(0)).await.unwrap();
        site.raw().execute(damage, []).unwrap();
        assert!(matches!(store.connections().await, Err(Error::Storage(_))), "{damage}");
    }
}
