//! The calls of the contract.

use querybox_launcher::{
    CallError, CancelOutcome, Fact, OpenOutcome, Parts, Reason, SchemaOrder, Stage, StageOutcome,
};
use querybox_vault::Secret;

use crate::house::{House, open_order, script};

async fn facts(parts: &mut Parts) -> Result<Vec<Fact>, CallError> {
    let mut facts = Vec::new();
    while let Some(part) = parts.next().await? {
        facts.push(part.fact);
    }
    Ok(facts)
}

#[tokio::test]
async fn a_script_answers_with_facts_and_with_its_parts_untouched() {
    let house = House::new();
    let driver = house.open().await;
    let mut parts = driver.execute(script("rows 2")).await.unwrap();
    let header = parts.next().await.unwrap().unwrap();
    assert_eq!(header.fact, Fact::Header { statement: 0, returns_rows: true, columns: 1 });
    let batch = parts.next().await.unwrap().unwrap();
    assert_eq!(batch.fact, Fact::Batch { rows: 1, bytes: (128 << 10) + 5 });
    assert!(format!("{:?}", batch.wire.part.unwrap()).contains("batch"));
    let Fact::Batch { .. } = parts.next().await.unwrap().unwrap().fact else { panic!() };
    let Fact::Summary(summary) = parts.next().await.unwrap().unwrap().fact else { panic!() };
    assert_eq!((summary.rows, summary.elapsed.as_millis()), (2, 1));
    assert!(parts.next().await.unwrap().is_none());
    assert!(parts.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_wrong_password_is_a_rejection_and_the_right_one_opens() {
    let house = House::new();
    for (password, opens) in [("wrong", false), ("right", true)] {
        let mut order = open_order("");
        order.credential = vec![("password".to_owned(), Secret::from(password.to_owned()))];
        match house.start().await.open(order).await.unwrap() {
            OpenOutcome::Opened(..) => assert!(opens),
            OpenOutcome::Rejected(rejection) => {
                assert!(!opens);
                assert_eq!(rejection.sqlstate, "28P01");
            }
        }
    }
}

#[tokio::test]
async fn a_drivers_reason_is_kept_and_its_words_are_made_printable() {
    let house = House::new();
    let Err(CallError::Driver { reason, message }) = house.start().await.open(open_order("refused")).await
    else {
        panic!()
    };
    assert_eq!((reason, message.as_str()), (Reason::ConnectFailed, "nobody listens there"));

    let driver = house.open().await;
    let mut parts = driver.execute(script("fail")).await.unwrap();
    let Err(CallError::Driver { reason, message }) = facts(&mut parts).await else { panic!() };
    assert_eq!((reason, message.as_str()), (Reason::ConnectionLost, "the server \\u{1b}[31mwent away"));
    assert!(driver.execute(script("rows 1")).await.is_ok(), "the driver still runs");
}

#[tokio::test]
async fn a_driver_that_lies_is_told_and_killed() {
    let house = House::new();
    for (lie, told) in
        [("lie", "a summary of 7 rows after 0 rows"), ("vanish", "the parts end inside statement 0")]
    {
        let driver = house.open().await;
        let mut parts = driver.execute(script(lie)).await.unwrap();
        let Err(CallError::Broken(broken)) = facts(&mut parts).await else { panic!() };
        assert_eq!(broken.what, told);
        assert_eq!(driver.ended().await.cause, querybox_launcher::Cause::Killed);
    }
}

#[tokio::test]
async fn cancel_reaches_the_driver_and_the_statement_ends_with_its_own_part() {
    let house = House::new();
    let driver = house.open().await;
    let mut parts = driver.execute(script("wait")).await.unwrap();
    let Fact::Header { .. } = parts.next().await.unwrap().unwrap().fact else { panic!() };
    assert_eq!(driver.cancel().await.unwrap(), CancelOutcome::Requested);
    let Fact::Rejection(rejection) = parts.next().await.unwrap().unwrap().fact else { panic!() };
    assert_eq!(rejection.message, "interrupted");
    assert!(parts.next().await.unwrap().is_none());
}

#[tokio::test]
async fn schema_and_test_are_streamed() {
    let house = House::new();
    let order = SchemaOrder::default();
    let mut schema = house.open().await.schema(order).await.unwrap();
    assert_eq!(schema.next().await.unwrap().unwrap().wire.objects.len(), 1);
    assert!(schema.next().await.unwrap().is_none());

    let mut test = house.start().await.test(open_order("")).await.unwrap();
    let mut stages = Vec::new();
    while let Some(part) = test.next().await.unwrap() {
        assert_eq!(part.outcome, StageOutcome::Passed(None));
        stages.push(part.stage);
    }
    assert_eq!(stages, [Stage::Dial, Stage::Version]);
}

#[tokio::test]
async fn a_slow_reader_holds_the_driver_back_instead_of_filling_memory() {
    let house = House::new();
    let driver = house.open().await;
    let before = resident_bytes();
    let mut parts = driver.execute(script("rows 4000")).await.unwrap();
    parts.next().await.unwrap();
    // Time for 500 MB, were they let through.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown}");
    let read = facts(&mut parts).await.unwrap();
    assert_eq!(read.len(), 4001);
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
