//! The id of a session.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use uuid::{Uuid, Version};

/// How far the time inside an id may be off Core's clock. It forgives clocks that are not set, and bounds how long used
/// ids have to be remembered.
pub(crate) const CLOCK_OFFSET_MAX: SignedDuration = SignedDuration::from_mins(5);

/// The id of a session: a UUIDv7 that the front end makes for one request alone.
///
/// It is parsed only. That its time is near Core's clock and that it was not used before is checked when the session
/// begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(Uuid);

impl SessionId {
    /// The id as it is stored.
    #[must_use]
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// The time that the id says it was made at, in milliseconds since 1970.
    pub(crate) fn made_ms(self) -> i64 {
        let (upper, _) = self.0.as_u64_pair();
        i64::try_from(upper >> 16).expect("48 bits fit")
    }

    /// Checks that the id's time is near `now`.
    pub(crate) fn check_time(self, now: Timestamp) -> Result<(), SessionIdError> {
        let offset_ms = self.made_ms().abs_diff(now.as_millisecond());
        if u128::from(offset_ms) > CLOCK_OFFSET_MAX.unsigned_abs().as_millis() {
            return Err(SessionIdError::ClockOffset);
        }
        Ok(())
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        // Canonical text has 36 characters; the parser takes other forms too (braces, URN), which would be a second
        // name of one session in every log.
        let uuid = Uuid::parse_str(text).map_err(|_| SessionIdError::NotUuidV7)?;
        if text.len() != 36 || uuid.get_version() != Some(Version::SortRand) {
            return Err(SessionIdError::NotUuidV7);
        }
        Ok(Self(uuid))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an id cannot name a new session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionIdError {
    #[error("the session id is not a UUIDv7 in canonical text form")]
    NotUuidV7,
    #[error("the session id was made more than five minutes off this machine's clock")]
    ClockOffset,
    #[error("the session id was used before")]
    Used,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = "0193b3f2-7c00-7abc-8def-0123456789ab";

    #[test]
    fn only_a_version_7_uuid_in_canonical_text_is_an_id() {
        assert_eq!(MADE.parse::<SessionId>().unwrap().to_string(), MADE);
        for text in [
            "",
            "x",
            // Version 4.
            "5b3e1d0a-7c00-4abc-8def-0123456789ab",
            // Other spellings of the same UUID.
            "0193b3f27c007abc8def0123456789ab",
            "{0193b3f2-7c00-7abc-8def-0123456789ab}",
            "urn:uuid:0193b3f2-7c00-7abc-8def-0123456789ab",
        ] {
            assert_eq!(text.parse::<SessionId>(), Err(SessionIdError::NotUuidV7), "{text}");
        }
    }

    #[test]
    fn an_id_is_good_for_five_minutes_to_either_side() {
        let id: SessionId = MADE.parse().unwrap();
        let made = Timestamp::from_millisecond(id.made_ms()).unwrap();
        assert_eq!(made.as_millisecond(), 0x0193_b3f2_7c00);
        let limit = CLOCK_OFFSET_MAX;
        let beyond = limit + SignedDuration::from_millis(1);
        for (now, outcome) in [
            (made, Ok(())),
            (made + limit, Ok(())),
            (made - limit, Ok(())),
            (made + beyond, Err(SessionIdError::ClockOffset)),
            (made - beyond, Err(SessionIdError::ClockOffset)),
        ] {
            assert_eq!(id.check_time(now), outcome, "{now}");
        }
    }
}
