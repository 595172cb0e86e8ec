//! Settings of the session that change how values look.
//!
//! A column is asked for in binary only while the session shows its type as the contract's display kind does. The server
//! reports a change of some settings by itself; [`Looks`] are those that have to be asked for.
//!
//! The formats of a statement are chosen before it runs. So a statement that changes a setting while it returns rows, as
//! `SELECT set_config('TimeZone', …), now()` does, shows what travels in binary in the look from before, and its
//! values are the same; from the next statement on the new look is shown.

use std::collections::HashMap;

use querybox_sql::Dialect;

use crate::{decode::Encoding, rejection::Counting};

/// What is looked at of all that a server may report.
const LOOKED_AT: [&str; 9] = [
    "server_version",
    "session_authorization",
    "client_encoding",
    "server_encoding",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "integer_datetimes",
    "standard_conforming_strings",
];

/// The settings that the server reports, as it last did.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    values: HashMap<&'static str, String>,
}

impl Reported {
    pub(crate) fn report(&mut self, name: &str, value: &str) {
        if let Some(name) = LOOKED_AT.iter().find(|looked_at| **looked_at == name) {
            self.values.insert(name, value.to_owned());
        }
    }

    fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The server's version without the packager's words behind it.
    pub(crate) fn version(&self) -> &str {
        self.get("server_version").split(' ').next().unwrap_or_default()
    }

    /// The number before the version's first point; 0 when there is none.
    pub(crate) fn major_version(&self) -> u32 {
        let version = self.version();
        let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
        version[..digits].parse().unwrap_or(0)
    }

    pub(crate) fn user(&self) -> &str {
        self.get("session_authorization")
    }

    pub(crate) fn has_iso_dates(&self) -> bool {
        self.get("DateStyle").starts_with("ISO")
    }

    /// Whether spans are shown in the server's own words.
    pub(crate) fn has_own_intervals(&self) -> bool {
        self.get("IntervalStyle") == "postgres"
    }

    pub(crate) fn has_integer_times(&self) -> bool {
        self.get("integer_datetimes") == "on"
    }

    /// Whether `timestamptz` is shown with `+00`, at any time in history.
    pub(crate) fn is_utc(&self) -> bool {
        let zone = self.get("TimeZone");
        let zone = zone.strip_prefix("Etc/").unwrap_or(zone);
        ["UTC", "UCT", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "Universal", "Zulu"].contains(&zone)
    }

    /// What the database's texts are is known to nobody: it holds whatever bytes it was given.
    pub(crate) fn has_unknown_encoding(&self) -> bool {
        self.get("server_encoding") == "SQL_ASCII"
    }

    /// In which encoding text comes and goes.
    pub(crate) fn encoding(&self) -> Encoding {
        match self.get("client_encoding") {
            // A server that reports none was told this one at log-in.
            "UTF8" | "" => Encoding::Utf8,
            "LATIN1" => Encoding::Latin1,
            // Text is not converted: it comes as it was stored.
            "SQL_ASCII" if matches!(self.get("server_encoding"), "UTF8" | "SQL_ASCII") => Encoding::Utf8,
            _ => Encoding::Other,
        }
    }

    pub(crate) fn client_encoding(&self) -> &str {
        self.get("client_encoding")
    }

    /// Whether a backslash in a plain literal is nothing but that.
    pub(crate) fn has_standard_strings(&self) -> bool {
        // On by default, also where it is not reported.
        self.get("standard_conforming_strings") != "off"
    }

    /// How the server reads a statement now.
    pub(crate) fn dialect(&self) -> Dialect {
        if self.has_standard_strings() { Dialect::postgres() } else { Dialect::postgres_with_escapes() }
    }

    pub(crate) fn counting(&self) -> Counting {
        if self.has_unknown_encoding() { Counting::Bytes } else { Counting::Characters }
    }
}

/// The settings that the server does not report. Any statement may change them, also by a function that it calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looks {
    /// Asked for, and nothing ran since.
    Known {
        /// `extra_float_digits` is such that floats have their shortest exact digits.
        floats_are_shortest: bool,
        /// `bytea_output` is `hex`.
        bytes_are_hex: bool,
    },
    /// To be asked for before they are needed.
    Stale,
    /// The server only speaks like PostgreSQL and does not know them. Asking again could break a transaction.
    Unavailable,
}

impl Looks {
    pub(crate) fn new(major_version: u32, extra_float_digits: &str, bytea_output: &str) -> Self {
        let extra_digits: i32 = extra_float_digits.parse().unwrap_or(0);
        Self::Known {
            // Before version 12 more digits were shown than are needed.
            floats_are_shortest: major_version >= 12 && extra_digits >= 1,
            bytes_are_hex: bytea_output == "hex",
        }
    }

    /// What is left of them after a statement: whatever it did, it may have changed them.
    pub(crate) fn after_statement(self) -> Self {
        match self {
            Self::Known { .. } | Self::Stale => Self::Stale,
            Self::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(settings: &[(&str, &str)]) -> Reported {
        let mut reported = Reported::default();
        settings.iter().for_each(|(name, value)| reported.report(name, value));
        reported
    }

    #[test]
    fn a_version_is_read_from_what_packagers_make_of_it() {
        for (version, plain, major) in [
            ("15.18 (Debian 15.18-0+deb12u1)", "15.18", 15),
            ("18beta1", "18beta1", 18),
            ("9.6.24", "9.6.24", 9),
            ("", "", 0),
        ] {
            let reported = reported(&[("server_version", version)]);
            assert_eq!((reported.version(), reported.major_version()), (plain, major));
        }
    }

    #[test]
    fn only_zones_that_were_never_anything_else_are_utc() {
        for zone in ["UTC", "Etc/UTC", "GMT", "Etc/GMT+0", "Zulu"] {
            assert!(reported(&[("TimeZone", zone)]).is_utc(), "{zone}");
        }
        for zone in ["Europe/London", "Africa/Abidjan", "<+00>-00", "Etc/GMT-1", "", "utc2"] {
            assert!(!reported(&[("TimeZone", zone)]).is_utc(), "{zone}");
        }
    }
}
