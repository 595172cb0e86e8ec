//! What holds for a session whatever happens to it, in whatever order.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};
use querybox_launcher::Ending;

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
        Just(EndCause::Done),
        Just(EndCause::Rejected),
        Just(EndCause::Cancelled),
        Just(EndCause::StreamIdle(LIMIT)),
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

fn machines() -> impl Strategy<Value = Machine> {
    prop_oneof![Just(Machine::leased()), Just(Machine::one_shot())]
}

proptest! {
    #[test]
    fn one_request_at_a_time_and_one_cause_for_ever(
        mut machine in machines(),
        events in vec(events(), 0..60),
    ) {
        // A second account of the same life, kept from the verdicts alone.
        let is_leased = machine.life == Life::Leased;
        let (mut runs, mut cause, mut gone) = (!is_leased, None, None);
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
                    prop_assert!(runs && is_leased, "a session of one request ends with it");
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
    fn every_life_ends_when_its_driver_goes(mut machine in machines(), events in vec(events(), 0..30)) {
        for event in events {
            machine.apply(event);
        }
        machine.apply(Event::DriverGone);
        prop_assert!(machine.has_ended());
        prop_assert_eq!(machine.apply(Event::Asked), Verdict::Over(machine.end().unwrap()));
    }
}

fn ended_after(events: &[Event]) -> String {
    let mut machine = Machine::leased();
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

#[test]
fn both_kinds_of_sessions_name_the_end_of_a_driver_alike() {
    let last = |cause| {
        let ending = Ending { cause, stderr_tail: String::new(), memory_peak_bytes: 0 };
        Err(SessionError::Driver(CallError::Ended(Arc::new(ending))))
    };
    for (cause, expected) in [
        (Cause::Signal(9), EndCause::DriverDied),
        (Cause::Exited(3), EndCause::DriverDied),
        (Cause::Killed, EndCause::DriverDied),
        (Cause::Deadline(LIMIT), EndCause::Deadline(LIMIT)),
        (Cause::Memory { limit_bytes: 1, reached_bytes: 2 }, EndCause::Memory { limit_bytes: 1 }),
    ] {
        assert_eq!(EndCause::of_process(cause), expected);
        assert_eq!(EndCause::of_request(&last(cause), false, false), expected);
    }
}

#[test]
fn what_a_request_came_to_is_the_end_of_its_session() {
    let limit = LIMIT;
    let lost = CallError::Driver { reason: Reason::ConnectionLost, message: String::new() };
    let broken = CallError::Broken(querybox_launcher::BrokenContract { what: "".into() });
    let shutting_down = ConnectionError::ShuttingDown(crate::ShuttingDown);
    for (last, rejected, cancel_asked, cause) in [
        (Ok(()), false, false, EndCause::Done),
        (Ok(()), true, false, EndCause::Rejected),
        (Ok(()), true, true, EndCause::Cancelled),
        // The cancel came too late.
        (Ok(()), false, true, EndCause::Done),
        (Err(SessionError::Cancelled), false, true, EndCause::Cancelled),
        (Err(SessionError::Deadline { limit }), true, true, EndCause::Deadline(limit)),
        (Err(SessionError::StreamIdle { limit }), false, false, EndCause::StreamIdle(limit)),
        (Err(lost.into()), false, false, EndCause::ConnectionLost),
        (Err(broken.into()), false, false, EndCause::DriverFailed),
        (Err(shutting_down.into()), false, false, EndCause::ShuttingDown),
    ] {
        assert_eq!(EndCause::of_request(&last, rejected, cancel_asked), cause, "{last:?}");
    }
}
