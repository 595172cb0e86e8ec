//! Minutes or hours of meetings: a process that meets, and one that watches it.
//!
//! The one that meets writes down each case before it begins, so that the case is known that ended it: by a panic, by more
//! memory than it may have, or by a loop without end.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::{case::Case, corpus::Corpus, meeting::Place, mutation::bend, random::Random};

/// Memory that the process which meets may have. A message of the case is below 48 KiB, whatever length it says it has.
const MEMORY_BYTES_MAX: u64 = 256 << 20;
/// No meeting takes so long that nothing is told meanwhile.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// How often the process that meets says how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// How long a word of a log-in is waited for.
const LOG_IN_PATIENCE: Duration = Duration::from_millis(1);

/// The seeds that are compiled in: `seeds/*.case`, recorded by [`record`](crate::record).
pub fn seeds() -> anyhow::Result<Vec<Case>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(seed_folder())?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    let read = |path: &PathBuf| fs::read_to_string(path)?.parse().with_context(|| path.display().to_string());
    paths.iter().map(read).collect()
}

/// Where they lie.
#[must_use]
pub fn seed_folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds"))
}

/// When to end.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    Meetings(u64),
    Time(Duration),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    pub meetings: u64,
    pub cases: usize,
    pub features: usize,
    pub memory_kib: u64,
}

/// What ended it too early.
#[derive(Debug)]
pub struct Fault {
    pub what: String,
    pub case: Case,
}

/// Meets until it is time to end, or something must not be.
///
/// # Errors
///
/// There is no place to meet, or `before` has one.
pub async fn meet(
    seed: u64,
    length: Length,
    mut before: impl FnMut(&Case) -> anyhow::Result<()>,
    mut tell: impl FnMut(&Figures),
) -> anyhow::Result<(Corpus, Option<Fault>)> {
    let place = Place::make(LOG_IN_PATIENCE)?;
    let mut corpus = Corpus::default();
    let mut random = Random::new(seed);
    let begun = Instant::now();
    let mut told = begun;
    let mut seeds = seeds()?.into_iter();
    let mut meetings = 0;
    loop {
        let is_over = match length {
            Length::Meetings(all) => meetings >= all,
            Length::Time(time) => begun.elapsed() >= time,
        };
        let is_due = told.elapsed() >= TELL_EVERY;
        if is_due || is_over {
            told = Instant::now();
            let (cases, features) = (corpus.cases(), corpus.features());
            tell(&Figures { meetings, cases, features, memory_kib: memory_kib() });
        }
        if is_over {
            return Ok((corpus, None));
        }
        let case = match seeds.next() {
            Some(seed) => seed,
            None => {
                let (origin, other) = (corpus.choose(&mut random).clone(), corpus.choose(&mut random));
                bend(&origin, other, &mut random)
            }
        };
        before(&case)?;
        let outcome = place.meet(&case).await?;
        meetings += 1;
        if let Some(what) = outcome.fault {
            return Ok((corpus, Some(Fault { what, case })));
        }
        corpus.offer(&case, outcome.features);
    }
}

/// The process that meets: tells its figures a line each, and as the last thing what must not be.
///
/// # Errors
///
/// As [`meet`].
pub async fn worker(
    seed: u64,
    time: Duration,
    case_file: &Path,
    tell: impl Fn(String),
) -> anyhow::Result<bool> {
    let limit = Rlimit { current: Some(MEMORY_BYTES_MAX), maximum: Some(MEMORY_BYTES_MAX) };
    setrlimit(Resource::Data, limit)?;
    // A panic is told by who caught it.
    std::panic::set_hook(Box::new(|_| {}));
    let file = File::create(case_file)?;
    let before = |case: &Case| Ok(file.write_all_at(case.to_string().as_bytes(), 0)?);
    let (corpus, fault) = meet(seed, Length::Time(time), before, |figures| {
        let Figures { meetings, cases, features, memory_kib } = figures;
        tell(format!("figures {meetings} {cases} {features} {memory_kib}"));
    })
    .await?;
    for (words, times) in corpus.failures() {
        tell(format!("failure {times} × {words}"));
    }
    if let Some(fault) = &fault {
        tell(format!("fault {}", fault.what));
    }
    Ok(fault.is_none())
}

/// The process that watches.
///
/// # Errors
///
/// The other one cannot be started. What it finds is the answer: whether all held.
pub fn watch(seed: u64, time: Duration, case_file: &Path, say: impl Fn(&str)) -> anyhow::Result<bool> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["worker", "--seed", &seed.to_string(), "--seconds", &time.as_secs().to_string()])
        .arg("--case-file")
        .arg(case_file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("a piped child has an output")?).lines();
    let (tx, rx) = channel();
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).all(|line| tx.send(line).is_ok()));
    let bar = ProgressBar::with_draw_target(Some(time.as_secs()), ProgressDrawTarget::stderr());
    bar.set_style(style());
    let begun = Instant::now();
    let mut figures = None;
    let mut fault = None;
    let mut failures = Vec::new();
    loop {
        let line = match rx.recv_timeout(SILENCE_MAX) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                fault = Some(format!("a meeting does not end within {SILENCE_MAX:?}"));
                child.kill()?;
                break;
            }
        };
        match line.split_once(' ') {
            Some(("figures", numbers)) => {
                let told = shown(numbers, begun.elapsed());
                bar.set_position(begun.elapsed().as_secs().min(time.as_secs()));
                bar.set_message(told.clone());
                figures = Some(told);
            }
            Some(("fault", what)) => fault = Some(what.to_owned()),
            Some(("failure", words)) => failures.push(words.to_owned()),
            _ => {}
        }
    }
    bar.finish_and_clear();
    let status = child.wait()?;
    // It ends when the process does.
    reader.join().map_err(|_| anyhow::anyhow!("the reader of the figures panicked"))?;
    if fault.is_none() && !status.success() {
        fault = Some(format!("the process that met ended with {status}"));
    }
    say(&format!("soak fuzz: {} s, seed {seed}", begun.elapsed().as_secs()));
    say(&figures.unwrap_or_else(|| "nothing was met".to_owned()));
    say(&format!(
        "{} kinds of failure were told, none of them a mistake of the driver's own",
        failures.len()
    ));
    match &fault {
        None => say("PASSED"),
        Some(what) => {
            say(&format!("FAILURE: {what}"));
            say(&format!("the case: {}; `querybox-fuzz replay` brings it back", case_file.display()));
            say("FAILED");
        }
    }
    Ok(fault.is_none())
}

fn shown(numbers: &str, elapsed: Duration) -> String {
    let numbers: Vec<u64> = numbers.split(' ').filter_map(|number| number.parse().ok()).collect();
    let [meetings, cases, features, memory_kib] = numbers[..] else { return String::new() };
    let rate = meetings as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "{meetings} execs, {rate:.0} exec/s, corpus {cases}, {features} features, {} MiB",
        memory_kib / 1024
    )
}

fn memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("soak fuzz [{bar:30}] {elapsed} (left: {eta}) {msg}")
        .expect("the template is well formed")
        .progress_chars("━╸─")
}
