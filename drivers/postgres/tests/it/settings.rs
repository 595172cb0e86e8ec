//! A session that shows values in another way is answered in that way.

use querybox_fixtures::Postgres;
use querybox_plugin::pb;

use crate::{
    rendering::{assert_same, copy_csv, csv},
    server::{open, rejection},
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
    let mut client = open(&server).await;
    client.execute("set client_encoding = 'LATIN1'").await.unwrap();
    let (text, _) =
        csv(&mut client, "select 'a' as v, chr(233) || chr(233) as w, chr(195) || chr(169) as x").await;
    // The last one is valid UTF-8 by accident.
    assert_eq!(String::from_utf8(text).unwrap(), "v,w,x\na,\\xe9e9,\\xc3a9\n");
    let refused = rejection(&mut client, "select 'größe'").await;
    assert_eq!(refused.sqlstate, "22021");
    assert!(refused.message.contains("LATIN1"), "{refused:?}");
    client.execute("set client_encoding = 'UTF8'").await.unwrap();
    let (text, _) = csv(&mut client, "select 'größe' as v").await;
    assert_eq!(String::from_utf8(text).unwrap(), "v\ngröße\n");
}
