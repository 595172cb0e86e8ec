//! The names people and drivers give: parsed once, right from then on.

use std::{fmt, str::FromStr};

/// Longer names do not fit into any list that shows them.
const NAME_CHARS_MAX: usize = 100;
/// Deeper trees are a mistake of a script, and each level costs room on the screen.
const FOLDER_DEPTH_MAX: usize = 16;
/// Driver types become part of file names (`querybox-driver-<type>`).
const DRIVER_TYPE_CHARS_MAX: usize = 64;

/// The name of a connection: 1 to 100 characters, none a control character, no space at either end.
///
/// No two connections of a store have names that differ in case only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConnectionName(String);

/// Where a connection stands in the tree: at most 16 parts joined by `/`, each under the rules of a [`ConnectionName`].
/// Empty: at the top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Folder(String);

/// A kind of database, as its driver names itself: `[a-z][a-z0-9-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DriverType(String);

/// Why a text cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name needs at least one character")]
    Empty,
    #[error("a name has at most {NAME_CHARS_MAX} characters")]
    TooLong,
    #[error("a name has no control characters")]
    ControlCharacter,
    #[error("a name has no space at its start or end")]
    OuterSpace,
}

/// Why a text cannot be a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    #[error("a folder is names joined by single slashes")]
    Part(#[source] NameError),
    #[error("a folder has at most {FOLDER_DEPTH_MAX} levels")]
    TooDeep,
}

/// A text that cannot be a driver type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a driver type: a small letter, then at most 63 small letters, digits and hyphens")]
pub struct DriverTypeError(String);

fn check_name(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(NameError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::ControlCharacter);
    }
    if text.trim() != text {
        return Err(NameError::OuterSpace);
    }
    Ok(())
}

impl ConnectionName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names share when they differ in case only.
    ///
    /// Up, then down, one character at a time: lowering alone would keep `ß` from `SS`, and `ς` from `σ`.
    pub(crate) fn derive_key(&self) -> String {
        self.0.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
    }
}

impl FromStr for ConnectionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<ConnectionName, NameError> {
        check_name(text)?;
        Ok(ConnectionName(text.to_owned()))
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Folder {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names on the way down; none at the top.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }
}

impl FromStr for Folder {
    type Err = FolderError;

    fn from_str(text: &str) -> Result<Folder, FolderError> {
        if text.is_empty() {
            return Ok(Folder::default());
        }
        if text.split('/').count() > FOLDER_DEPTH_MAX {
            return Err(FolderError::TooDeep);
        }
        for part in text.split('/') {
            check_name(part).map_err(FolderError::Part)?;
        }
        Ok(Folder(text.to_owned()))
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DriverType {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DriverType {
    type Err = DriverTypeError;

    fn from_str(text: &str) -> Result<DriverType, DriverTypeError> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        let goes_on_well = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !starts_well || !goes_on_well || text.len() > DRIVER_TYPE_CHARS_MAX {
            return Err(DriverTypeError(text.to_owned()));
        }
        Ok(DriverType(text.to_owned()))
    }
}

impl fmt::Display for DriverType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_key(one: &str, other: &str, same: bool) {
        let key = |text: &str| text.parse::<ConnectionName>().unwrap().derive_key();
        assert_eq!(key(one) == key(other), same, "{one} and {other}");
    }

    #[test]
    fn keys_ignore_case_in_every_script() {
        check_key("Orders", "oRDERS", true);
        check_key("Straße", "STRASSE", true);
        check_key("ΟΔΟΣ", "οδος", true);
        check_key("Заказы", "ЗАКАЗЫ", true);
        check_key("Orders", "Order", false);
        check_key("e", "é", false);
    }

    #[test]
    fn names_have_limits() {
        let parse = |text: &str| text.parse::<ConnectionName>().map(|name| name.0);
        assert_eq!(parse(&"ü".repeat(100)), Ok("ü".repeat(100)));
        assert_eq!(parse(&"ü".repeat(101)), Err(NameError::TooLong));
        assert_eq!(parse(""), Err(NameError::Empty));
        assert_eq!(parse("a\u{1b}b"), Err(NameError::ControlCharacter));
        assert_eq!(parse("a\n"), Err(NameError::ControlCharacter));
        assert_eq!(parse(" a"), Err(NameError::OuterSpace));
        assert_eq!(parse("a\u{a0}"), Err(NameError::OuterSpace));
    }

    #[test]
    fn folders_are_names_joined_by_slashes() {
        let parts = |text: &str| {
            text.parse::<Folder>().map(|folder| folder.parts().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(parts(""), Ok(vec![]));
        assert_eq!(parts("work/eu"), Ok(vec!["work".to_owned(), "eu".to_owned()]));
        for wrong in ["/", "/work", "work/", "work//eu"] {
            assert_eq!(parts(wrong), Err(FolderError::Part(NameError::Empty)), "{wrong}");
        }
        assert_eq!(parts("work/ eu"), Err(FolderError::Part(NameError::OuterSpace)));
        assert_eq!(parts(&"a/".repeat(16)), Err(FolderError::TooDeep));
    }

    #[test]
    fn driver_types_are_plain() {
        for right in ["sqlite", "flight-sql", "s3", &"a".repeat(64)] {
            assert!(right.parse::<DriverType>().is_ok(), "{right}");
        }
        for wrong in ["", "3s", "-a", "Sqlite", "a_b", "a/b", "é", &"a".repeat(65)] {
            assert!(wrong.parse::<DriverType>().is_err(), "{wrong}");
        }
    }
}
