//! Wishes and their names.

use crate::{
    bytes::BytesWish,
    crash::Crash,
    escape::Escape,
    flood::Flood,
    grab::Grab,
    hang::Hang,
    info::InfoWish,
    lie::{calls::CallsLie, parts::PartsLie},
};

/// Declares the wishes of one family, each with its name.
macro_rules! wishes {
    ($(#[$about:meta])* $family:ident { $($(#[$what:meta])* $wish:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $family {
            $($(#[$what])* $wish,)+
        }

        impl $family {
            pub(crate) const ALL: &[Self] = &[$(Self::$wish),+];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$wish => $name,)+
                }
            }
        }
    };
}
pub(crate) use wishes;

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Info(InfoWish),
    Bytes(BytesWish),
    Parts(PartsLie),
    Calls(CallsLie),
    Hang(Hang),
    Flood(Flood),
    Crash(Crash),
    Grab(Grab),
    Escape(Escape),
}

impl Wish {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let by_name = [
            InfoWish::ALL.iter().copied().map(Self::Info).collect::<Vec<_>>(),
            BytesWish::ALL.iter().copied().map(Self::Bytes).collect(),
            PartsLie::ALL.iter().copied().map(Self::Parts).collect(),
            CallsLie::ALL.iter().copied().map(Self::Calls).collect(),
        ];
        by_name.into_iter().flatten().chain(Self::of_the_sdk())
    }

    /// Those that a driver on the SDK can do: they may also be asked for when it already runs.
    pub(crate) fn of_the_sdk() -> impl Iterator<Item = Self> {
        let families = [
            Hang::ALL.iter().copied().map(Self::Hang).collect::<Vec<_>>(),
            Flood::ALL.iter().copied().map(Self::Flood).collect(),
            Crash::ALL.iter().copied().map(Self::Crash).collect(),
            Grab::ALL.iter().copied().map(Self::Grab).collect(),
            Escape::ALL.iter().copied().map(Self::Escape).collect(),
        ];
        families.into_iter().flatten()
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::all().find(|wish| wish.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Info(wish) => wish.name(),
            Self::Bytes(wish) => wish.name(),
            Self::Parts(lie) => lie.name(),
            Self::Calls(lie) => lie.name(),
            Self::Hang(hang) => hang.name(),
            Self::Flood(flood) => flood.name(),
            Self::Crash(crash) => crash.name(),
            Self::Grab(grab) => grab.name(),
            Self::Escape(escape) => escape.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_wish_has_a_name_of_its_own_that_a_file_can_bear() {
        let mut names = HashSet::new();
        for wish in Wish::all() {
            let name = wish.name();
            assert!(names.insert(name), "{name} comes twice");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert_eq!(Wish::parse(name), Some(wish));
        }
        assert_eq!(Wish::parse("misbehaving"), None);
    }
}
