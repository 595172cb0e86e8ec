//! The shop's days: dates as text, and which days and hours are busy.

use jiff::civil::{Date, date};

use super::random::Random;

const FIRST_DAY: Date = date(2022, 1, 1);
/// Up to 28 February 2026: what is ordered at the end of 2025 is shipped and paid after it.
const DAYS: u32 = 1520;
/// The days on which people sign up and visit: 2022 to 2025.
const OPEN_DAYS: u32 = 1461;
/// The first day with orders: 1 January 2023.
const FIRST_ORDER_DAY: u32 = 365;

const SECONDS_A_DAY: u32 = 24 * 60 * 60;

/// How busy a month is, in percent: gifts before the year's end, quiet after it.
const MONTHS: [u32; 12] = [75, 70, 85, 90, 100, 95, 80, 85, 95, 105, 150, 185];
/// How busy a weekday is, in percent, from Monday.
const WEEKDAYS: [u32; 7] = [105, 95, 95, 100, 90, 105, 125];
/// How busy an hour is, from midnight.
const HOURS: [u32; 24] =
    [12, 6, 3, 2, 2, 4, 12, 25, 40, 52, 60, 62, 66, 60, 54, 52, 55, 62, 74, 90, 100, 92, 60, 30];

/// A second since the first day's midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u32);

impl Moment {
    pub(super) fn plus_minutes(self, minutes: u32) -> Self {
        Self(self.0 + minutes * 60)
    }
}

/// All days the sample speaks of.
pub(super) struct Calendar {
    days: Vec<String>,
    /// For each open day the summed business of all days up to and with it.
    business: Vec<u32>,
}

impl Calendar {
    pub(super) fn new() -> Self {
        let mut days = Vec::new();
        let mut business = Vec::new();
        let mut sum = 0;
        for (index, day) in (0..DAYS).zip(FIRST_DAY.series(jiff::Span::new().days(1))) {
            days.push(day.to_string());
            let month = MONTHS[usize::from(day.month().unsigned_abs()) - 1];
            let weekday = WEEKDAYS[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())];
            // The shop grows: its last day is worth three of its first.
            let growth = 100 + 200 * index / OPEN_DAYS;
            sum += month * weekday * growth / 10_000;
            if index < OPEN_DAYS {
                business.push(sum);
            }
        }
        Self { days, business }
    }

    /// A moment at which somebody signs up or visits.
    pub(super) fn draw_visit(&self, random: &mut Random) -> Moment {
        self.draw(random, 0, OPEN_DAYS)
    }

    /// A moment of the shop's first year, when it sold nothing yet.
    pub(super) fn draw_before_orders(&self, random: &mut Random) -> Moment {
        self.draw(random, 0, FIRST_ORDER_DAY)
    }

    /// A moment at which somebody orders.
    pub(super) fn draw_order(&self, random: &mut Random) -> Moment {
        self.draw(random, FIRST_ORDER_DAY, OPEN_DAYS)
    }

    /// A moment from `first_day` up to but without `end_day`; busy days come more often.
    fn draw(&self, random: &mut Random, first_day: u32, end_day: u32) -> Moment {
        let before = |day: u32| if day == 0 { 0 } else { self.business[day as usize - 1] };
        let drawn = random.between(before(first_day), before(end_day) - 1);
        let day = self.business.partition_point(|sum| *sum <= drawn);
        let day = u32::try_from(day).expect("the calendar has few days");
        let hour = draw_hour(random);
        Moment(day * SECONDS_A_DAY + hour * 3600 + random.below(3600))
    }

    /// How many days lie between a moment and the end of 2025, the sample's present.
    pub(super) fn age_in_days(moment: Moment) -> u32 {
        OPEN_DAYS.saturating_sub(moment.0 / SECONDS_A_DAY)
    }

    /// `2025-12-24`
    pub(super) fn date(&self, moment: Moment) -> &str {
        &self.days[(moment.0 / SECONDS_A_DAY) as usize]
    }

    /// `2025-12-24 18:30:05`
    pub(super) fn text(&self, moment: Moment) -> String {
        let second = moment.0 % SECONDS_A_DAY;
        format!("{} {:02}:{:02}:{:02}", self.date(moment), second / 3600, second / 60 % 60, second % 60)
    }
}

fn draw_hour(random: &mut Random) -> u32 {
    let mut draw = random.below(HOURS.iter().sum());
    for (hour, weight) in (0..).zip(HOURS) {
        if draw < weight {
            return hour;
        }
        draw -= weight;
    }
    unreachable!("the draw is below the sum of the weights")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_are_where_their_constants_say() {
        let calendar = Calendar::new();
        let midnight = |day: u32| calendar.text(Moment(day * SECONDS_A_DAY));
        assert_eq!(midnight(0), "2022-01-01 00:00:00");
        assert_eq!(midnight(FIRST_ORDER_DAY), "2023-01-01 00:00:00");
        assert_eq!(midnight(OPEN_DAYS - 1), "2025-12-31 00:00:00");
        assert_eq!(midnight(DAYS - 1), "2026-02-28 00:00:00");
        assert_eq!(calendar.text(Moment(SECONDS_A_DAY - 1)), "2022-01-01 23:59:59");
    }

    #[test]
    fn orders_are_drawn_from_their_years_only() {
        let calendar = Calendar::new();
        let mut random = Random::for_purpose("orders");
        for _ in 0..10_000 {
            let day = calendar.draw_order(&mut random).0 / SECONDS_A_DAY;
            assert!((FIRST_ORDER_DAY..OPEN_DAYS).contains(&day), "{day}");
        }
    }
}
