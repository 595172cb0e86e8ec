//! The launcher against `drivers/misbehaving`: each wish with its named outcome, in a bounded time and memory, while a
//! neighbour is served as if nothing happened.

mod bytes;
mod calls;
mod crashes;
mod escapes;
mod floods;
mod grabs;
mod hangs;
mod held;
mod hoards;
mod infos;
mod memory;
mod neighbour;
mod parts;
mod pen;
mod trial;

use std::{collections::BTreeSet, process::Command};

use querybox_fixtures::program;

/// Declares one test a wish. The test bears the wish's name with underscores.
macro_rules! trials {
    ($($call:ident { $($wish:ident => $outcome:expr,)+ })+) => {
        pub(in crate::misbehaving) const WISHES: &[&str] = &[$($(stringify!($wish)),+),+];

        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $wish() {
                $crate::misbehaving::trial::check(stringify!($wish), Call::$call, $outcome).await;
            }
        )+)+
    };
}
use trials;

#[test]
fn every_wish_of_the_driver_has_its_trial() {
    let told = Command::new(program("querybox-driver-misbehaving")).arg("wishes").output().unwrap();
    let wishes = String::from_utf8(told.stdout).unwrap().replace('-', "_");
    let tried = [
        bytes::WISHES,
        bytes::unread::WISHES,
        calls::WISHES,
        crashes::WISHES,
        escapes::WISHES,
        floods::WISHES,
        floods::unread::WISHES,
        grabs::WISHES,
        hangs::WISHES,
        infos::WISHES,
        parts::WISHES,
    ];
    assert_eq!(
        wishes.lines().collect::<BTreeSet<_>>(),
        tried.into_iter().flatten().copied().collect::<BTreeSet<_>>()
    );
}
