//! How time is counted, and given.

use futures::FutureExt as _;

use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn end(budget: &Budget) -> Option<Instant> {
    budget.0.borrow().end()
}

/// A budget that runs since now.
fn running(limit: Option<Duration>) -> Budget {
    let budget = Budget::since(Instant::now(), None);
    budget.set_limit(limit);
    budget
}

#[test]
fn the_time_of_a_slow_reader_does_not_count() {
    let start = Instant::now();
    let budget = Budget::since(start, Some(s(30)));
    assert_eq!(end(&budget), Some(start + s(30)));
    budget.pause(start + s(20));
    assert_eq!(end(&budget), None, "a paused budget is never used up");
    budget.resume(start + s(1020));
    assert_eq!(end(&budget), Some(start + s(1030)));
}

#[test]
fn pausing_twice_and_resuming_twice_count_once() {
    let start = Instant::now();
    let budget = Budget::since(start, Some(s(10)));
    budget.pause(start + s(4));
    budget.pause(start + s(5));
    budget.resume(start + s(6));
    budget.resume(start + s(7));
    assert_eq!(end(&budget), Some(start + s(12)));
    budget.pause(start + s(100));
    budget.resume(start + s(200));
    assert_eq!(end(&budget), Some(start + s(200)), "what is used up stays so");
}

#[tokio::test]
async fn it_tells_its_limit_when_it_is_used_up_and_never_without_one() {
    let past = Instant::now().checked_sub(s(1)).unwrap();
    assert_eq!(Budget::since(past, Some(s(1))).used_up().await, s(1));
    for limit in [None, Some(Duration::MAX)] {
        assert_eq!(Budget::since(past, limit).used_up().now_or_never(), None, "{limit:?}");
    }
}

#[test]
fn more_time_is_counted_from_what_is_left() {
    let start = Instant::now();
    let mut time = Time {
        left: Some(Left { left: s(10), limit: s(10) }),
        running_since: Some(start),
        is_held: false,
        phase: Phase::Runs,
    };
    assert_eq!(time.extend(Extension::By(s(5)), None, start + s(4)), Ok(Some(s(11))));
    // While the reader takes its time, too.
    time.pause(start + s(4));
    assert_eq!(time.extend(Extension::By(s(1)), None, start + s(104)), Ok(Some(s(12))));
    assert_eq!(time.end(), None);
    time.running_since = Some(start + s(200));
    assert_eq!(time.end(), Some(start + s(212)));
    assert_eq!(time.left.unwrap().limit, s(16), "the whole limit is told");
}

#[tokio::test]
async fn whoever_waits_for_the_end_learns_of_the_extension() {
    let ms = Duration::from_millis;
    let budget = running(Some(ms(200)));
    let allowance = budget.allowance();
    let begun = Instant::now();
    let extend = async {
        tokio::time::sleep(ms(20)).await;
        allowance.extend(Extension::By(ms(300)), None)
    };
    let (limit, extended) = tokio::join!(budget.used_up(), extend);
    assert_eq!(limit, ms(500));
    assert!(extended.is_ok_and(|left| left.is_some_and(|left| left > ms(300))), "{extended:?}");
    assert!(begun.elapsed() >= ms(500), "{:?}", begun.elapsed());
    let late = allowance.extend(Extension::By(s(1)), None);
    assert_eq!(late, Err(NotExtended::NothingRuns), "the request is being stopped");
}

#[test]
fn no_request_has_more_time_than_the_operator_allows() {
    let max = Some(s(60));
    let too_long = Err(NotExtended::TooLong { max: s(60) });
    let close_to = |left: Result<Option<Duration>, NotExtended>, expected: Duration| {
        let left = left.unwrap().unwrap();
        assert!(left <= expected && left > expected - s(1), "{left:?}");
    };
    let budget = running(Some(s(10)));
    let allowance = budget.allowance();
    assert_eq!(allowance.extend(Extension::By(s(51)), max), too_long);
    assert_eq!(allowance.extend(Extension::By(Duration::MAX), max), too_long);
    close_to(allowance.extend(Extension::By(s(20)), max), s(30));
    close_to(allowance.extend(Extension::Unlimited, max), s(60));
    close_to(allowance.extend(Extension::Unlimited, max), s(60));
    assert_eq!(allowance.extend(Extension::By(s(1)), max), too_long);
    assert_eq!(allowance.extend(Extension::Unlimited, None), Ok(None));
    assert_eq!(allowance.extend(Extension::By(s(1)), None), Ok(None), "it has all the time already");
}

#[test]
fn only_what_runs_can_have_more_time() {
    let nothing = Err(NotExtended::NothingRuns);
    let budget = Budget::since(Instant::now(), Some(s(10)));
    let allowance = budget.allowance();
    let by = Extension::By(s(1));
    assert_eq!(allowance.extend(by, None), nothing, "its connection may say another limit");
    budget.set_limit(Some(s(20)));
    assert!(allowance.extend(by, None).is_ok());
    budget.close();
    assert_eq!(allowance.extend(by, None), nothing);

    let budget = running(None);
    let allowance = budget.allowance();
    assert_eq!(allowance.extend(by, None), Ok(None));
    drop(budget);
    assert_eq!(allowance.extend(by, None), nothing);
}
