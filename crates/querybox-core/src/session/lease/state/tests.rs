//! What holds for a leased session whatever happens to it, in whatever order.

use proptest::{collection::vec, prelude::*};

use super::*;

const LIMIT: Duration = Duration::from_secs(600);

fn transactions() -> impl Strategy<Value = TransactionState> {
    prop_oneof![
        Just(TransactionState::Unknown),
        Just(TransactionState::Idle),
        Just(TransactionState::Open),
        Just(TransactionState::Failed),
    ]
}

fn causes() -> impl Strategy<Value = EndCause> {
    prop_oneof![
        Just(EndCause::Closed),
        Just(EndCause::Unstoppable),
        Just(EndCause::Deadline(LIMIT)),
        Just(EndCause::Memory { limit_bytes: 1 }),
        Just(EndCause::DriverFailed),
        Just(EndCause::ConnectionLost),
        Just(EndCause::ShuttingDown),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => Just(Event::Asked),
        6 => Just(Event::Answered),
        4 => transactions().prop_map(Event::Transaction),
        1 => Just(Event::Unused(LIMIT)),
        1 => causes().prop_map(Event::End),
        1 => Just(Event::DriverGone),
    ]
}

proptest! {
    #[test]
    fn one_request_at_a_time_and_one_cause_for_ever(events in vec(events(), 0..60)) {
        let mut machine = Machine::new();
        // A second account of the same life, kept from the verdicts alone.
        let (mut runs, mut cause, mut gone) = (false, None, None);
        for event in events {
            let verdict = machine.apply(event);
            match (event, verdict) {
                (Event::Asked, Verdict::Goes) => {
                    prop_assert!(!runs && cause.is_none(), "granted while another runs, or after the end");
                    runs = true;
                }
                (Event::Asked, Verdict::Busy) => prop_assert!(runs && cause.is_none()),
                (Event::Asked, Verdict::Over(end)) => prop_assert_eq!(Some(end.cause), cause),
                (Event::Asked, Verdict::Nothing) => prop_assert!(false, "a request is never ignored"),
                (_, Verdict::Busy | Verdict::Over(_)) => prop_assert!(false, "only requests are refused"),
                (_, Verdict::Nothing) => {}
                (Event::Answered, Verdict::Goes) => {
                    prop_assert!(runs);
                    runs = false;
                }
                (Event::Unused(limit), Verdict::Goes) => {
                    prop_assert!(!runs && cause.is_none(), "only an idle session is unused");
                    cause = Some(EndCause::Idle(limit));
                }
                (Event::End(why), Verdict::Goes) => {
                    prop_assert!(cause.is_none(), "a second cause");
                    cause = Some(why);
                }
                (Event::DriverGone, Verdict::Goes) => {
                    prop_assert!(gone.is_none());
                    cause = cause.or(Some(EndCause::DriverDied));
                    gone = machine.end();
                }
                (Event::Transaction(_), Verdict::Goes) => prop_assert!(gone.is_none()),
            }
            prop_assert_eq!(machine.end().map(|end| end.cause), cause);
            prop_assert_eq!(machine.has_ended(), gone.is_some());
            if gone.is_some() {
                prop_assert_eq!(machine.end(), gone, "the end does not change any more");
            }
        }
    }

    #[test]
    fn every_life_ends_when_its_driver_goes(events in vec(events(), 0..30)) {
        let mut machine = Machine::new();
        for event in events {
            machine.apply(event);
        }
        machine.apply(Event::DriverGone);
        prop_assert!(machine.has_ended());
        prop_assert_eq!(machine.apply(Event::Asked), Verdict::Over(machine.end().unwrap()));
    }
}

fn ended_after(events: &[Event]) -> String {
    let mut machine = Machine::new();
    for event in events {
        assert_eq!(machine.apply(*event), Verdict::Goes, "{event:?}");
    }
    machine.end().unwrap().to_string()
}

#[test]
fn an_end_says_whether_a_transaction_went_with_it() {
    use Event::{Answered, Asked, DriverGone, End, Transaction, Unused};
    let begin = [Asked, Transaction(TransactionState::Open), Answered];
    assert_eq!(ended_after(&[Unused(LIMIT)]), "it was unused for 600s");
    assert_eq!(ended_after(&[DriverGone]), "its driver died");
    assert_eq!(
        ended_after(&[&begin[..], &[End(EndCause::ConnectionLost), DriverGone]].concat()),
        "its connection to the database was lost, and its open transaction is lost"
    );
    // The script that ran when it was closed had committed by then.
    let commit = [Asked, End(EndCause::Closed), Transaction(TransactionState::Idle), DriverGone];
    assert_eq!(ended_after(&[&begin[..], &commit[..]].concat()), "it was closed");
}
