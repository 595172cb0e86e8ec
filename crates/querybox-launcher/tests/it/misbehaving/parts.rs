//! Parts that break their order or contradict each other are told by what is wrong, and end the driver.

use std::time::Duration;

use querybox_launcher::Fact;

use crate::{
    house::script,
    misbehaving::{
        pen::Pen,
        trial::{Call, Outcome},
        trials,
    },
};

trials! {
    Execute {
        batch_before_header => Outcome::Broken("a batch outside of a statement"),
        summary_before_header => Outcome::Broken("a summary outside of a statement"),
        facts_before_header => Outcome::Broken("a fact of a column outside of a statement"),
        header_twice => Outcome::Broken("a header inside a statement"),
        header_inside => Outcome::Broken("a header inside a statement"),
        numbers_start_late => Outcome::Broken("statement 1 where 0 is due"),
        numbers_jump => Outcome::Broken("statement 2 where 1 is due"),
        numbers_repeat => Outcome::Broken("statement 0 where 1 is due"),
        notice_foreign => Outcome::Broken("statement 7 where 0 is due"),
        progress_foreign => Outcome::Broken("statement 7 where 0 is due"),
        summary_foreign => Outcome::Broken("statement 7 where 0 is due"),
        rejection_foreign => Outcome::Broken("statement 7 where 0 is due"),
        batch_after_summary => Outcome::Broken("a batch outside of a statement"),
        batch_after_rejection => Outcome::Broken("a batch outside of a statement"),
        rows_overstated => Outcome::Broken("a summary of 18446744073709551615 rows after 3 rows"),
        rows_understated => Outcome::Broken("a summary of 1 rows after 3 rows"),
        end_missing => Outcome::Broken("the parts end inside statement 0"),
        part_empty => Outcome::Broken("a part without content"),
        part_after_the_end => Outcome::Broken("a part after the last one"),
        rollback_inside => Outcome::Broken("the roll-back at the end inside a statement"),
        rollback_foreign => Outcome::Broken("the roll-back at the end names another statement than the last"),
        batch_empty => Outcome::Broken("a batch of no rows"),
        batch_unannounced => Outcome::Broken("a batch of a statement that returns no rows"),
        // The launcher never looks inside a batch or a schema: the reader of the result finds these.
        columns_change => Outcome::Done,
        schema_contradicts => Outcome::Done,
        schema_missing => Outcome::Broken("a header whose schema does not fit what it returns"),
        columns_unasked => Outcome::Broken("columns of a statement that returns no rows"),
        display_missing => Outcome::Broken("a column without a display"),
        columns_too_many => Outcome::Broken("a result of 40000 columns"),
        span_reversed => Outcome::Broken("a statement that ends before it starts"),
        note_beyond_rows => Outcome::Broken("a note of a cell that the batch does not have"),
        note_beyond_columns => Outcome::Broken("a note of a cell that the batch does not have"),
        notes_unsorted => Outcome::Broken("notes out of order"),
        notes_doubled => Outcome::Broken("two notes of one cell"),
        facts_beyond_columns => Outcome::Broken("facts of a column that the statement does not have"),
    }
}

#[tokio::test]
async fn a_notice_before_its_header_is_in_order() {
    let pen = Pen::new();
    let driver = pen.open_good(Duration::from_secs(20)).await;
    let mut parts = driver.execute(script("count 1; notice")).await.unwrap();
    let mut notices = 0;
    while let Some(part) = parts.next().await.unwrap() {
        notices += usize::from(part.fact == Fact::Notice);
    }
    assert_eq!(notices, 1);
}
