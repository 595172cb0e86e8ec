//! Tries one thing that a driver must or must not be able to do, and prints what came of it. Run by the tests, in the
//! jail and outside of it.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::{
    env, fs, io,
    os::unix::process::parent_id,
    path::{Path, PathBuf},
    process::{Command, abort},
    thread,
};

use rustix::{
    fs::{MemfdFlags, memfd_create},
    process::{
        Pid, PidfdFlags, Resource, Rlimit, Signal, parent_process_death_signal, pidfd_open,
        pidfd_send_signal, prlimit, set_parent_process_death_signal, setrlimit, test_kill_process,
    },
    thread::{UnshareFlags, gettid, sched_getaffinity, sched_setaffinity},
};

fn main() {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    match arguments.as_slice() {
        ["print", file] => print!("{}", fs::read_to_string(file).expect("the test names a readable file")),
        ["environment"] => env::vars().for_each(|(name, value)| println!("{name}={value}")),
        ["arguments", ..] => env::args().for_each(|argument| println!("{argument}")),
        ["descriptors"] => {
            descriptors().for_each(|(number, target)| println!("{number} {}", target.display()))
        }
        ["folder"] => println!("{}", env::current_dir().expect("the folder exists").display()),
        ["death-signal"] => {
            let killed = parent_process_death_signal().is_ok_and(|signal| signal == Some(Signal::KILL));
            println!("{}", if killed { "killed with the parent" } else { "lives on" });
        }
        ["abort"] => abort(),
        ["allocate", bytes] => allocate(bytes.parse().expect("the test gives a number")),
        [attempt, rest @ ..] => tell(attempt_one(attempt, rest)),
        [] => panic!("say what to try"),
    }
}

fn tell(outcome: io::Result<String>) {
    match outcome {
        Ok(said) => println!("done {said}"),
        Err(error) => println!("failed {:?} {error}", error.kind()),
    }
}

fn attempt_one(attempt: &str, arguments: &[&str]) -> io::Result<String> {
    match (attempt, arguments) {
        ("start-a-process", []) => Command::new("/bin/true").status().map(|status| status.to_string()),
        ("start-a-thread", []) => {
            let answer = thread::Builder::new().spawn(|| 42)?.join().expect("the thread does not panic");
            Ok(answer.to_string())
        }
        ("clear-the-death-signal", []) => done(set_parent_process_death_signal(None)),
        ("signal-the-parent", []) => done(test_kill_process(parent())),
        ("signal-itself", []) => done(test_kill_process(rustix::process::getpid())),
        ("signal-by-descriptor", []) => {
            let parent = pidfd_open(parent(), PidfdFlags::empty())?;
            // CONT does nothing to a process that runs.
            done(pidfd_send_signal(&parent, Signal::CONT))
        }
        ("limit-the-parent", []) => {
            let same = Rlimit { current: Some(4096), maximum: Some(4096) };
            prlimit(Some(parent()), Resource::Memlock, same)?;
            Ok(String::new())
        }
        ("pin-this-process", []) => done(pin(Some(rustix::process::getpid()))),
        ("pin-this-thread", []) => in_a_thread(|| done(pin(None))),
        ("pin-this-thread-by-its-id", []) => in_a_thread(|| done(pin(Some(gettid())))),
        ("raise-descriptors", []) => {
            done(setrlimit(Resource::Nofile, Rlimit { current: Some(4096), maximum: Some(4096) }))
        }
        ("make-a-user-namespace", []) => {
            #[expect(deprecated, reason = "descriptors stay shared")]
            let outcome = rustix::thread::unshare(UnshareFlags::NEWUSER);
            done(outcome)
        }
        ("memory-file", []) => {
            memfd_create("probe", MemfdFlags::CLOEXEC).map(|_| String::new()).map_err(into)
        }
        ("read", [path]) => fs::read_to_string(path),
        ("write", [path, content]) => fs::write(path, content).map(|()| String::new()),
        ("list", [path]) => {
            let mut names = fs::read_dir(path)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<Vec<_>>>()?;
            names.sort();
            Ok(names.join(" "))
        }
        ("look-at-each-part", [path]) => {
            for part in Path::new(path).ancestors() {
                fs::symlink_metadata(part)?;
            }
            Ok(String::new())
        }
        other => panic!("{other:?} is not known"),
    }
}

fn parent() -> Pid {
    let raw = i32::try_from(parent_id()).expect("a process id fits");
    Pid::from_raw(raw).expect("a parent in this namespace has an id")
}

/// Lets that thread, or the calling one, run where it runs anyway.
fn pin(thread: Option<Pid>) -> rustix::io::Result<()> {
    sched_setaffinity(thread, &sched_getaffinity(None)?)
}

fn in_a_thread(attempt: fn() -> io::Result<String>) -> io::Result<String> {
    thread::Builder::new().spawn(attempt)?.join().expect("the thread does not panic")
}

fn done(outcome: rustix::io::Result<()>) -> io::Result<String> {
    outcome.map(|()| String::new()).map_err(into)
}

fn into(errno: rustix::io::Errno) -> io::Error {
    errno.into()
}

fn descriptors() -> impl Iterator<Item = (String, PathBuf)> {
    let mut found = fs::read_dir("/proc/self/fd")
        .expect("/proc is there")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            // The one that lists the folder leads to the folder.
            let target = fs::read_link(&path).ok().filter(|target| !target.ends_with("fd"))?;
            Some((path.file_name()?.to_string_lossy().into_owned(), target))
        })
        .collect::<Vec<_>>();
    found.sort();
    found.into_iter()
}

/// Touches each page, so that the memory is really used.
fn allocate(bytes: usize) {
    let mut memory = vec![0_u8; bytes];
    memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
    println!("done {}", memory.iter().map(|byte| usize::from(*byte)).sum::<usize>());
}
