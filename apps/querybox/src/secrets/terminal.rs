//! Asks on the terminal, without showing what is typed.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
};

use querybox_vault::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{
    exit::Exit,
    failure::{Failure, describe},
};

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// More is no password; the buffer never grows, so no copy of a secret is left behind by growing.
const PASSWORD_BYTES_MAX: usize = 4096;

/// Asks for a password on the controlling terminal.
///
/// # Errors
///
/// A usage failure: there is no terminal. Cancelled: the user pressed Ctrl-C.
pub(crate) fn ask(prompt: &str) -> Result<Secret, Failure> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(|_| Failure::usage("there is no terminal to ask on"))?;
    let failed =
        |error: io::Error| Failure::machinery(format!("cannot ask on the terminal: {}", describe(&error)));
    terminal.write_all(prompt.as_bytes()).map_err(failed)?;
    let entered = Quiet::new(&terminal).and_then(|quiet| quiet.read_line());
    terminal.write_all(b"\n").map_err(failed)?;
    entered.map_err(failed)?.ok_or_else(|| Failure::silent(Exit::Cancelled))
}

/// A terminal that shows nothing and hands over each key. It is as it was when this is dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Quiet<'a>> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        // Ctrl-C comes as a key too: a signal would end the program and leave the terminal mute.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Quiet { terminal, before })
    }

    /// `None`: given up.
    fn read_line(&self) -> io::Result<Option<Secret>> {
        let mut line = Line::default();
        let mut terminal = self.terminal;
        let mut key = [0];
        while terminal.read(&mut key)? > 0 {
            match line.key(key[0]) {
                Typing::On => {}
                Typing::Done => break,
                Typing::GivenUp => return Ok(None),
            }
        }
        Ok(Some(Secret::new(std::mem::take(&mut line.typed))))
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // There is nobody to tell when the terminal is gone.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// What was typed so far.
struct Line {
    typed: Vec<u8>,
}

enum Typing {
    On,
    Done,
    GivenUp,
}

impl Default for Line {
    fn default() -> Line {
        Line { typed: Vec::with_capacity(PASSWORD_BYTES_MAX) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(Secret::new(std::mem::take(&mut self.typed)));
    }
}

impl Line {
    fn key(&mut self, key: u8) -> Typing {
        match key {
            b'\n' | b'\r' => return Typing::Done,
            CTRL_D if self.typed.is_empty() => return Typing::GivenUp,
            CTRL_D => return Typing::Done,
            CTRL_C => return Typing::GivenUp,
            CTRL_U => self.typed.clear(),
            BACKSPACE | DELETE => {
                // A character may have several bytes; all but its first begin with the bits 10.
                while let Some(byte) = self.typed.pop() {
                    if byte & 0xc0 != 0x80 {
                        break;
                    }
                }
            }
            // Ctrl-Space; no password has it.
            0 => {}
            byte if self.typed.len() < PASSWORD_BYTES_MAX => self.typed.push(byte),
            _ => {}
        }
        Typing::On
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &str, expected: Option<&str>) {
        let mut line = Line::default();
        for key in keys.bytes() {
            match line.key(key) {
                Typing::On => {}
                Typing::Done => return assert_eq!(Some(line.typed.as_slice()), expected.map(str::as_bytes)),
                Typing::GivenUp => return assert_eq!(None, expected),
            }
        }
        panic!("the line has no end");
    }

    #[test]
    fn keys_edit_the_line() {
        check("secret\n", Some("secret"));
        check("wrong\x15right\r", Some("right"));
        check("naïv\x7f\x7f\x7fi\n", Some("ni"));
        check("a\x7f\x7f\x08b\n", Some("b"));
        check("half\x03", None);
        check("\x04", None);
        check("half\x04", Some("half"));
        check("\n", Some(""));
        check("a\0b\n", Some("ab"));
    }
}
