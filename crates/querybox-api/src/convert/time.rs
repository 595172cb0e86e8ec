//! Times and spans.

use std::time::Duration;

use jiff::Timestamp;
use querybox_contracts::core::v1 as pb;
use querybox_core::Deadline;

use super::InvalidField;

pub(super) fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    // Whole seconds rounded down and the rest above them, as protobuf wants it also before 1970.
    let nanoseconds = time.as_nanosecond();
    let second = 1_000_000_000;
    prost_types::Timestamp {
        seconds: i64::try_from(nanoseconds.div_euclid(second)).expect("its years fit"),
        nanos: i32::try_from(nanoseconds.rem_euclid(second)).expect("less than a second"),
    }
}

/// `None`: it is no time that there is.
pub(super) fn instant(time: prost_types::Timestamp) -> Option<Timestamp> {
    let nanos = time.nanos;
    (0..1_000_000_000).contains(&nanos).then(|| Timestamp::new(time.seconds, nanos).ok())?
}

pub(super) fn span(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).expect("less than a second"),
    }
}

/// `None`: the message is absent.
pub(super) fn deadline(
    message: Option<pb::Deadline>,
    field: &'static str,
) -> Result<Option<Deadline>, InvalidField> {
    match message.map(|deadline| deadline.limit) {
        None => Ok(None),
        Some(None) => Err(InvalidField::new(field, "is neither a time nor none")),
        Some(Some(pb::deadline::Limit::None(pb::NoDeadline {}))) => Ok(Some(Deadline::None)),
        Some(Some(pb::deadline::Limit::After(after))) => match Duration::try_from(after) {
            Ok(after) if !after.is_zero() => Ok(Some(Deadline::After(after))),
            Ok(_) | Err(_) => Err(InvalidField::new(field, "is not a time above zero")),
        },
    }
}

pub(super) fn deadline_message(deadline: Deadline) -> Option<pb::Deadline> {
    let limit = match deadline {
        Deadline::Default => return None,
        Deadline::None => pb::deadline::Limit::None(pb::NoDeadline {}),
        Deadline::After(after) => pb::deadline::Limit::After(span(after)),
    };
    Some(pb::Deadline { limit: Some(limit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_1970_has_its_fraction_above_the_second() {
        let time = timestamp("1969-12-31T23:59:59.75Z".parse().unwrap());
        assert_eq!((time.seconds, time.nanos), (-1, 750_000_000));
        let time = timestamp("2026-01-02T03:04:05.000001Z".parse().unwrap());
        assert_eq!((time.seconds, time.nanos), (1_767_323_045, 1000));
    }

    #[test]
    fn times_come_back_as_they_went() {
        for text in
            ["1969-12-31T23:59:59.75Z", "2026-01-02T03:04:05.000001Z", "9999-12-30T22:00:00.999999999Z"]
        {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!(instant(timestamp(time)), Some(time));
        }
        for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0)] {
            assert_eq!(instant(prost_types::Timestamp { seconds, nanos }), None);
        }
    }

    #[test]
    fn deadlines_come_back_as_they_went() {
        for kept in [Deadline::Default, Deadline::None, Deadline::After(Duration::from_millis(1500))] {
            let read = deadline(deadline_message(kept), "deadline").unwrap();
            assert_eq!(read.unwrap_or(Deadline::Default), kept);
        }
    }

    #[test]
    fn a_deadline_that_is_no_time_is_refused_by_name() {
        let after = |seconds, nanos| pb::Deadline {
            limit: Some(pb::deadline::Limit::After(prost_types::Duration { seconds, nanos })),
        };
        for wrong in [pb::Deadline { limit: None }, after(0, 0), after(-1, 0), after(0, -5)] {
            assert_eq!(deadline(Some(wrong), "spec.deadline").unwrap_err().field, "spec.deadline");
        }
    }
}
