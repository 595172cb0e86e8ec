//! Values on the command line that have a form of their own.

use std::{str::FromStr, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use querybox_contracts::core::v1::{self as core, deadline};

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeadlineArg {
    After(Duration),
    None,
}

impl FromStr for DeadlineArg {
    type Err = String;

    fn from_str(text: &str) -> Result<DeadlineArg, String> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(DeadlineArg::None);
        }
        let span = text.parse::<jiff::SignedDuration>().ok();
        let time = span.and_then(|span| Duration::try_from(span).ok()).filter(|time| !time.is_zero());
        time.map(DeadlineArg::After)
            .ok_or_else(|| "give a time such as `30s`, `500ms`, `5m` or `1h30m`, or `none`".to_owned())
    }
}

impl From<DeadlineArg> for core::Deadline {
    fn from(arg: DeadlineArg) -> core::Deadline {
        let limit = match arg {
            // A time that the contract cannot say is longer than anybody waits.
            DeadlineArg::After(time) => match prost_types::Duration::try_from(time) {
                Ok(time) => deadline::Limit::After(time),
                Err(_) => deadline::Limit::None(core::NoDeadline {}),
            },
            DeadlineArg::None => deadline::Limit::None(core::NoDeadline {}),
        };
        core::Deadline { limit: Some(limit) }
    }
}

/// How old something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgeArg(pub(crate) Duration);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl FromStr for AgeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<AgeArg, String> {
        // Days are no units of a time elsewhere, for now and then one has another hour.
        let days = [("d", 1), ("w", 7)].into_iter().find_map(|(unit, days)| {
            let number: u32 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            DAY.checked_mul(number.checked_mul(days)?)
        });
        let time = days.filter(|days| !days.is_zero()).or_else(|| match text.parse() {
            Ok(DeadlineArg::After(time)) => Some(time),
            Ok(DeadlineArg::None) | Err(_) => None,
        });
        time.map(AgeArg).ok_or_else(|| "give a time such as `90d`, `2w`, `12h` or `30m`".to_owned())
    }
}

/// A moment: how long ago it was, or a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MomentArg {
    Ago(Duration),
    At(Timestamp),
}

impl MomentArg {
    /// The moment. What is longer ago than times go is their begin.
    pub(crate) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            MomentArg::Ago(age) => now.checked_sub(age).unwrap_or(Timestamp::MIN),
            MomentArg::At(time) => time,
        }
    }
}

impl FromStr for MomentArg {
    type Err = String;

    fn from_str(text: &str) -> Result<MomentArg, String> {
        if let Ok(AgeArg(age)) = text.parse() {
            return Ok(MomentArg::Ago(age));
        }
        let local = |text: &str| {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            Some(civil.to_zoned(TimeZone::system()).ok()?.timestamp())
        };
        text.parse().ok().or_else(|| local(text)).map(MomentArg::At).ok_or_else(|| {
            "give how long ago, such as `2h` or `3d`, or a date, such as `2026-01-31` or `2026-01-31T18:00`"
                .to_owned()
        })
    }
}

/// A deadline to set, or the word that takes it away again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeadlineChange(pub(crate) Option<DeadlineArg>);

impl FromStr for DeadlineChange {
    type Err = String;

    fn from_str(text: &str) -> Result<DeadlineChange, String> {
        match text.eq_ignore_ascii_case("default") {
            true => Ok(DeadlineChange(None)),
            false => text.parse().map(|deadline| DeadlineChange(Some(deadline))),
        }
    }
}

/// A name with its value: a parameter of a driver's form, or of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParamArg {
    pub name: String,
    pub value: String,
}

impl FromStr for ParamArg {
    type Err = String;

    fn from_str(text: &str) -> Result<ParamArg, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(ParamArg { name: name.to_owned(), value: value.to_owned() })
            }
            // The text is not repeated: it may be a password that went astray.
            _ => Err("give NAME=VALUE".to_owned()),
        }
    }
}

/// A number, or the word that takes a limit away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LimitArg(pub Option<u64>);

impl FromStr for LimitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<LimitArg, String> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(LimitArg(None));
        }
        match text.parse() {
            Ok(0) | Err(_) => Err("give a whole number from 1, or `none`".to_owned()),
            Ok(number) => Ok(LimitArg(Some(number))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_times_or_none() {
        let check =
            |text: &str, expected: Option<DeadlineArg>| assert_eq!(text.parse().ok(), expected, "{text}");
        let after = |millis| Some(DeadlineArg::After(Duration::from_millis(millis)));
        check("30s", after(30_000));
        check("500ms", after(500));
        check("1h30m", after(5_400_000));
        check("2 minutes", after(120_000));
        check("none", Some(DeadlineArg::None));
        check("0s", None);
        check("-5s", None);
        check("30", None);
        check("soon", None);
    }

    #[test]
    fn ages_are_in_days_too() {
        let check = |text: &str, seconds: Option<u64>| {
            assert_eq!(text.parse().ok(), seconds.map(|it| AgeArg(Duration::from_secs(it))), "{text}");
        };
        check("90d", Some(90 * 86_400));
        check("2 w", Some(14 * 86_400));
        check("12h", Some(43_200));
        for wrong in ["0d", "d", "-1d", "none", "soon", "4294967295w"] {
            check(wrong, None);
        }
    }

    #[test]
    fn moments_are_ages_or_dates() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<MomentArg>().unwrap().at(now).to_string();
        assert_eq!(at("1d"), "2026-02-28T12:00:00Z");
        assert_eq!(at("2026-02-01T00:00:00Z"), "2026-02-01T00:00:00Z");
        assert!("2026-02-01".parse::<MomentArg>().is_ok() && "2026-02-01T10:00".parse::<MomentArg>().is_ok());
        assert_eq!("5000000w".parse::<MomentArg>().unwrap().at(now), Timestamp::MIN);
        assert!("yesterday".parse::<MomentArg>().is_err());
    }

    #[test]
    fn a_parameter_is_parted_at_its_first_sign() {
        let param: ParamArg = "file=/data/a=b.db".parse().unwrap();
        assert_eq!((param.name.as_str(), param.value.as_str()), ("file", "/data/a=b.db"));
        assert_eq!("empty=".parse::<ParamArg>().unwrap().value, "");
        assert!("canary".parse::<ParamArg>().is_err_and(|error| !error.contains("canary")));
        assert!("=x".parse::<ParamArg>().is_err());
    }

    #[test]
    fn limits_can_be_taken_away() {
        assert_eq!("500".parse(), Ok(LimitArg(Some(500))));
        assert_eq!("none".parse(), Ok(LimitArg(None)));
        assert!("0".parse::<LimitArg>().is_err());
    }
}
