//! A driver that lies gets an error, never a panic.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use arrow_array::{
    BinaryArray, BooleanArray, Decimal256Array, FixedSizeBinaryArray, Int64Array, ListArray, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, types::Int32Type,
};
use arrow_buffer::i256;
use bytes::Bytes;
use expect_test::expect;
use proptest::prelude::*;
use querybox_results::{Display, Error, Format, Writer};
use serde_json::value::RawValue;

use crate::ipc::{Sent, filled, send};

/// A result with every layout that the renderer takes.
fn sent() -> Sent {
    let lists = vec![Some(vec![Some(1), None]), None, Some(vec![Some(3)])];
    let bytes: Vec<Option<&[u8]>> = vec![Some(b"ab"), None, Some(b"")];
    let uuids = vec![Some([7_u8; 16]), None, Some([255; 16])];
    send(
        vec![
            filled("text", Display::Text, StringArray::from(vec![Some("first"), None, Some("ä")])),
            filled("json", Display::Json, StringArray::from(vec!["{}", "[1]", "null"])),
            filled("integer", Display::Integer, Int64Array::from(vec![Some(1), None, Some(-3)])),
            filled("bool", Display::BoolTF, BooleanArray::from(vec![Some(true), None, Some(false)])),
            filled("bytes", Display::BytesHex, BinaryArray::from(bytes)),
            filled("wide", Display::Decimal, Decimal256Array::from(vec![i256::MAX, i256::MIN, i256::ONE])),
            filled("at", Display::TimestampIso, TimestampMicrosecondArray::from(vec![0, i64::MIN, i64::MAX])),
            filled("time", Display::Time, Time64MicrosecondArray::from(vec![Some(0), None, Some(1)])),
            filled(
                "uuid",
                Display::Uuid,
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids.into_iter(), 16).unwrap(),
            ),
            filled(
                "list",
                Display::Array(Box::new(Display::Integer)),
                ListArray::from_iter_primitive::<Int32Type, _, _>(lists),
            ),
        ],
        3,
    )
}

/// Reads and writes it in every format; whether it could be read.
fn use_all(sent: Sent) -> bool {
    let Ok(batch) = sent.read(Vec::new()) else { return false };
    for format in [Format::Csv, Format::Tsv, Format::Json, Format::NdJson] {
        let mut writer = Writer::begin(format, batch.columns(), Vec::new()).unwrap();
        writer.batch(&batch).unwrap();
        let (bytes, _) = writer.end().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        if format == Format::Json {
            serde_json::from_str::<Vec<&RawValue>>(&text).unwrap();
        }
    }
    true
}

/// Whether anything panicked while `run` ran, also where the panic was caught.
fn panics(run: impl FnOnce()) -> bool {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| PANICKED.store(true, Ordering::SeqCst)));
    PANICKED.store(false, Ordering::SeqCst);
    run();
    std::panic::set_hook(before);
    PANICKED.load(Ordering::SeqCst)
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Schema,
    Metadata,
    Body,
}

fn mutate(sent: &mut Sent, part: Part, mutation: impl FnOnce(&mut Vec<u8>)) {
    let bytes = match part {
        Part::Schema => &mut sent.schema,
        Part::Metadata => &mut sent.metadata,
        Part::Body => &mut sent.body,
    };
    let mut changed = bytes.to_vec();
    mutation(&mut changed);
    *bytes = Bytes::from(changed);
}

#[test]
fn the_sample_itself_is_read() {
    assert!(use_all(sent()));
}

#[test]
fn every_single_byte_may_be_wrong() {
    let sent = sent();
    let mut read = 0;
    let panicked = panics(|| {
        for part in [Part::Schema, Part::Metadata, Part::Body] {
            let length = match part {
                Part::Schema => sent.schema.len(),
                Part::Metadata => sent.metadata.len(),
                Part::Body => sent.body.len(),
            };
            for at in 0..length {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut sent = sent.clone();
                    mutate(&mut sent, part, |bytes| bytes[at] = value);
                    read += u32::from(use_all(sent));
                }
            }
        }
    });
    assert!(!panicked);
    // Not everything is refused, or nothing was tried.
    assert!(read > 1000, "{read}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_bytes_may_be_wrong(
        part in prop_oneof![Just(Part::Schema), Just(Part::Metadata), Just(Part::Body)],
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        row_count in prop_oneof![9 => Just(3_u32), 1 => any::<u32>()],
    ) {
        let mut sent = sent();
        sent.row_count = row_count;
        mutate(&mut sent, part, |bytes| {
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
        });
        let panicked = panics(|| {
            use_all(sent);
        });
        prop_assert!(!panicked);
    }

    #[test]
    fn noise_is_refused(
        schema in prop::collection::vec(any::<u8>(), 0..256),
        metadata in prop::collection::vec(any::<u8>(), 0..256),
    ) {
        let mut noise = sent();
        noise.schema = schema.into();
        let panicked = panics(|| assert!(noise.read(Vec::new()).is_err()));
        prop_assert!(!panicked);
        let mut noise = sent();
        noise.metadata = metadata.into();
        let panicked = panics(|| assert!(noise.read(Vec::new()).is_err()));
        prop_assert!(!panicked);
    }
}

#[test]
fn a_body_at_any_address_reads_alike() {
    for offset in 0..16 {
        let mut sent = sent();
        let mut moved = vec![0; offset];
        moved.extend_from_slice(&sent.body);
        sent.body = Bytes::from(moved).slice(offset..);
        assert!(use_all(sent));
    }
}

#[track_caller]
fn check_refused(sent: Sent, expected: expect_test::Expect) {
    expected.assert_eq(&sent.read(Vec::new()).unwrap_err().to_string());
}

#[test]
fn what_is_outside_of_the_contract_has_a_name() {
    check_refused(
        Sent { row_count: 4, ..sent() },
        expect!["the driver's batch is refused: its row count differs from the message's"],
    );
    check_refused(
        Sent { body: sent().body.slice(..64), ..sent() },
        expect!["the driver's batch is refused: its body has another length than it says"],
    );
    check_refused(
        Sent { metadata: sent().schema, ..sent() },
        expect!["the driver's batch is refused: the message holds no record batch"],
    );
    let late = Time64MicrosecondArray::from(vec![86_400_000_001]);
    check_refused(
        send(vec![filled("time", Display::Time, late)], 1),
        expect!["the driver's batch is refused: a time lies outside of the day"],
    );
    let encapsulated = [&[0xff_u8; 4], &200_u32.to_le_bytes()[..], &sent().schema].concat();
    assert!(matches!(Sent { schema: encapsulated.into(), ..sent() }.read(Vec::new()), Err(Error::Schema(_))));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let mut sent = send(vec![filled("text", Display::Text, StringArray::from(vec!["only"]))], 1);
    mutate(&mut sent, Part::Body, |bytes| {
        let at = bytes.windows(4).position(|window| window == b"only").unwrap();
        bytes[at] = 0xff;
    });
    assert!(matches!(sent.read(Vec::new()), Err(Error::Batch(_))));
}
