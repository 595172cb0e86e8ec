//! Who leases sessions and is told of them.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// A front end, by the UUID that each page, shell or program makes for itself. Those that give none are one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FrontEndId(Option<Uuid>);

/// The text names no front end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a UUID in canonical text form")]
pub struct FrontEndIdError;

impl fmt::Display for FrontEndId {
    /// The id; of one that gave none: nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| id.fmt(f))
    }
}

impl FromStr for FrontEndId {
    type Err = FrontEndIdError;

    /// Reads an id; empty: none is given.
    fn from_str(text: &str) -> Result<Self, FrontEndIdError> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        // The parser takes other spellings too, which would be second names.
        match Uuid::parse_str(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self(Some(uuid))),
            Ok(_) | Err(_) => Err(FrontEndIdError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling_and_none_is_one_too() {
        let id = "5b3e1d0a-7c00-4abc-8def-0123456789ab";
        assert_eq!(id.parse::<FrontEndId>(), id.to_uppercase().parse());
        assert_eq!("".parse(), Ok(FrontEndId::default()));
        for text in ["x", " ", "5b3e1d0a7c004abc8def0123456789ab", "{5b3e1d0a-7c00-4abc-8def-0123456789ab}"] {
            assert_eq!(text.parse::<FrontEndId>(), Err(FrontEndIdError), "{text}");
        }
    }
}
