//! What is written can be read again.

use arrow_array::{Decimal128Array, Float64Array, Int64Array, StringArray};
use proptest::prelude::*;
use querybox_results::{Batch, Display, Format};
use serde_json::{Value, json};

use crate::{
    documents::document,
    ipc::{batch, filled},
};

/// Texts with what the formats must escape.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a,\"\\\\.\n\r\t ]{0,6}",
        any::<String>(),
        Just("\\.".to_owned()),
        Just("\\N".to_owned()),
        Just(String::new()),
    ]
}

fn table() -> impl Strategy<Value = (Vec<String>, Vec<Vec<Option<String>>>)> {
    (1..4_usize, 0..6_usize).prop_flat_map(|(columns, rows)| {
        let names = prop::collection::vec(text(), columns);
        let row = prop::collection::vec(prop::option::of(text()), columns);
        (names, prop::collection::vec(row, rows))
    })
}

fn text_batch(names: &[String], rows: &[Vec<Option<String>>]) -> Batch {
    let column = |(index, name): (usize, &String)| {
        let values: StringArray = rows.iter().map(|row| row[index].as_deref()).collect();
        filled(name, Display::Text, values)
    };
    batch(names.iter().enumerate().map(column).collect(), Vec::new())
}

/// A CSV reader of its own: fields that are not quoted and empty are NULL.
fn read_csv(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut row = Vec::new();
        loop {
            let end;
            if let Some(quoted) = rest.strip_prefix('"') {
                let mut field = String::new();
                let mut at = quoted;
                loop {
                    let (part, after) = at.split_once('"').unwrap();
                    field.push_str(part);
                    at = after;
                    let Some(after) = at.strip_prefix('"') else { break };
                    field.push('"');
                    at = after;
                }
                row.push(Some(field));
                end = at;
            } else {
                let length = rest.find([',', '\n']).unwrap();
                row.push(Some(rest[..length].to_owned()).filter(|field| !field.is_empty()));
                end = &rest[length..];
            }
            rest = &end[1..];
            if end.starts_with('\n') {
                break;
            }
            assert!(end.starts_with(','));
        }
        rows.push(row);
    }
    rows
}

fn read_tsv(text: &str) -> Vec<Vec<Option<String>>> {
    let field = |field: &str| {
        if field == "\\N" {
            return None;
        }
        let mut text = String::new();
        let mut chars = field.chars();
        while let Some(char) = chars.next() {
            text.push(match char {
                '\\' => match chars.next().unwrap() {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'v' => '\u{b}',
                    'f' => '\u{c}',
                    '\\' => '\\',
                    other => panic!("unknown escape {other}"),
                },
                char => char,
            });
        }
        Some(text)
    };
    text.split_terminator('\n').map(|line| line.split('\t').map(field).collect()).collect()
}

proptest! {
    #[test]
    fn csv_and_tsv_read_back((names, rows) in table()) {
        let batches = [text_batch(&names, &rows)];
        let mut expected = vec![names.into_iter().map(Some).collect::<Vec<_>>()];
        expected.extend(rows);
        prop_assert_eq!(&read_csv(&document(Format::Csv, &batches).0), &expected);
        prop_assert_eq!(&read_tsv(&document(Format::Tsv, &batches).0), &expected);
    }

    #[test]
    fn json_reads_back((names, rows) in table()) {
        let batches = [text_batch(&names, &rows)];
        let read: Vec<serde_json::Map<String, Value>> =
            serde_json::from_str(&document(Format::Json, &batches).0).unwrap();
        let (lines, _) = document(Format::NdJson, &batches);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(read.len(), rows.len());
        prop_assert_eq!(lines.len(), rows.len());
        for ((object, line), row) in read.into_iter().zip(lines).zip(rows) {
            // No key was lost to another, and the order is the columns'.
            prop_assert_eq!(object.values().cloned().collect::<Vec<_>>(), row.iter().map(|f| json!(f)).collect::<Vec<_>>());
            prop_assert_eq!(Value::Object(object), line);
        }
    }

    #[test]
    fn json_numbers_read_back(integer: i64, bits: u64, units in -10_i128.pow(30)..10_i128.pow(30)) {
        let float = f64::from_bits(bits);
        let decimal = Decimal128Array::from(vec![units]).with_precision_and_scale(38, 6).unwrap();
        let columns = vec![
            filled("integer", Display::Integer, Int64Array::from(vec![integer])),
            filled("float", Display::FloatPg, Float64Array::from(vec![float])),
            filled("point", Display::FloatPoint, Float64Array::from(vec![float])),
            filled("decimal", Display::Decimal, decimal),
        ];
        let (text, _) = document(Format::NdJson, &[batch(columns, Vec::new())]);
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read["integer"], &json!(integer));
        if float.is_finite() {
            // serde_json rounds in its last bit unless told otherwise, so the digits are compared.
            let digits = text.split_once("\"float\":").unwrap().1.split_once(',').unwrap().0;
            prop_assert_eq!(digits.parse::<f64>().unwrap().to_bits(), bits);
            prop_assert!(read["float"].is_number() && read["point"].is_number());
        } else {
            prop_assert!(read["float"].is_string() && read["point"].is_string());
        }
        prop_assert!(read["decimal"].is_number());
        let sign = if units < 0 { "-" } else { "" };
        let digits = format!("{sign}{}.{:06}", units.unsigned_abs() / 1_000_000, units.unsigned_abs() % 1_000_000);
        prop_assert!(text.ends_with(&format!("\"decimal\":{digits}}}\n")), "{text}");
    }

    #[test]
    fn decimals_of_any_width_read_back(units: i128, scale in 0..38_i8) {
        let narrow = Decimal128Array::from(vec![units]).with_data_type(arrow_schema::DataType::Decimal128(38, scale));
        let wide = arrow_array::Decimal256Array::from(vec![arrow_buffer::i256::from_i128(units)])
            .with_data_type(arrow_schema::DataType::Decimal256(76, scale));
        let narrow = crate::ipc::texts(Display::Decimal, narrow).remove(0);
        prop_assert_eq!(&crate::ipc::texts(Display::Decimal, wide).remove(0), &narrow);
        let (whole, fraction) = narrow.split_once('.').unwrap_or((&narrow, ""));
        prop_assert_eq!(fraction.len(), usize::try_from(scale).unwrap());
        prop_assert_eq!(format!("{whole}{fraction}").parse::<i128>().unwrap(), units);
    }
}
