//! A session that shows values in another way is answered in that way.

use querybox_driver_postgres::Postgres as Driver;
use querybox_fixtures::Postgres;
use querybox_plugin::{pb, testkit::Client};

use crate::{
    rendering::{assert_same, copy_csv, csv},
    server::{ends, open, parameters, rejection, secrets},
};

const VALUES: &str = "select 0.1::float4 + 0.2::float4 as a, 0.1::float8 + 0.2::float8 as b, '\\x00ff'::bytea as c, \
    date '2024-02-29' as d, timestamp '2024-02-29 13:05:07.25' as e, timestamptz '2024-02-29 13:05:07.25+00' as f, \
    interval '-1 day 02:03:04' as g, time '13:05' as h, 1.5::numeric(3,1) as i, array[0.1::float8 + 0.2] as j";

#[tokio::test]
async fn settings_that_alter_looks_are_followed() {
    let server = Postgres::start();
    for set in [
        "set timezone = 'Europe/Berlin'",
        "set timezone = 'GMT'",
        "set timezone = '-03:30'",
        "set datestyle = 'German'",
        "set datestyle = 'ISO, DMY'",
        "set datestyle = 'SQL, DMY'; set timezone = 'Asia/Kolkata'",
        "set extra_float_digits = 0",
        "set extra_float_digits = -5",
        "set extra_float_digits = 3",
        "set bytea_output = 'escape'",
        "set intervalstyle = 'iso_8601'",
        "do $$ begin perform set_config('extra_float_digits', '0', false); end $$",
        "begin; set local extra_float_digits = 0; set local timezone = 'Asia/Tokyo'",
        "begin; set transaction isolation level serializable; set extra_float_digits = 0",
    ] {
        let mut client = open(&server).await;
        let (ours, _) = csv(&mut client, &format!("{set}; {VALUES}")).await;
        assert_same(&ours, &copy_csv(&server, set, VALUES), set);
    }
}

#[tokio::test]
async fn settings_are_noticed_within_a_session_and_forgotten_when_they_end() {
    let server = Postgres::start();
    server.psql(
        "create function hide() returns int language sql as
         $$ select 1 from set_config('extra_float_digits', '-10', false) $$",
    );
    let mut client = open(&server).await;
    let kinds =
        |columns: &[pb::Column]| -> Vec<pb::Display> { columns.iter().map(pb::Column::display).collect() };
    let query = "select 0.1::float8 + 0.2 as a, '\\x00'::bytea as b, now() as c";
    let native = [pb::Display::FloatPg, pb::Display::BytesHex, pb::Display::TimestampIsoUtc];
    assert_eq!(kinds(&csv(&mut client, query).await.1), native);

    client.execute("set bytea_output = 'escape'").await.unwrap();
    assert_eq!(kinds(&csv(&mut client, query).await.1)[1], pb::Display::Text);
    client.execute("begin; set local datestyle = 'SQL'").await.unwrap();
    assert_eq!(kinds(&csv(&mut client, query).await.1)[2], pb::Display::Text);
    client.execute("rollback; reset all").await.unwrap();
    assert_eq!(kinds(&csv(&mut client, query).await.1), native);

    let shown = async |client: &mut _| {
        String::from_utf8(csv(client, "select 0.1::float8 + 0.2::float8 as v").await.0).unwrap()
    };
    assert_eq!(shown(&mut client).await, "v\n0.30000000000000004\n");
    client.execute("select hide()").await.unwrap();
    assert_eq!(shown(&mut client).await, "v\n0.3\n");
}

#[tokio::test]
async fn another_client_encoding_is_never_taken_for_utf8() {
    let server = Postgres::start();
    server.psql("create table names (größe int)");
    let mut client = open(&server).await;
    client.execute("set client_encoding = 'LATIN1'").await.unwrap();
    let (text, _) =
        csv(&mut client, "select 'a' as v, chr(233) || chr(233) as w, chr(195) || chr(169) as x").await;
    // The last one is valid UTF-8 by accident.
    assert_eq!(String::from_utf8(text).unwrap(), "v,w,x\na,éé,Ã©\n");
    let (_, columns) = csv(&mut client, "table names").await;
    assert_eq!(columns[0].name, "größe");
    let refused = rejection(&mut client, "select 'größe'").await;
    assert_eq!(refused.sqlstate, "22021");
    assert!(refused.message.contains("LATIN1"), "{refused:?}");
    let bindings = vec![pb::Binding { name: "1".into(), text: Some("größe".into()) }];
    let request = pb::ExecuteRequest { bindings, ..client.execute_request("select $1::text") };
    let answer = client.execute_with(request).await.unwrap();
    let refused = answer.statements[0].rejection.as_ref().unwrap();
    assert_eq!(refused.message, "the session's client_encoding is LATIN1, and a value is written in UTF8");
    // One that is not read here is told as the bytes that came, also when these are UTF-8 by accident.
    client.execute("set client_encoding = 'LATIN2'").await.unwrap();
    let (text, _) = csv(&mut client, "select chr(225) as v, chr(258) || chr(180) as w").await;
    assert_eq!(String::from_utf8(text).unwrap(), "v,w\n\\xe1,\\xc3b4\n");
    client.execute("set client_encoding = 'UTF8'").await.unwrap();
    let (text, _) = csv(&mut client, "select 'größe' as v").await;
    assert_eq!(String::from_utf8(text).unwrap(), "v\ngröße\n");
}

#[tokio::test]
async fn a_database_of_no_known_encoding_is_read_as_utf8_or_bytes() {
    let server = Postgres::start();
    server.psql("create database bytes encoding 'SQL_ASCII' locale 'C' template template0");
    let mut client = Client::connect(Driver);
    let mut parameters = parameters(&server);
    parameters[3].1 = "bytes".into();
    client.open(parameters, secrets()).await.unwrap();
    let script = r#"create table bad (v text); insert into bad values ('größe'), (E'gr\xf6\xdfe');
        do $$ begin execute E'create table "t\xfc" (a int)'; end $$"#;
    assert_eq!(ends(&client.execute(script).await.unwrap()), ["CREATE TABLE", "INSERT 0 2", "DO"]);
    // A RESET does not take the reading away.
    for reset in ["", "reset all; ", "reset client_encoding; ", "discard all; "] {
        let (text, _) = csv(&mut client, &format!("{reset}select v, v = 'größe' as is from bad")).await;
        assert_eq!(String::from_utf8(text).unwrap(), "v,is\ngröße,t\n\\x6772f6df65,f\n", "{reset}");
    }
    let objects = client.schema(pb::GetSchemaRequest::default()).await.unwrap();
    let name = objects.iter().find_map(|object| match object {
        pb::schema_object::Object::Relation(relation) if relation.name != "bad" => {
            Some(relation.name.as_str())
        }
        _ => None,
    });
    assert_eq!(name, Some("t\u{fffd}"));
}

#[tokio::test]
async fn a_reset_leaves_the_connections_own_settings() {
    let server = Postgres::start();
    server.psql("create schema shop; create table shop.t as select 1 as a");
    let mut client = Client::connect(Driver);
    let open = pb::OpenRequest {
        options: Some(pb::OpenOptions { default_schema: "shop".into(), ..Default::default() }),
        ..client.open_request(parameters(&server), secrets())
    };
    client.open_with(open).await.unwrap();
    for reset in [
        "reset all",
        "discard all",
        "reset search_path",
        "begin; reset all; rollback",
        "begin; reset all; commit",
    ] {
        client.execute(reset).await.unwrap();
        let kept = "select a from t where current_setting('client_connection_check_interval') = '2s'";
        assert_eq!(ends(&client.execute(kept).await.unwrap()), ["SELECT 1"], "{reset}");
    }
}

#[tokio::test]
async fn names_of_types_are_those_of_now_and_as_many_as_a_row_has() {
    let server = Postgres::start();
    server.psql("create type mood as enum ('sad'); create schema other");
    let mut client = open(&server).await;
    let shown =
        async |client: &mut _| csv(client, "select 'sad'::public.mood as v").await.1[0].database_type.clone();
    assert_eq!(shown(&mut client).await, "mood");
    client.execute("alter type mood rename to temper").await.unwrap();
    client.execute("alter type temper rename to mood2; alter type mood2 rename to mood").await.unwrap();
    client.execute("set search_path = other").await.unwrap();
    assert_eq!(shown(&mut client).await, "public.mood");

    let columns: Vec<_> = (1..=1664).map(|bits| format!("b'0'::bit({bits})")).collect();
    let wide = format!("select {}", columns.join(", "));
    assert_eq!(
        ends(&client.execute(&format!("begin; {wide}; select 1")).await.unwrap()),
        ["BEGIN", "SELECT 1", "SELECT 1"]
    );
    let (_, told) = csv(&mut client, &wide).await;
    assert_eq!(told[1663].database_type, "bit(1664)");
}
