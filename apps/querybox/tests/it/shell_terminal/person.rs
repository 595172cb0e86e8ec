//! A person at a terminal: types, and waits to see what is expected.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Child, Command},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, kill_process},
    termios::{LocalModes, tcgetattr},
};

use crate::{
    house::{House, within},
    terminal::{stdio, terminal},
};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a program asks a terminal for the place of its cursor.
const WHERE_IS_THE_CURSOR: &[u8] = b"\x1b[6n";

/// Somebody who works with the shell.
pub(crate) struct Person {
    /// `None`: it was taken away.
    keyboard: Option<File>,
    /// `None`: nobody looks any more.
    eyes: Option<JoinHandle<()>>,
    looks_away: Arc<AtomicBool>,
    /// All that was shown.
    screen: Arc<Mutex<Vec<u8>>>,
    /// How much of it was looked at, as plain text.
    read: usize,
    /// Keeps the terminal there when the program has ended.
    terminal: File,
    child: Child,
}

impl Person {
    pub(crate) fn at(house: &House, args: &[&str]) -> Person {
        Person::with(house, args, &[])
    }

    /// With variables in the environment.
    pub(crate) fn with(house: &House, args: &[&str], environment: &[(&str, &str)]) -> Person {
        Person::started(house, &[], args, environment)
    }

    /// Where the program does not hear that its terminal is closed.
    pub(crate) fn unheard(house: &House, args: &[&str]) -> Person {
        Person::started(house, &["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"], args, &[])
    }

    fn started(house: &House, wrapper: &[&str], args: &[&str], environment: &[(&str, &str)]) -> Person {
        let (person, program) = terminal(100);
        // The program's controlling terminal is this one, so that Ctrl-C is its signal.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).args(wrapper);
        command.args([env!("CARGO_BIN_EXE_querybox"), "shell"]).args(args);
        house.furnish(&mut command);
        command.env("TERM", "xterm").env("NO_COLOR", "1").envs(environment.iter().copied());
        command.stdin(stdio(&program)).stdout(stdio(&program)).stderr(stdio(&program));
        let child = command.spawn().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut eyes, mut keyboard) = (person.try_clone().unwrap(), person.try_clone().unwrap());
        let seen = Arc::clone(&screen);
        let looks_away = Arc::new(AtomicBool::new(false));
        let away = Arc::clone(&looks_away);
        let eyes = thread::spawn(move || {
            let mut bytes = [0; 4096];
            let blink = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            while !away.load(Ordering::Relaxed) {
                if !poll(&mut [PollFd::new(&eyes, PollFlags::IN)], Some(&blink)).is_ok_and(|count| count > 0)
                {
                    continue;
                }
                let Ok(count @ 1..) = eyes.read(&mut bytes) else { return };
                let mut seen = seen.lock().unwrap();
                let before = seen.len().saturating_sub(WHERE_IS_THE_CURSOR.len() - 1);
                seen.extend(&bytes[..count]);
                let asked =
                    seen[before..].windows(WHERE_IS_THE_CURSOR.len()).filter(|it| *it == WHERE_IS_THE_CURSOR);
                for _ in asked {
                    // Any place will do.
                    let _ = keyboard.write_all(b"\x1b[5;1R");
                }
            }
        });
        Person {
            keyboard: Some(person),
            eyes: Some(eyes),
            looks_away,
            screen,
            read: 0,
            terminal: program,
            child,
        }
    }

    pub(crate) fn types(&mut self, keys: &str) -> &mut Person {
        self.keyboard.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Waits until the text is shown, behind what was seen before.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        let mut shown = String::new();
        let start = std::time::Instant::now();
        loop {
            let plain = self.plain();
            if let Some(at) = plain.get(self.read..).and_then(|rest| rest.find(text)) {
                self.read += at + text.len();
                return;
            }
            if shown != plain {
                shown = plain;
            }
            assert!(start.elapsed() < PATIENCE, "{text:?} is not seen in {:?}", shown.get(self.read..));
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The rest of the line that was seen last.
    pub(crate) fn line(&mut self) -> String {
        let from = self.read;
        self.sees("\n");
        self.plain()[from..self.read].to_owned()
    }

    pub(crate) fn terminal_echoes(&self) -> bool {
        tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Sends a signal to the program.
    pub(crate) fn signals(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until the program has ended, with this exit code and the terminal as it was.
    #[track_caller]
    pub(crate) fn leaves(mut self) -> i32 {
        let mut status = None;
        within(PATIENCE, "the program's end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(self.terminal_echoes(), "the terminal is not as it was");
        status.unwrap().code().unwrap()
    }

    /// Closes the terminal, as its window is closed, and waits until the program has ended, with this exit code.
    #[track_caller]
    pub(crate) fn hangs_up(mut self) -> i32 {
        self.looks_away.store(true, Ordering::Relaxed);
        self.eyes.take().unwrap().join().unwrap();
        drop(self.keyboard.take());
        let mut status = None;
        within(PATIENCE, "the program's end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code().unwrap()
    }

    /// All that was shown so far, without the sequences that move and color.
    pub(crate) fn plain(&self) -> String {
        let bytes = self.screen.lock().unwrap().clone();
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('\x1b') {
            plain.push_str(before);
            rest = match after.strip_prefix('[') {
                Some(after) => match after.find(|c: char| ('@'..='~').contains(&c)) {
                    Some(end) => &after[end + 1..],
                    None => return plain,
                },
                None => after.get(1..).unwrap_or_default(),
            };
        }
        plain + rest
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
