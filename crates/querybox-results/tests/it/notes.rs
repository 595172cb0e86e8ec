//! Cells that the array cannot hold.

use arrow_array::{Date32Array, StringArray};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use expect_test::{Expect, expect};
use querybox_results::{CellNote, Display, Note, State};

use crate::ipc::{Filled, batch, filled, schema_message, send};

fn note(row: u32, column: u32, note: Note) -> CellNote {
    CellNote { row, column, note, display: None, full_size: None }
}

/// Row 0: a date and a text; row 1: nothing.
fn columns() -> Vec<Filled> {
    vec![
        filled("day", Display::DateIso, Date32Array::from(vec![Some(0), None])),
        filled("text", Display::Text, StringArray::from(vec![Some("first"), None])),
    ]
}

#[test]
fn a_noted_cell_is_no_null() {
    let notes = vec![
        note(1, 1, Note::Undecodable(Bytes::from_static(b"caf\xe9"))),
        note(1, 0, Note::ExactText("infinity".to_owned())),
        note(0, 1, Note::CutAtSize(1 << 40)),
    ];
    let batch = batch(columns(), notes);
    let shown = |row, column| {
        let cell = batch.cell(row, column);
        (cell.state(), cell.text(&mut String::new()).to_owned())
    };
    assert_eq!(shown(0, 0), (State::Value, "1970-01-01".to_owned()));
    assert_eq!(shown(0, 1), (State::Cut { full_size: 1 << 40 }, "first".to_owned()));
    assert_eq!(shown(1, 0), (State::Value, "infinity".to_owned()));
    assert_eq!(shown(1, 1), (State::Undecodable, "\\x636166e9".to_owned()));
}

#[test]
fn null_without_a_note_is_null() {
    let batch = batch(columns(), Vec::new());
    assert_eq!(batch.cell(1, 0).state(), State::Null);
    assert_eq!(batch.cell(1, 0).text(&mut String::new()), "");
}

#[test]
fn a_note_can_name_another_kind() {
    let own = CellNote { display: Some(Display::Integer), ..note(1, 1, Note::ExactText("42".to_owned())) };
    let batch = batch(columns(), vec![own]);
    assert_eq!(*batch.cell(0, 1).display(), Display::Text);
    assert_eq!(*batch.cell(1, 1).display(), Display::Integer);
}

#[test]
fn a_noted_value_can_be_cut_too() {
    let cut = |note| CellNote { full_size: Some(1 << 30), ..note };
    let text = cut(note(1, 0, Note::ExactText("44 BC, and then".to_owned())));
    let bytes = cut(note(1, 1, Note::Undecodable(Bytes::from_static(b"\xff"))));
    let batch = batch(columns(), vec![text, bytes]);
    assert_eq!(batch.cell(1, 0).state(), State::Cut { full_size: 1 << 30 });
    assert_eq!(batch.cell(1, 0).text(&mut String::new()), "44 BC, and then");
    assert_eq!(batch.cell(1, 1).state(), State::Cut { full_size: 1 << 30 });
    assert_eq!(batch.cell(1, 1).text(&mut String::new()), "\\xff");
}

#[test]
fn a_column_without_nulls_can_have_a_noted_cell() {
    let mut sent = send(columns(), 2);
    let not_null = [("day", DataType::Date32), ("text", DataType::Utf8)]
        .map(|(name, data_type)| Field::new(name, data_type, false));
    sent.schema = schema_message(&Schema::new(not_null.to_vec()));
    let noted = note(1, 0, Note::ExactText("infinity".to_owned()));
    assert_eq!(sent.read(vec![noted]).unwrap().cell(1, 0).text(&mut String::new()), "infinity");
}

#[track_caller]
fn check_refused(notes: Vec<CellNote>, expected: Expect) {
    let refused = send(columns(), 2).read(notes).unwrap_err();
    expected.assert_eq(&refused.to_string());
}

#[test]
fn a_note_that_does_not_go_with_the_array_is_refused() {
    let text = || Note::ExactText("x".to_owned());
    check_refused(
        vec![note(2, 0, text())],
        expect!["the driver's note on row 2, column 0 is refused: there is no such row"],
    );
    check_refused(
        vec![note(0, 2, text())],
        expect!["the driver's note on row 0, column 2 is refused: there is no such column"],
    );
    check_refused(
        vec![note(0, 0, text())],
        expect!["the driver's note on row 0, column 0 is refused: the array has a value there"],
    );
    check_refused(
        vec![note(1, 1, Note::CutAtSize(9))],
        expect!["the driver's note on row 1, column 1 is refused: the array has no value there to be cut"],
    );
    check_refused(
        vec![note(0, 0, Note::CutAtSize(9))],
        expect!["the driver's note on row 0, column 0 is refused: only text and bytes can be cut"],
    );
    check_refused(
        vec![note(1, 1, text()), note(1, 0, text()), note(1, 1, text())],
        expect!["the driver's note on row 1, column 1 is refused: the cell has two"],
    );
}
