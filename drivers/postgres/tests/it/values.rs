//! Random values of the types that travel in binary look as the server's own COPY prints them.

use proptest::{
    collection::vec,
    num::{f32, f64},
    option::weighted,
    prelude::*,
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use querybox_fixtures::Postgres;

use crate::{
    rendering::{assert_same, copy_csv, csv},
    server::open,
};

const QUERIES: usize = 12;
const ROWS: usize = 150;

const TYPES: [&str; 13] = [
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "numeric",
    "numeric(38,9)",
    "numeric(7,7)",
    "date",
    "time",
    "timestamp",
    "text",
    "bytea",
];

/// A row: one expression for each of the types.
fn row() -> impl Strategy<Value = Vec<Option<String>>> {
    let float8 = f64::ANY.prop_map(|value| format!("'{value:e}'"));
    let float4 = f32::ANY.prop_map(|value| format!("'{value:e}'"));
    let numeric = "-?[0-9]{1,40}(\\.[0-9]{1,40})?".prop_map(|digits| format!("'{digits}'"));
    let numeric_38_9 = "-?[0-9]{1,29}\\.[0-9]{1,12}".prop_map(|digits| format!("'{digits}'::numeric(50,9)"));
    let numeric_7_7 = "-?0\\.[0-9]{1,7}".prop_map(|digits| format!("'{digits}'"));
    // All days and microseconds that the server has.
    let date = (-2_451_545..2_145_031_949_i64).prop_map(|days| format!("date '2000-01-01' + {days}"));
    let time = (0..=86_400_000_000_i64).prop_map(|micros| format!("time '00:00' + interval '{micros} us'"));
    let timestamp = (-211_813_488_000_000_000..9_223_371_331_200_000_000_i64).prop_map(|micros| {
        let (days, rest) = (micros / 86_400_000_000, micros % 86_400_000_000);
        format!("timestamp '2000-01-01' + interval '{days} days {rest} us'")
    });
    let text = "\\PC{0,20}|[\\r\\n\\t,\"\\\\ ]{0,5}"
        .prop_map(|text| format!("convert_from(decode('{}', 'hex'), 'UTF8')", hex(text.as_bytes())));
    let bytes = vec(any::<u8>(), 0..40).prop_map(|bytes| format!("decode('{}', 'hex')", hex(&bytes)));
    (
        (any::<i16>(), any::<i32>(), any::<i64>())
            .prop_map(|(a, b, c)| vec![format!("'{a}'"), format!("'{b}'"), format!("'{c}'")]),
        (float4, float8, numeric, numeric_38_9, numeric_7_7).prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e]),
        (date, time, timestamp, text, bytes).prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e]),
    )
        .prop_map(|(a, b, c)| [a, b, c].concat())
        .prop_flat_map(|values| {
            values.into_iter().map(|value| weighted(0.95, Just(value))).collect::<Vec<_>>()
        })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn random_values_look_as_the_server_prints_them() {
    let server = Postgres::start();
    let mut client = open(&server).await;
    let mut runner = TestRunner::default();
    for _ in 0..QUERIES {
        let rows = vec(row(), ROWS).new_tree(&mut runner).unwrap().current();
        let rows: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(index, values)| {
                let values = values
                    .iter()
                    .zip(TYPES)
                    .map(|(value, name)| format!("({})::{name}", value.as_deref().unwrap_or("null")));
                format!("({index}, {})", values.collect::<Vec<_>>().join(", "))
            })
            .collect();
        let columns: Vec<_> = (0..TYPES.len()).map(|number| format!("c{number}")).collect();
        let columns = columns.join(", ");
        let sql = format!("select {columns} from (values {}) t (i, {columns}) order by i", rows.join(",\n"));
        let (ours, described) = csv(&mut client, &sql).await;
        assert_eq!(described.len(), TYPES.len());
        assert_same(&ours, &copy_csv(&server, "", &sql), &sql);
    }
}
