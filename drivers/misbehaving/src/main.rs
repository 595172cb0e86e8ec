//! A driver for tests that behaves, until it is asked not to: it hangs, floods, lies, grabs and dies on request.
//!
//! A wish is one word, such as `flood-notices`. `querybox-driver-misbehaving wishes` prints them all. It is made
//!
//! - by the name of the file, for every wish: a copy of this program named `querybox-driver-flood-notices`;
//! - by the connection parameter `wish`, or by the statement `misbehave flood-notices`, for those that the SDK can do.
//!
//! | Family | Told by | What it does |
//! |---|---|---|
//! | [`info`] | file | `info` prints nothing, too much, or something else |
//! | [`bytes`] | file | the socket carries something else than well-formed HTTP/2 |
//! | [`lie::parts`] | file | the parts of a result break their order or contradict each other |
//! | [`lie::calls`] | file | the other calls answer with what the contract forbids |
//! | [`hang`] | any | it does not go on, at each point where it could |
//! | [`flood`] | any | it says more than anybody wants to hear |
//! | [`crash`] | any | it ends in every way that a process can |
//! | [`grab`] | any | it takes memory, files and descriptors |
//! | [`escape`] | any | it tries what the jail forbids |
//!
//! Without a wish it is a database that counts: see [`counting`]. A driver of the families [`lie`] looks at no session
//! id, and so answers every foreign one.

mod arrow;
mod bytes;
mod counting;
mod crash;
mod driver;
mod escape;
mod flood;
mod grab;
mod hang;
mod info;
mod lie;
mod socket;
mod wish;

use std::{
    env,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use crate::{driver::Misbehaving, wish::Wish};

/// What comes before the wish in a file's name.
const FILE_PREFIX: &str = "querybox-driver-";

fn main() -> ExitCode {
    let mut arguments = env::args();
    let file = arguments.next().unwrap_or_default();
    let verb = arguments.next();
    let wish = wish_of(Path::new(&file));
    let done = match (verb.as_deref(), wish) {
        (Some("wishes"), _) => print_wishes(),
        (Some("info"), Some(Wish::Info(wish))) => info::print(wish),
        (Some("serve"), Some(Wish::Bytes(wish))) => bytes::serve(wish),
        (Some("serve"), Some(wish @ (Wish::Parts(_) | Wish::Calls(_)))) => lie::serve(wish),
        (_, wish) => return querybox_plugin::serve_cli(Misbehaving { wish }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The other end may be gone; there is nobody to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn wish_of(file: &Path) -> Option<Wish> {
    Wish::parse(file.file_name()?.to_str()?.strip_prefix(FILE_PREFIX)?)
}

fn print_wishes() -> io::Result<()> {
    let names: String = Wish::all().map(|wish| format!("{}\n", wish.name())).collect();
    io::stdout().write_all(names.as_bytes())
}
