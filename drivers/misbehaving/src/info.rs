//! `info`, answered badly.

use std::{
    io::{self, Write as _},
    process::{abort, exit},
    thread,
    time::Duration,
};

use querybox_plugin::{Driver as _, pb};

use crate::{driver::Misbehaving, wish::wishes};

wishes! {
    /// What `info` does instead of answering.
    InfoWish {
        /// Prints nothing and stays.
        Silent = "info-silent",
        /// Answers as it should and stays.
        Lingers = "info-lingers",
        /// Prints the answer a byte a second.
        Drips = "info-drips",
        /// Prints bytes that are no text.
        Garbage = "info-garbage",
        /// Prints for ever.
        Endless = "info-endless",
        /// Prints an answer whose description has eight megabytes.
        Huge = "info-huge",
        /// Answers with nested brackets, deeper than a recursive reader's stack.
        Nested = "info-nested",
        /// Speaks version 99 of the contract.
        OtherVersion = "info-other-version",
        /// Gives a path as its driver type.
        Invalid = "info-invalid",
        /// Answers as it should and exits with 3.
        Fails = "info-fails",
        /// Aborts.
        Aborts = "info-aborts",
    }
}

/// Deeper than any stack that has a frame of some dozen bytes a level, and still below a megabyte.
const NESTED_LEVELS: usize = 1_000_000;

pub(crate) fn print(wish: InfoWish) -> io::Result<()> {
    let good = Misbehaving { wish: None }.info();
    let mut out = io::stdout();
    match wish {
        InfoWish::Silent => stay(),
        InfoWish::Lingers => {
            write_info(&good)?;
            stay()
        }
        InfoWish::Drips => {
            for byte in serde_json::to_string(&good)?.bytes() {
                out.write_all(&[byte])?;
                out.flush()?;
                thread::sleep(Duration::from_secs(1));
            }
            Ok(())
        }
        InfoWish::Garbage => out.write_all(b"\x7fELF\x1b[2J\xff\xfe\0garbage"),
        InfoWish::Endless => loop {
            out.write_all(&[b' '; 64 * 1024])?;
        },
        InfoWish::Huge => write_info(&pb::PluginInfo { description: "huge ".repeat(8 << 20), ..good }),
        InfoWish::Nested => out.write_all("[".repeat(NESTED_LEVELS).as_bytes()),
        InfoWish::OtherVersion => write_info(&pb::PluginInfo { contract_version: 99, ..good }),
        InfoWish::Invalid => {
            write_info(&pb::PluginInfo { driver_type: "../../etc/passwd".to_owned(), ..good })
        }
        InfoWish::Fails => {
            write_info(&good)?;
            exit(3)
        }
        InfoWish::Aborts => abort(),
    }
}

fn write_info(info: &pb::PluginInfo) -> io::Result<()> {
    let json = serde_json::to_string(info)?;
    let mut out = io::stdout();
    out.write_all(json.as_bytes())?;
    out.flush()
}

fn stay() -> ! {
    loop {
        thread::park();
    }
}
